import type { CacheAccess } from '../features/cache/access.js';
import { AisecError } from '../base/errors.js';
import type { Config } from '../config/config.js';

/** The command that asks, with its settings. */
interface CacheUser {
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly commandName: string;
}

/**
 * Runs the callback with the configured Redis and the server whose tables it keeps.
 *
 * @throws AisecError CONFIG_INVALID without REDIS_URL, USAGE for the embedded database, REDIS_UNREACHABLE.
 */
export async function withCache<Result>(
  { config, signal, commandName }: CacheUser,
  use: (access: CacheAccess) => Promise<Result>,
): Promise<Result> {
  const [{ resolveDatabaseTarget }, { resolveRedisTarget }, { withCacheAccess }] = await Promise.all([
    import('../config/database-target.js'),
    import('../config/redis-target.js'),
    import('../features/cache/access.js'),
  ]);
  const server = resolveDatabaseTarget(config);
  if (server.kind === 'embedded')
    throw new AisecError('USAGE', 'the cache belongs to a server, and none is configured', {
      detail: 'The embedded database has one process, which needs no Redis.',
      hint: 'Set DATABASE_URL, or give --database-url.',
    });
  const redis = resolveRedisTarget(config);
  const applicationName = `aisec ${commandName}`;
  return withCacheAccess({ server, redis, schema: config.schema, applicationName, signal }, use);
}
