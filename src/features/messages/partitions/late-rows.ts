import type { Session } from '../../../adapters/postgres/session.js';
import { monthEndMs, type Month } from '../../../base/month.js';
import type { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { lockTimeoutBelowDeadlockMs } from '../lock-retries.js';
import { moveRows } from '../archive/move-rows.js';
import { qualifiedName, type Partition } from '../partition.js';

const ROWS_A_BATCH = 2000;

export interface LateRowsRequest {
  readonly source: Partition;
  /** In the archive. */
  readonly months: readonly Month[];
  readonly budget: LockBudget;
  readonly onProgress: (text: string) => void;
}

/**
 * Moves rows of archived months from the default partition to the archive, in small committed batches; returns how many of
 * each month.
 *
 * @throws AisecError LOCK_TIMEOUT, CONNECTION_LOST, INTERRUPTED, TERMINATED; what was moved stays moved.
 */
export async function moveLateRows(
  session: Session,
  { source, months, budget, onProgress }: LateRowsRequest,
): Promise<ReadonlyMap<Month, number>> {
  const { rows } = await session.query<{ ms: number }>(
    `select setting::float8 as ms from pg_catalog.pg_settings where name = 'deadlock_timeout'`,
  );
  const moved = new Map<Month, number>();
  for (const month of months) {
    const { movedRows } = await moveRows(session, {
      month,
      sources: [qualifiedName(source)],
      beforeMs: monthEndMs(month),
      cutoffMs: monthEndMs(month),
      batchRows: ROWS_A_BATCH,
      deadlineMs: Number.POSITIVE_INFINITY,
      lockTimeoutMs: lockTimeoutBelowDeadlockMs(rows[0]?.ms ?? 1000),
      onMoved: (count) => onProgress(`moving ${count} late rows of ${month} to the archive`),
      retries: { budget, onRetry: (reason) => onProgress(`waiting for a lock: ${reason}`) },
    });
    moved.set(month, movedRows);
  }
  return moved;
}
