/** Connection parameters as texts, under the names of libpq's. */
export interface ServerConnection {
  /** A list with commas where there are several servers, as `hostAddress` and `port`. */
  readonly host?: string;
  /** Where to connect to; the name of `host` is then what its certificate and the password file are compared with. */
  readonly hostAddress?: string;
  readonly port?: string;
  readonly loadBalanceHosts?: string;
  readonly user?: string;
  readonly password?: string;
  /** Another file than ~/.pgpass. */
  readonly passFile?: string;
  readonly database?: string;
  readonly sslMode?: string;
  readonly sslNegotiation?: string;
  readonly sslRootCert?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  /** Of the key's file. */
  readonly sslPassword?: string;
  readonly sslCertMode?: string;
  readonly sslRevoked?: string;
  readonly sslMinVersion?: string;
  readonly sslMaxVersion?: string;
  readonly options?: string;
  /** The role to work as; it stands in `options`, too. */
  readonly role?: string;
  readonly connectTimeoutSeconds?: string;
  readonly service?: string;
  /** Demands beyond an address: looked at once it is known which server it is. */
  readonly targetSessionAttrs?: string;
  readonly channelBinding?: string;
  readonly requireAuth?: string;
  readonly gssEncMode?: string;
}
