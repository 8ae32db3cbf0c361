/** Connection parameters as texts, under the names of libpq's. */
export interface ServerConnection {
  readonly host?: string;
  readonly port?: string;
  readonly user?: string;
  readonly password?: string;
  /** Another file than ~/.pgpass. */
  readonly passFile?: string;
  readonly database?: string;
  readonly sslMode?: string;
  readonly sslRootCert?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  readonly options?: string;
  readonly connectTimeoutSeconds?: string;
  readonly service?: string;
}
