import { LockBudget, retryForLocks } from '../../adapters/postgres/locks/lock-budget.js';
import { withRollback, withTransaction, type Session } from '../../adapters/postgres/session.js';
import type { MovedTable } from './rows.js';

export interface MoveOptions {
  readonly schema: string;
  /** How long a statement may wait for a table lock. */
  readonly lockTimeoutMs: number;
  /** How long all attempts together may wait for locks. */
  readonly maxWaitMs: number;
  /** Locks the tables and counts their rows, and takes it back before anything is moved. */
  readonly isDryRun?: boolean;
}

/** A schema, moved to a worker of Citus or back. */
export interface MovedTenant {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** False where it was there already. In a dry run: whether it would be moved. */
  readonly isMoved: boolean;
  readonly tables: readonly MovedTable[];
  /** Of the worker where the tenant lies now, or lay: `host:port`; null where it is, or was, on the coordinator. */
  readonly node: string | null;
}

/** Moves in one transaction, as often as other sessions hold locks; a dry run only prepares. Returns what either returns. */
export async function moveTables(
  session: Session,
  { lockTimeoutMs, maxWaitMs, isDryRun = false }: MoveOptions,
  prepare: () => Promise<{ readonly before: readonly MovedTable[] }>,
  move: () => Promise<readonly MovedTable[]>,
): Promise<readonly MovedTable[]> {
  await session.query(`set lock_timeout = ${lockTimeoutMs}`);
  const retries = { budget: new LockBudget(maxWaitMs), signal: session.signal };
  return retryForLocks(retries, () =>
    isDryRun ? withRollback(session, async () => (await prepare()).before) : withTransaction(session, move),
  );
}
