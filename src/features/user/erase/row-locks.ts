import { retryForLocks, type LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { blockedBy } from '../../../adapters/postgres/locks/blocker.js';
import { Observer } from '../../../adapters/postgres/locks/observer.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../../base/errors.js';

/** Who waits; as in `Erasure`. */
interface Waiting {
  readonly session: Session;
  readonly budget: LockBudget;
  readonly onProgress: (text: string) => void;
  readonly onBatch: (rows: number) => void;
}

/** A statement has locked rows of its batch while it waits for the next one: with its work, that is less than 50 ms. */
const LOCK_TIMEOUT_MS = 25;

/** Runs the callback with statements that give up at once where another session has the row, and sets back what was before. */
export async function withShortWaits<Result>(session: Session, run: () => Promise<Result>): Promise<Result> {
  const { rows } = await session.query<{ before: string }>(
    `select pg_catalog.current_setting('lock_timeout') as before,
       pg_catalog.set_config('lock_timeout', $1, false)`,
    [String(LOCK_TIMEOUT_MS)],
  );
  try {
    return await run();
  } finally {
    if (!session.isLost) await session.cleanUp(`set lock_timeout = '${rows[0]?.before ?? '0'}'`);
  }
}

/**
 * Runs a statement until it gets its rows, and waits in between without a lock of its own.
 *
 * @throws AisecError LOCK_TIMEOUT, naming who has the rows where that was seen, when the budget is spent; what `onBatch` throws.
 */
export async function retryForRows<Result>(waiting: Waiting, run: () => Promise<Result>): Promise<Result> {
  const { session, budget, onProgress, onBatch } = waiting;
  const observer = new Observer(session, LOCK_TIMEOUT_MS, onProgress);
  try {
    return await retryForLocks(
      {
        budget,
        signal: session.signal,
        onRetry: () => {
          onProgress('waiting for rows that another session has locked');
          onBatch(0);
        },
      },
      (attempt) => (attempt === 1 ? run() : observer.during(run)),
    );
  } catch (error) {
    if (!isAisecError(error, 'LOCK_TIMEOUT')) throw error;
    throw new AisecError('LOCK_TIMEOUT', 'rows of the person are locked by another session', {
      // Each attempt is short, so that a busy server may not have shown who it was.
      detail: observer.blockers.length === 0 ? undefined : blockedBy(observer.blockers),
      hint: 'Run it again when that session is done: it continues. Or give a longer --max-wait.',
      cause: error,
    });
  } finally {
    await observer.close();
  }
}
