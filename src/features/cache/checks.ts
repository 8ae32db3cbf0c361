import { readRedisFacts, type RedisFacts } from '../../adapters/redis/facts.js';
import { isAisecError, type AisecError } from '../../base/errors.js';
import type { RedisTarget } from '../../config/redis-target.js';

/** What Redis said of itself, or why it said nothing. */
export type RedisState =
  { readonly facts: RedisFacts; readonly error: null } | { readonly facts: null; readonly error: AisecError };

/** Less than ioredis waits for a silent server, so that there is one sentence for it. */
const WITHIN_MS = 1500;

/** Asks the Redis that services share as a cache how it is. Changes nothing. */
export async function readRedisState(target: RedisTarget): Promise<RedisState> {
  try {
    return { facts: await readRedisFacts(target, 'aisec-cli', WITHIN_MS), error: null };
  } catch (error) {
    if (isAisecError(error, 'REDIS_UNREACHABLE')) return { facts: null, error };
    throw error;
  }
}
