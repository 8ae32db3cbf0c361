import type { Redis, RedisOptions } from 'ioredis';

import { AisecError, messageOf } from '../../base/errors.js';
import { afterSilence } from '../../base/interruption.js';
import { redactText } from '../../base/redact.js';
import { describeRedis, type RedisTarget } from '../../config/redis-target.js';

const LONGEST_RETRY_MS = 2000;
/** A connection that is not made, or says nothing at all, for so long is made again. */
const LONGEST_SILENCE_MS = 2000;
const LONGEST_COMMAND_MS = 10_000;

/**
 * Fails at once instead of queueing: ioredis's own defaults let one GET hang for 15 seconds while Redis is down. A
 * password is handed over as an option, so that no address with one is ever in an error.
 */
function optionsFor(
  target: RedisTarget,
  connectionName: string,
  isPersistent: boolean,
): Omit<RedisOptions, 'replyMapping'> {
  return {
    host: target.host,
    port: target.port,
    db: target.database,
    connectionName,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: LONGEST_SILENCE_MS,
    retryStrategy: isPersistent
      ? (times) => Math.min(LONGEST_RETRY_MS, 25 * 2 ** Math.min(times, 10)) * (0.5 + Math.random())
      : () => null,
    // A service has its own watch (token-store.ts); here a timer for every command would cost as much as the command.
    ...(!isPersistent && { commandTimeout: LONGEST_COMMAND_MS }),
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
    ...(target.isTls && { tls: {} }),
  };
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there.',
  ECONNRESET: 'The other side closed the connection.',
  ENOTFOUND: 'The host name is not known.',
  EAI_AGAIN: 'The host name could not be looked up.',
  ETIMEDOUT: 'The host does not answer.',
  EHOSTUNREACH: 'There is no route to the host.',
};

/** One error for each way in which Redis can fail to answer. */
export function translateRedisError(error: unknown, target: RedisTarget): AisecError {
  if (error instanceof AisecError) return error;
  const message = redactText(messageOf(error));
  const where = describeRedis(target);
  if (/NOAUTH|WRONGPASS|NOPERM|invalid (username|password)|AUTH/i.test(message))
    return new AisecError('REDIS_UNREACHABLE', `${where} refused the login`, {
      detail: `It says: ${message}.`,
      hint: `Check the user name and password in ${target.source}.`,
      cause: error,
    });
  const { code } = error as { code?: string };
  return new AisecError('REDIS_UNREACHABLE', `could not reach ${where}`, {
    detail: REASONS[code ?? ''] ?? `${message.replace(/\.$/, '')}.`,
    hint: `Check that Redis runs and that ${target.source} names it correctly.`,
    cause: error,
  });
}

/** A client that is not connected yet; the package is loaded only here. `isPersistent`: it connects again by itself. */
export async function createRedisClient(
  target: RedisTarget,
  connectionName: string,
  isPersistent: boolean,
): Promise<Redis> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(optionsFor(target, connectionName, isPersistent));
  // A paused server takes a connection and says nothing, which ioredis would wait for without an end.
  redis.on('connect', () => {
    const stop = afterSilence(LONGEST_SILENCE_MS, () => redis.stream.destroy());
    redis.once('ready', stop).once('close', stop);
  });
  return redis;
}

/** What distinguishes one life of a Redis server from the next: data of another life may be older. Undefined: it does not say. */
export async function readRunId(redis: Redis): Promise<string | undefined> {
  return /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1];
}
