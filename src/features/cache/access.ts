import { setTimeout as sleep } from 'node:timers/promises';

import { AisecError } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import type { ServerTarget } from '../../config/database-target.js';
import { describeRedis, type RedisTarget } from '../../config/redis-target.js';
import { Listener } from '../../adapters/postgres/listener.js';
import { RedisInspection } from '../../adapters/redis/inspection.js';
import { TokenStore } from '../../adapters/redis/token-store.js';
import { Membership } from './protocol/membership.js';
import { parseMessage } from './protocol/message.js';

export interface AccessOptions {
  readonly server: ServerTarget;
  readonly redis: RedisTarget;
  readonly schema: string;
  readonly applicationName: string;
  readonly signal: AbortSignal;
}

/** The cache as one of those sees it who share it. */
export interface CacheAccess {
  /** `Redis at host:6379`. */
  readonly redis: string;
  readonly inspection: RedisInspection;
  readonly store: TokenStore;
  readonly membership: Membership;
  readonly listener: Listener;
  /**
   * What the keys of entries begin with. Without others who share the cache it is undefined, or with `declares` that of a
   * new epoch.
   *
   * @throws AisecError REDIS_UNREACHABLE, CACHE_UNAVAILABLE, DATABASE_*, CONNECTION_LOST, INTERRUPTED.
   */
  readonly join: (declares: boolean) => Promise<string | undefined>;
}

const STEP_MS = 10;
const PATIENCE_MS = 5000;
/** A command waits longer than a read of a service does. */
const ANSWER_WITHIN_MS = 1000;
/** Longer than a member takes to answer, and a newcomer to declare an epoch. */
const JOIN_WITHIN_MS = 700;

/** A service connects again by itself; a command ends. */
function ofCommand(error: AisecError): AisecError {
  if (error.code !== 'CONNECTION_LOST') return error;
  const { message, detail, cause } = error;
  return new AisecError('CONNECTION_LOST', message, { detail, hint: 'Run the command again.', cause });
}

/** Runs the callback with access to the cache, and closes it whatever happens. @throws AisecError as `join` does. */
export async function withCacheAccess<Result>(
  options: AccessOptions,
  use: (access: CacheAccess) => Promise<Result>,
): Promise<Result> {
  const { server, redis, schema, applicationName, signal } = options;
  const inspection = await RedisInspection.open(redis, 'aisec-cli');
  let problem: AisecError | undefined;
  const onDown = (error: AisecError): void => {
    problem = error;
  };
  let membership: Membership | undefined;
  const listener: Listener = new Listener({
    target: server,
    applicationName,
    schema,
    aliveForMs: PATIENCE_MS,
    onUp: (stamp) => membership?.listenerUp(stamp),
    onDown: (error) => {
      membership?.listenerDown();
      onDown(ofCommand(error));
    },
    onMessage: (text) => {
      const message = parseMessage(text);
      if (message !== undefined) membership?.hear(message);
    },
  });
  const store: TokenStore = new TokenStore({
    target: redis,
    connectionName: 'aisec-cli',
    patienceMs: ANSWER_WITHIN_MS,
    onUp: (runId) => membership?.storeUp(runId),
    onDown,
  });
  const member = new Membership(listener, store);

  const join = async (declares: boolean): Promise<string | undefined> => {
    if (!declares) member.onlyJoins();
    membership = member;
    void store.start();
    listener.start();
    let waitedMs = 0;
    for (const startMs = performance.now(); waitedMs < PATIENCE_MS; waitedMs = performance.now() - startMs) {
      if (signal.aborted) throw interruptionError(signal);
      if (member.prefix !== undefined) return member.prefix;
      if (problem !== undefined) throw problem;
      const isConnected = store.isUp && listener.isUp;
      if (!declares && isConnected && waitedMs > JOIN_WITHIN_MS) return undefined;
      await sleep(STEP_MS);
    }
    throw problem ?? new Error('the cache could not be joined within 5 s');
  };

  try {
    return await use({ redis: describeRedis(redis), inspection, store, membership: member, listener, join });
  } finally {
    member.close();
    store.close();
    inspection.close();
    await listener.close();
  }
}
