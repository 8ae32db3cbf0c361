import { RedisInspection } from '../../adapters/redis/inspection.js';
import { describeRedis, type RedisTarget } from '../../config/redis-target.js';
import type { CacheAccess } from './access.js';
import { KEY_START } from './protocol/keys.js';

export interface ForgetResult {
  readonly redis: string;
  /** Keys that were removed from Redis. */
  readonly keys: number;
}

/** Removes the entries of one user from Redis; services have forgotten theirs when the rows were deleted. */
export async function forgetUser(
  access: Pick<CacheAccess, 'redis' | 'inspection'>,
  userId: string,
): Promise<ForgetResult> {
  let removed = 0;
  for await (const keys of access.inspection.keysFrom(KEY_START)) {
    const own = keys.filter((key) => key.includes(userId));
    if (own.length > 0) removed += await access.inspection.remove(own);
  }
  return { redis: access.redis, keys: removed };
}

/** The same without being one of those who share the cache. @throws AisecError REDIS_UNREACHABLE. */
export async function forgetUserAt(redis: RedisTarget, userId: string): Promise<ForgetResult> {
  const inspection = await RedisInspection.open(redis, 'aisec');
  try {
    return await forgetUser({ redis: describeRedis(redis), inspection }, userId);
  } finally {
    inspection.close();
  }
}
