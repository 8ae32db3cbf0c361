import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Redis } from 'ioredis';

import type { AisecError } from '../../base/errors.js';
import type { RedisTarget } from '../../config/redis-target.js';
import { createRedisClient, readRunId, translateRedisError } from './connection.js';

/** Looks within `patienceMs`. Between two of them the process has read what there was to read. */
const LOOKS = 7;

export interface TokenStoreOptions {
  readonly target: RedisTarget;
  readonly connectionName: string;
  /** How long an answer is waited for before Redis counts as down. */
  readonly patienceMs: number;
  /** Connected; `runId` differs from the last one when the server, and so perhaps its data, is another. */
  readonly onUp: (runId: string) => void;
  /** Called once an outage. */
  readonly onDown: (error: AisecError) => void;
}

/**
 * Texts in Redis that are valid as long as a token is. A token is random and never comes twice, so dropping it makes
 * everything invalid that was stored under it, also what is stored later by a process that still holds it.
 *
 * When Redis says nothing for `patienceMs` while it is asked something, all waiting reads continue at once and none waits
 * again until it has answered: an outage costs that time once. It is measured in looks, not by the clock: in a process that
 * is busy for longer than that, what was asked just now would have waited since the last answer.
 */
export class TokenStore {
  readonly #options: TokenStoreOptions;
  #redis: Redis | undefined;
  #isUp = false;
  #isClosed = false;
  #hasToldDown = false;
  #waiting = 0;
  /** Looks since the last answer, or since something was asked. */
  #silentLooks = 0;
  #watch: NodeJS.Timeout | undefined;
  #lastError: unknown;

  constructor(options: TokenStoreOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  async start(): Promise<void> {
    const { target, connectionName } = this.#options;
    const redis = await createRedisClient(target, connectionName, true);
    this.#redis = redis;
    redis.on('error', (error) => (this.#lastError = error));
    redis.on('ready', () => void this.#greet(redis));
    redis.on('close', () => this.#down());
    if (this.#isClosed) return;
    await redis.connect().catch(() => undefined);
  }

  /**
   * Hands token and text to `use`, after one round trip; undefined: Redis is down, or went down meanwhile. `use` runs after
   * whatever an earlier `drop` has failed with was handled.
   */
  read<Result>(
    tokenKey: string,
    textKey: string,
    use: (found: readonly (string | null)[] | undefined) => Result | Promise<Result>,
  ): Promise<Result> {
    const answer = this.#send((redis) => redis.mget(tokenKey, textKey));
    // One promise instead of three: a read that finds its row costs little more than the round trip.
    return answer.then(
      (found) => {
        this.#settle();
        return use(found);
      },
      () => {
        this.#settle();
        return use(undefined);
      },
    );
  }

  /** The token that is in force once this is answered: the one there, else a new one. */
  async token(tokenKey: string, ttlMs: number): Promise<string> {
    const made = randomBytes(9).toString('base64url');
    return (await this.#ask((redis) => redis.set(tokenKey, made, 'PX', ttlMs, 'NX', 'GET'))) ?? made;
  }

  write(textKey: string, text: string, ttlMs: number): Promise<unknown> {
    return this.#ask((redis) => redis.set(textKey, text, 'PX', ttlMs));
  }

  /** That it failed is reported before the answer to any later read, which is sent over the same connection. */
  drop(tokenKeys: readonly string[]): Promise<unknown> {
    return this.#ask((redis) => redis.del(...tokenKeys));
  }

  /** Ends the connection and makes another: what was sent over this one did not arrive as it should. */
  markUnreliable(error: unknown): void {
    if (!this.#isUp) return;
    this.#lastError = error;
    this.#redis?.stream.destroy();
    this.#down();
  }

  close(): void {
    this.#isClosed = true;
    this.#isUp = false;
    clearTimeout(this.#watch);
    this.#redis?.disconnect();
  }

  async #greet(redis: Redis): Promise<void> {
    try {
      // Where INFO is not allowed, every connection counts as one to another server.
      const runId = (await readRunId(redis).catch(() => undefined)) ?? randomBytes(9).toString('base64url');
      if (redis.status !== 'ready' || this.#isClosed) return;
      this.#isUp = true;
      this.#hasToldDown = false;
      this.#options.onUp(runId);
    } catch (error) {
      this.#lastError = error;
    }
  }

  /** Fails with whatever keeps the answer away. */
  #ask<Answer>(send: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    const answer = this.#send(send);
    answer.then(this.#settle, this.#settle);
    return answer;
  }

  /** Sends in the order of the calls; `#settle` follows. */
  #send<Answer>(send: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    if (this.#waiting === 0) this.#silentLooks = 0;
    this.#waiting += 1;
    this.#watch ??= this.#nextLook();
    const redis = this.#redis;
    return redis === undefined || !this.#isUp ? Promise.reject(new Error('Redis is down')) : send(redis);
  }

  readonly #settle = (): void => {
    this.#waiting -= 1;
    this.#silentLooks = 0;
  };

  #nextLook(): NodeJS.Timeout {
    return setTimeout(() => void this.#look(), this.#options.patienceMs / LOOKS);
  }

  async #look(): Promise<void> {
    // A busy process is no reason to blame Redis: its answer may have arrived and not been read.
    await nextTurn();
    this.#watch = undefined;
    if (this.#waiting === 0 || !this.#isUp) return;
    this.#silentLooks += 1;
    if (this.#silentLooks < LOOKS) {
      this.#watch = this.#nextLook();
      return;
    }
    // Fails all that wait; then ioredis connects again.
    this.markUnreliable(new Error(`it did not answer within ${this.#options.patienceMs} ms`));
  }

  #down(): void {
    this.#isUp = false;
    if (this.#hasToldDown || this.#isClosed) return;
    this.#hasToldDown = true;
    this.#options.onDown(
      translateRedisError(this.#lastError ?? new Error('the connection was closed'), this.#options.target),
    );
  }
}
