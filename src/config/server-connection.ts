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
  /** Demands beyond an address: looked at once it is known which server it is. */
  readonly targetSessionAttrs?: string;
  readonly channelBinding?: string;
  readonly gssEncMode?: string;
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
  target_session_attrs: 'targetSessionAttrs',
  channel_binding: 'channelBinding',
  gssencmode: 'gssEncMode',
};

/** Understood by libpq, without a meaning here: aisec sets its own application_name. */
export const IGNORED_PARAMETERS: ReadonlySet<string> = new Set([
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
]);
