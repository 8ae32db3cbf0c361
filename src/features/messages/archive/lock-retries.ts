import type { Session } from '../../../adapters/postgres/session.js';
import { isAisecError } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';

const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;

export interface RetryOptions {
  /** No further attempt begins after this time, none of the SQL functions' own either. */
  readonly maxWaitMs: number;
  readonly onRetry: (reason: string) => void;
}

/**
 * Runs `tryOnce` until it gets its locks. It must leave no transaction open when it throws. Between attempts it waits
 * with jitter and without any lock, so that whoever queued behind an attempt gets through.
 *
 * @throws AisecError LOCK_TIMEOUT, the last one, naming who held the lock.
 */
export async function withLockRetries<Result>(
  session: Session,
  { maxWaitMs, onRetry }: RetryOptions,
  tryOnce: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const startedMs = performance.now();
  // The functions of the schema try up to 30 times by themselves, about 7 s; this tells them when to give up.
  await session.query(
    `select pg_catalog.set_config('aisec.lock_deadline_ms', (extract(epoch from pg_catalog.clock_timestamp()) * 1000 + $1)::text, false)`,
    [maxWaitMs],
  );
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryOnce(attempt);
    } catch (error) {
      const pauseMs = Math.min(PAUSE_MS * attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random());
      if (!isAisecError(error, 'LOCK_TIMEOUT') || performance.now() - startedMs + pauseMs >= maxWaitMs) throw error;
      onRetry(error.detail ?? error.message);
      await sleep(pauseMs, session.signal);
    }
  }
}

/** How long a statement may wait for a row or a table: less than deadlock_timeout, so that nobody else is chosen as its victim. */
export function politeLockTimeoutMs(deadlockTimeoutMs: number): number {
  return Math.max(10, Math.min(400, Math.floor(deadlockTimeoutMs * 0.4)));
}
