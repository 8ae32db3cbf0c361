import { didYouMean } from '../../base/did-you-mean.js';
import { AisecError } from '../../base/errors.js';
import type { ServerConnection } from './server-connection.js';

/** libpq's parameter names, as they stand in a URL or a service file, and the field each one fills. */
const CONNECTION_FIELDS: Readonly<Record<string, keyof ServerConnection>> = {
  host: 'host',
  hostaddr: 'hostAddress',
  port: 'port',
  load_balance_hosts: 'loadBalanceHosts',
  user: 'user',
  password: 'password',
  passfile: 'passFile',
  dbname: 'database',
  sslmode: 'sslMode',
  sslnegotiation: 'sslNegotiation',
  sslrootcert: 'sslRootCert',
  sslcert: 'sslCert',
  sslkey: 'sslKey',
  sslpassword: 'sslPassword',
  sslcertmode: 'sslCertMode',
  sslcrl: 'sslRevoked',
  ssl_min_protocol_version: 'sslMinVersion',
  ssl_max_protocol_version: 'sslMaxVersion',
  options: 'options',
  connect_timeout: 'connectTimeoutSeconds',
  target_session_attrs: 'targetSessionAttrs',
  channel_binding: 'channelBinding',
  require_auth: 'requireAuth',
  gssencmode: 'gssEncMode',
};

/** Understood by libpq, without a meaning here: they neither narrow the choice of a server nor the way to it. */
const IGNORED: ReadonlySet<string> = new Set([
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'sslcompression',
  'krbsrvname',
  'gsslib',
]);

/** What aisec cannot do, and the values that ask for nothing. */
const NOT_DONE: Readonly<Record<string, readonly string[]>> = {
  requirepeer: [],
  requiressl: ['0'],
  replication: ['0', 'false', 'off', 'no'],
  sslcrldir: [],
  sslsni: ['1'],
  sslkeylogfile: [],
  gssdelegation: ['0'],
  min_protocol_version: ['3.0'],
  max_protocol_version: ['3.0', '3.2', 'latest'],
  scram_client_key: [],
  scram_server_key: [],
  oauth_issuer: [],
  oauth_client_id: [],
  oauth_client_secret: [],
  oauth_scope: [],
};

/** https://www.postgresql.org/docs/18/libpq-envars.html: the variable and the parameter that it stands for. */
const VARIABLES: Readonly<Record<string, string>> = {
  PGHOST: 'host',
  PGHOSTADDR: 'hostaddr',
  PGPORT: 'port',
  PGLOADBALANCEHOSTS: 'load_balance_hosts',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGDATABASE: 'dbname',
  PGSSLMODE: 'sslmode',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGSSLCERTMODE: 'sslcertmode',
  PGSSLCRL: 'sslcrl',
  PGSSLMINPROTOCOLVERSION: 'ssl_min_protocol_version',
  PGSSLMAXPROTOCOLVERSION: 'ssl_max_protocol_version',
  PGOPTIONS: 'options',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGCHANNELBINDING: 'channel_binding',
  PGREQUIREAUTH: 'require_auth',
  PGGSSENCMODE: 'gssencmode',
  PGREQUIREPEER: 'requirepeer',
  PGREQUIRESSL: 'requiressl',
  PGSSLCRLDIR: 'sslcrldir',
  PGSSLSNI: 'sslsni',
  PGGSSDELEGATION: 'gssdelegation',
  PGMINPROTOCOLVERSION: 'min_protocol_version',
  PGMAXPROTOCOLVERSION: 'max_protocol_version',
};

const KNOWN = [...Object.keys(CONNECTION_FIELDS), ...IGNORED, ...Object.keys(NOT_DONE)];

/** All parameters of libpq, each with what becomes of it. */
export const PARAMETERS: ReadonlyMap<string, 'kept' | 'ignored' | 'refused'> = new Map(
  KNOWN.map((name) => [
    name,
    CONNECTION_FIELDS[name] === undefined ? (IGNORED.has(name) ? 'ignored' : 'refused') : 'kept',
  ]),
);

/** @param where names the setting and its place: `gssencmode=require (DATABASE_URL)`. */
export function refuseDemand(where: string, hint: string): never {
  throw new AisecError('CONFIG_INVALID', `${where} asks for what aisec cannot do`, { hint });
}

/**
 * The field that a parameter of libpq fills; undefined: it asks for nothing.
 *
 * @param source where it stands, for messages
 * @throws AisecError CONFIG_INVALID for one that asks for what aisec does not do: a demand dropped without a word is a hole.
 */
export function fieldOf(name: string, value: string, source: string): keyof ServerConnection | undefined {
  if (IGNORED.has(name)) return undefined;
  const harmless = NOT_DONE[name];
  if (harmless === undefined) return CONNECTION_FIELDS[name];
  if (value === '' || harmless.includes(value)) return undefined;
  return refuseDemand(`the connection parameter ${name} in ${source}`, `Leave ${name} out for aisec.`);
}

export function isParameter(name: string): boolean {
  return KNOWN.includes(name);
}

/** A known name like an unknown one. */
export function parameterLike(name: string): string | undefined {
  return didYouMean(name, Object.keys(CONNECTION_FIELDS));
}

/** What libpq's variables say. @throws AisecError as `fieldOf` does. */
export function fromVariables(environment: Readonly<Record<string, string | undefined>>): ServerConnection {
  const connection: Record<string, string> = {};
  for (const [variable, name] of Object.entries(VARIABLES)) {
    const value = environment[variable];
    const field = value === undefined ? undefined : fieldOf(name, value, variable);
    if (field !== undefined && value !== undefined) connection[field] = value;
  }
  const service = environment['PGSERVICE'];
  return service === undefined ? connection : { ...connection, service };
}
