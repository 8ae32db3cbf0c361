import { AisecError } from '../../base/errors.js';
import { fieldOf, isParameter, parameterLike } from './connection-parameters.js';
import type { ServerConnection } from './server-connection.js';

type Field = keyof ServerConnection;

const EXAMPLE = 'Write it as postgres://user@host:5432/database; the password may come from ~/.pgpass or PGPASSWORD.';
const NOT_ENCODED =
  'It cannot be read as a URL. In a user name or password, @ is written %40, / is %2F, ? is %3F, : is %3A and % is %25.';

function invalid(source: string, detail: string): AisecError {
  return new AisecError('CONFIG_INVALID', `invalid database URL in ${source}`, { detail, hint: EXAMPLE });
}

/** As libpq decodes: percent signs only, a plus stays a plus. */
function decode(text: string, source: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes('\0')) return decoded;
  } catch {
    // Falls through to the same error.
  }
  throw invalid(source, NOT_ENCODED);
}

interface HostAndPort {
  readonly host: string;
  readonly port: string;
}

function parseHost(text: string, source: string): HostAndPort {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined) return { host, port };
  throw invalid(source, 'Its host or port cannot be read. A port is a number; an IPv6 address stands in [brackets].');
}

/** Of several servers the lists of hosts and of ports; a port that is left out is an empty entry. */
function parseHosts(text: string, source: string): HostAndPort {
  const hosts = text.split(',').map((each) => parseHost(each, source));
  return { host: hosts.map(({ host }) => host).join(','), port: hosts.map(({ port }) => port).join(',') };
}

function* parseParameters(query: string, source: string): Generator<readonly [Field, string]> {
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [key = '', value, ...rest] = pair.split('=');
    const name = decode(key, source);
    if (value === undefined || rest.length > 0) throw invalid(source, `The parameter "${name}" has no single value.`);
    if (name === 'ssl' && value === 'true') {
      yield ['sslMode', 'require'];
      continue;
    }
    if (name !== 'service' && !isParameter(name)) {
      const near = parameterLike(name);
      throw invalid(source, `Unknown parameter "${name}".${near === undefined ? '' : ` Did you mean "${near}"?`}`);
    }
    const text = decode(value, source);
    const field = name === 'service' ? 'service' : fieldOf(name, text, source);
    if (field !== undefined) yield [field, text];
  }
}

/**
 * The parts of a `postgres://` URL, as libpq reads them.
 * https://www.postgresql.org/docs/16/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 *
 * @throws AisecError CONFIG_INVALID; the URL itself is never repeated, since it may hold a password.
 */
export function parseConnectionUrl(url: string, source: string): ServerConnection {
  const rest = /^postgres(?:ql)?:\/\/(.*)$/s.exec(url)?.[1];
  if (rest === undefined) throw invalid(source, 'It does not start with postgres:// or postgresql://.');
  const [, userInfo = '', hostInfo = '', path = '', query = ''] =
    /^(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  // A second @ comes from a password that was not encoded; what follows must not end up in a message.
  if (/\s/.test(rest) || `${hostInfo}${path}${query}`.includes('@')) throw invalid(source, NOT_ENCODED);
  const [user = '', ...passwordParts] = userInfo.split(':');
  const { host, port } = parseHosts(hostInfo, source);
  const fields: readonly (readonly [Field, string])[] = [
    ['host', decode(host, source)],
    ['port', port],
    ['user', decode(user, source)],
    ['password', decode(passwordParts.join(':'), source)],
    ['database', decode(path, source)],
    ...parseParameters(query, source),
  ];
  return Object.fromEntries(fields.filter(([, value]) => value !== ''));
}

/** @throws AisecError CONFIG_INVALID for one that cannot be read or carries a password. */
export function parseUrlOfFlag(url: string, flag: string, instead: string): ServerConnection {
  const connection = parseConnectionUrl(url, flag);
  if (connection.password === undefined) return connection;
  throw new AisecError('CONFIG_INVALID', `${flag} carries a password, which every user of this machine could read`, {
    hint: `Leave it out of the flag: use ${instead}.`,
  });
}

/** @throws AisecError CONFIG_INVALID for one that cannot be read or carries a password. */
export function parseReplicaUrl(url: string): ServerConnection {
  return parseUrlOfFlag(url, '--replica', '~/.pgpass, PGPASSWORD or the password of the server itself');
}
