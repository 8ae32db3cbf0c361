import { AisecError } from '../../base/errors.js';
import { unlessSilent } from '../../base/interruption.js';
import { describeRedis, type RedisTarget } from '../../config/redis-target.js';
import { createRedisClient, translateRedisError } from './connection.js';

export interface RedisFacts {
  /** `7.0.15`; `unknown` when it does not report it. */
  readonly version: string;
  /** `8.1.9`; null for a Redis, which Valkey calls itself, too. */
  readonly valkeyVersion: string | null;
  readonly usedMemoryBytes: number;
  /** 0: no limit of its own. */
  readonly maxMemoryBytes: number;
  /** What it does at the limit: `noeviction`, `allkeys-lru`, ... */
  readonly evictionPolicy: string;
  readonly isReplica: boolean;
  /** The last attempt to write its data to disk failed. */
  readonly hasFailedToSave: boolean;
}

/** What INFO says: https://redis.io/docs/latest/commands/info/ */
export function factsOf(text: string): RedisFacts {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1];
  return {
    version: field('redis_version') ?? 'unknown',
    valkeyVersion: field('valkey_version') ?? null,
    usedMemoryBytes: Number(field('used_memory') ?? 0),
    maxMemoryBytes: Number(field('maxmemory') ?? 0),
    evictionPolicy: field('maxmemory_policy') ?? 'unknown',
    isReplica: field('role') === 'slave',
    hasFailedToSave: field('rdb_last_bgsave_status') === 'err' || field('aof_last_write_status') === 'err',
  };
}

/**
 * Connects, asks and closes, within that time altogether: a paused server takes the connection and says nothing.
 *
 * @throws AisecError REDIS_UNREACHABLE.
 */
export async function readRedisFacts(
  target: RedisTarget,
  connectionName: string,
  withinMs: number,
): Promise<RedisFacts> {
  const redis = await createRedisClient(target, connectionName, false);
  let cause: unknown;
  redis.on('error', (error) => (cause ??= error));
  const giveUp = (): never => {
    throw new AisecError('REDIS_UNREACHABLE', `${describeRedis(target)} did not answer within ${withinMs} ms`, {
      detail: 'It may be paused, or busy with one long command.',
      hint: `Check that Redis runs and that ${target.source} names it correctly.`,
    });
  };
  try {
    const info = redis.connect().then(() => redis.info());
    return factsOf(await unlessSilent(withinMs, info, giveUp));
  } catch (error) {
    throw translateRedisError(error instanceof AisecError ? error : (cause ?? error), target);
  } finally {
    redis.disconnect();
    // QUIT waits for the other side, which may be what does not answer.
    (redis.stream as typeof redis.stream | undefined)?.destroy();
  }
}
