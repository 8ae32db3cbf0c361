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
  /** The role to work as; it stands in `options`, too. */
  readonly role?: string;
  readonly connectTimeoutSeconds?: string;
  readonly service?: string;
}

/** libpq's parameter names, as they stand in a URL or a service file, and the field each one fills. */
export const CONNECTION_FIELDS: Readonly<Record<string, keyof ServerConnection>> = {
  host: 'host',
  hostaddr: 'host',
  port: 'port',
  user: 'user',
  password: 'password',
  passfile: 'passFile',
  dbname: 'database',
  sslmode: 'sslMode',
  sslrootcert: 'sslRootCert',
  sslcert: 'sslCert',
  sslkey: 'sslKey',
  options: 'options',
  connect_timeout: 'connectTimeoutSeconds',
};
