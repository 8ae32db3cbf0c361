import { Redis } from 'ioredis';
import pg from 'pg';

/**
 * Says what answers at a PostgreSQL address. Throws when nothing does, or when it cannot serve the tests:
 * older than 16, no pgvector (unless AISEC_TEST_WITHOUT_PGVECTOR says that only what needs none is run), not a superuser.
 */
export async function probePostgres(url: string, from: string): Promise<string> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 60_000,
    application_name: 'test probe',
  });
  try {
    await client.connect();
    const { rows } = await client.query(`
      select current_setting('server_version') as version,
             current_setting('server_version_num')::int as number,
             current_setting('is_superuser') = 'on' as superuser,
             (select default_version from pg_available_extensions where name = 'vector') as vector`);
    const { version, number, superuser, vector } = rows[0];
    if (number < 160000) throw new Error(`it is PostgreSQL ${version}, the tests need 16 or newer`);
    if (vector === null && process.env['AISEC_TEST_WITHOUT_PGVECTOR'] !== 'yes')
      throw new Error('the extension pgvector is not installed there');
    if (!superuser) throw new Error('the tests need a superuser there');
    return `PostgreSQL ${String(version).split(' ')[0]} with ${vector === null ? 'no pgvector' : `pgvector ${vector}`} at ${hostOf(url)} (${from})`;
  } catch (error) {
    throw unusable('PostgreSQL', url, from, error);
  } finally {
    await client.end();
  }
}

/** Says what answers at a Redis address. Throws when nothing does. */
export async function probeRedis(url: string, from: string): Promise<string> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 60_000, retryStrategy: () => null });
  let lastError: unknown;
  redis.on('error', (error) => (lastError = error));
  try {
    await redis.connect();
    const info = await redis.info('server');
    // Valkey has both lines, the first one for clients that look for a Redis.
    const [, valkey] = /valkey_version:(\S+)/.exec(info) ?? [];
    const [, version = 'of unknown version'] = /redis_version:(\S+)/.exec(info) ?? [];
    return `${valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`} at ${hostOf(url)} (${from})`;
  } catch (error) {
    throw unusable('Redis', url, from, lastError ?? error);
  } finally {
    redis.disconnect();
  }
}

function unusable(what: string, url: string, from: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new Error(`the tests cannot use the ${what} at ${hostOf(url)} (${from}): ${reason}`, { cause: error });
}

/** Host and port only: an address may carry a password. */
function hostOf(url: string): string {
  try {
    return new URL(url).host || 'a local socket';
  } catch {
    return 'an address that is not a URL';
  }
}
