import type { Redis } from 'ioredis';

import type { AisecError } from '../../base/errors.js';
import type { RedisTarget } from '../../config/redis-target.js';
import { createRedisClient, translateRedisError } from './connection.js';
import { factsOf, type RedisFacts } from './facts.js';

const BATCH = 500;

/** Looks at the keys of a Redis from outside, for people. */
export class RedisInspection {
  readonly #redis: Redis;
  readonly #target: RedisTarget;

  private constructor(redis: Redis, target: RedisTarget) {
    this.#redis = redis;
    this.#target = target;
  }

  /** @throws AisecError REDIS_UNREACHABLE. */
  static async open(target: RedisTarget, connectionName: string): Promise<RedisInspection> {
    const redis = await createRedisClient(target, connectionName, false);
    let cause: AisecError | undefined;
    redis.on('error', (error) => (cause ??= translateRedisError(error, target)));
    try {
      await redis.connect();
    } catch (error) {
      redis.disconnect();
      throw cause ?? translateRedisError(error, target);
    }
    return new RedisInspection(redis, target);
  }

  async facts(): Promise<RedisFacts> {
    return factsOf(await this.#asked(this.#redis.info()));
  }

  /** All keys with this beginning, in batches, without blocking the server. A key may come twice. */
  async *keysFrom(start: string): AsyncGenerator<readonly string[]> {
    let cursor = '0';
    do {
      const [next, keys] = await this.#asked(this.#redis.scan(cursor, 'MATCH', `${start}*`, 'COUNT', BATCH));
      cursor = next;
      if (keys.length > 0) yield keys;
    } while (cursor !== '0');
  }

  async texts(keys: readonly string[]): Promise<readonly (string | null)[]> {
    return keys.length === 0 ? [] : this.#asked(this.#redis.mget(...keys));
  }

  /** How many there were. */
  async remove(keys: readonly string[]): Promise<number> {
    return keys.length === 0 ? 0 : this.#asked(this.#redis.unlink(...keys));
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      throw translateRedisError(error, this.#target);
    }
  }
}
