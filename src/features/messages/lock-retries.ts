import { isPassingProblem } from '../../adapters/postgres/error.js';
import type { Session } from '../../adapters/postgres/session.js';
import { isAisecError } from '../../base/errors.js';
import { sleep } from '../../base/interruption.js';

const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;

/** What a command may spend on waiting for locks in all: one for the whole run, not for each month. */
export class LockBudget {
  #leftMs: number;

  constructor(maxWaitMs: number) {
    this.#leftMs = maxWaitMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#leftMs);
  }

  spend(ms: number): void {
    this.#leftMs -= ms;
  }
}

export interface RetryOptions {
  /** No further attempt begins when it is spent, none of the SQL functions' own either; the first one always does. */
  readonly budget: LockBudget;
  readonly onRetry: (reason: string) => void;
}

/**
 * Runs `tryOnce` until it gets its locks. It must leave no transaction open when it throws. Between attempts it waits
 * with jitter and without any lock, so that the sessions queued behind an attempt continue.
 *
 * @throws AisecError LOCK_TIMEOUT, the last one, naming who held the lock.
 */
export async function withLockRetries<Result>(
  session: Session,
  { budget, onRetry }: RetryOptions,
  tryOnce: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const startedMs = performance.now();
  const { leftMs } = budget;
  // The functions of the schema try up to 30 times by themselves, about 7 s; this is when they stop.
  await session.query(
    `select pg_catalog.set_config('aisec.lock_deadline_ms', (extract(epoch from pg_catalog.clock_timestamp()) * 1000 + $1)::text, false)`,
    [leftMs],
  );
  for (let attempt = 1; ; attempt += 1) {
    const attemptMs = performance.now();
    try {
      const result = await tryOnce(attempt);
      budget.spend(attemptMs - startedMs);
      return result;
    } catch (error) {
      const pauseMs = Math.min(PAUSE_MS * attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random());
      const spentMs = performance.now() - startedMs;
      if (!isAisecError(error) || !(error.code === 'LOCK_TIMEOUT' || isPassingProblem(error.sqlState))) throw error;
      if (spentMs + pauseMs >= leftMs) {
        budget.spend(spentMs);
        throw error;
      }
      onRetry(error.detail ?? error.message);
      await sleep(pauseMs, session.signal);
    }
  }
}

/** How long a statement may wait for a row or a table: less than deadlock_timeout, so that no other session is chosen as its victim. */
export function lockTimeoutBelowDeadlockMs(deadlockTimeoutMs: number): number {
  return Math.max(10, Math.min(400, Math.floor(deadlockTimeoutMs * 0.4)));
}
