import type { Session } from '../../../../adapters/postgres/session.js';
import { AisecError } from '../../../../base/errors.js';
import { nextJournalId, readJournalRow, serverTime, type SwapEntry } from '../journal.js';
import { inShortTransaction, type RetryOptions } from '../../lock-retries.js';

export interface SwapResult {
  /** The partition's new name. */
  readonly partition: string;
  readonly attempts: number;
  /** From the first attempt to the end of the move. */
  readonly lockWaitMs: number;
}

export type Swap = Omit<SwapEntry, 'id' | 'startedAt' | 'attempts'>;

/**
 * Moves the partition of one month to the other table in one transaction, with its row of the journal. `statements`
 * makes both; they are sent together with COMMIT, so that no lock is held over a round trip to the client.
 *
 * @throws AisecError LOCK_TIMEOUT naming the holder; DATABASE_FAILED with the reason of the SQL function.
 */
export async function swapMonth(
  session: Session,
  swap: Swap,
  retries: RetryOptions,
  statements: (entry: SwapEntry) => readonly string[],
): Promise<SwapResult> {
  const id = await nextJournalId(session);
  const startedAt = await serverTime(session);
  let attempts = 0;
  await inShortTransaction(session, retries, (attempt) => {
    attempts = attempt;
    return statements({ ...swap, id, startedAt, attempts });
  });
  const row = await readJournalRow(session, id);
  if (row === undefined) throw new AisecError('INTERNAL', 'the journal lacks the row of a move that was committed');
  return { partition: row.partition_name, attempts, lockWaitMs: row.lock_wait_ms ?? 0 };
}
