import { isPassingProblem } from '../../adapters/postgres/error.js';
import { retryForLocks, type LockBudget } from '../../adapters/postgres/locks/lock-budget.js';
import { rollBack, type Session } from '../../adapters/postgres/session.js';

export interface RetryOptions {
  /** It bounds the attempts of the SQL functions, too. */
  readonly budget: LockBudget;
  readonly onRetry: (reason: string) => void;
}

/**
 * Runs `tryOnce` until it gets its locks, and again after a deadlock or a serialization failure.
 *
 * @throws AisecError LOCK_TIMEOUT, the last one, naming who held the lock.
 */
export async function withLockRetries<Result>(
  session: Session,
  { budget, onRetry }: RetryOptions,
  tryOnce: (attempt: number) => Promise<Result>,
): Promise<Result> {
  // The functions of the schema try up to 30 times by themselves, about 7 s; this is when they stop.
  await session.query(
    `select pg_catalog.set_config('aisec.lock_deadline_ms', (extract(epoch from pg_catalog.clock_timestamp()) * 1000 + $1)::text, false)`,
    [budget.leftMs],
  );
  const retries = {
    budget,
    signal: session.signal,
    onRetry: (error: { readonly detail?: string | undefined; readonly message: string }) =>
      onRetry(error.detail ?? error.message),
    isWorthRetrying: ({ sqlState }: { readonly sqlState?: string | undefined }) => isPassingProblem(sqlState),
  };
  return retryForLocks(retries, tryOnce);
}

/** The statements as one transaction, in one round trip. @throws AisecError as `withLockRetries`. */
export async function inShortTransaction(
  session: Session,
  retries: RetryOptions,
  statements: readonly string[] | ((attempt: number) => readonly string[]),
): Promise<void> {
  await withLockRetries(session, retries, async (attempt) => {
    const texts = typeof statements === 'function' ? statements(attempt) : statements;
    try {
      await session.query(['begin', ...texts, 'commit'].join(';\n'));
    } catch (error) {
      await rollBack(session);
      throw error;
    }
  });
}

/** How long a statement may wait for a row or a table: less than deadlock_timeout, so that no other session is chosen as its victim. */
export function lockTimeoutBelowDeadlockMs(deadlockTimeoutMs: number): number {
  return Math.max(10, Math.min(400, Math.floor(deadlockTimeoutMs * 0.4)));
}
