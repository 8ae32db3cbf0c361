import { AisecError } from '../base/errors.js';
import type { Config } from './config.js';
import { processEnvironment, withoutEmpty } from './environment.js';
import { SETTINGS } from './settings.js';

export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Number of the database, 0 to 15 unless the server has more. */
  readonly database: number;
  readonly isTls: boolean;
  /** Where the address came from, for messages. */
  readonly source: string;
}

const EXAMPLE =
  'Write it as redis://host:6379/0, or rediss:// with TLS; a user and password as redis://user:password@host.';

function invalid(source: string, detail: string): AisecError {
  return new AisecError('CONFIG_INVALID', `invalid Redis URL in ${source}`, { detail, hint: EXAMPLE });
}

function decoded(text: string, source: string): string | undefined {
  try {
    return text === '' ? undefined : decodeURIComponent(text);
  } catch {
    throw invalid(source, 'Its user name or password is not percent-encoded.');
  }
}

/**
 * The parts of a `redis://` or `rediss://` URL (https://www.iana.org/assignments/uri-schemes/prov/redis).
 *
 * @throws AisecError CONFIG_INVALID; the URL itself is never repeated, since it may hold a password.
 */
function parseRedisUrl(text: string, source: string): RedisTarget {
  if (!/^rediss?:\/\//.test(text)) throw invalid(source, 'It does not start with redis:// or rediss://.');
  if (!URL.canParse(text)) throw invalid(source, 'It cannot be read as a URL.');
  const url = new URL(text);
  const database = url.pathname.replace(/^\//, '');
  if (url.hostname === '') throw invalid(source, 'It names no host.');
  if (!/^\d{0,5}$/.test(database)) throw invalid(source, 'The part after the host is not a database number.');
  if (url.search !== '' || url.hash !== '') throw invalid(source, 'It has parameters; aisec knows none.');
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: Number(url.port === '' ? '6379' : url.port),
    username: decoded(url.username, source),
    password: decoded(url.password, source),
    database: Number(database),
    isTls: url.protocol === 'rediss:',
    source,
  };
}

/** `Redis at host:6379`: how messages name it. */
export function describeRedis({ host, port, database }: RedisTarget): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return `Redis at ${address}${database === 0 ? '' : `, database ${database}`}`;
}

/** The Redis of a service: a URL, else REDIS_URL, else undefined. @throws AisecError CONFIG_INVALID. */
export function resolveServiceRedis(url: string | undefined): RedisTarget | undefined {
  if (url !== undefined) return parseRedisUrl(url, 'the redisUrl option');
  const value = withoutEmpty(processEnvironment())[SETTINGS.redisUrl.env];
  return value === undefined ? undefined : parseRedisUrl(value, SETTINGS.redisUrl.env);
}

/** The Redis of the command line; undefined without REDIS_URL. @throws AisecError CONFIG_INVALID when it cannot be read. */
export function findRedisTarget({ environment }: Config): RedisTarget | undefined {
  const value = environment[SETTINGS.redisUrl.env];
  return value === undefined ? undefined : parseRedisUrl(value, SETTINGS.redisUrl.env);
}

/** The same for what cannot do without. @throws AisecError CONFIG_INVALID when there is none, too. */
export function resolveRedisTarget(config: Config): RedisTarget {
  const target = findRedisTarget(config);
  if (target !== undefined) return target;
  throw new AisecError('CONFIG_INVALID', 'no Redis is configured', {
    detail: 'Without REDIS_URL the cache of a service lives in its own process, and there is nothing to look at.',
    hint: 'Set REDIS_URL to the address that the services have.',
  });
}
