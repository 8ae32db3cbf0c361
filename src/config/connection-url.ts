import { didYouMean } from '../base/did-you-mean.js';
import { AisecError } from '../base/errors.js';
import type { ServerConnection } from './server-connection.js';

const PARAMETERS: Readonly<Record<string, keyof ServerConnection>> = {
  host: 'host',
  port: 'port',
  user: 'user',
  password: 'password',
  dbname: 'database',
  sslmode: 'sslMode',
  sslrootcert: 'sslRootCert',
  sslcert: 'sslCert',
  sslkey: 'sslKey',
  options: 'options',
  connect_timeout: 'connectTimeoutSeconds',
  service: 'service',
};
/** Understood by libpq, without a meaning here: aisec sets its own application_name. */
const IGNORED = new Set([
  'application_name',
  'client_encoding',
  'keepalives',
  'target_session_attrs',
  'channel_binding',
  'gssencmode',
]);

const EXAMPLE = 'Write it as postgres://user@host:5432/database; the password may come from ~/.pgpass or PGPASSWORD.';

function invalid(source: string, detail: string): AisecError {
  return new AisecError('CONFIG_INVALID', `invalid database URL in ${source}`, { detail, hint: EXAMPLE });
}

/**
 * The parts of a `postgres://` URL, as libpq reads them.
 * https://www.postgresql.org/docs/16/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 *
 * @throws AisecError CONFIG_INVALID; the URL itself is never repeated, since it may hold a password.
 */
export function parseConnectionUrl(url: string, source: string): ServerConnection {
  if (!/^postgres(ql)?:\/\//.test(url)) throw invalid(source, 'It does not start with postgres:// or postgresql://.');
  if (/^[^?]*\/\/[^/?]*,/.test(url)) throw invalid(source, 'It names several hosts; aisec works on one server.');
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw invalid(source, 'It cannot be read as a URL; special characters in a password must be percent-encoded.');
  }
  const connection: Record<string, string> = {};
  const put = (name: keyof ServerConnection, value: string): void => {
    if (value !== '') connection[name] = decodeURIComponent(value);
  };
  put('host', parsed.hostname.replace(/^\[(.*)\]$/, '$1'));
  put('port', parsed.port);
  put('user', parsed.username);
  put('password', parsed.password);
  put('database', parsed.pathname.slice(1));
  for (const [name, value] of parsed.searchParams) {
    if (IGNORED.has(name)) continue;
    const field = PARAMETERS[name];
    if (field === undefined) {
      const near = didYouMean(name, Object.keys(PARAMETERS));
      throw invalid(source, `Unknown parameter "${name}".${near === undefined ? '' : ` Did you mean "${near}"?`}`);
    }
    connection[field] = value;
  }
  return connection;
}
