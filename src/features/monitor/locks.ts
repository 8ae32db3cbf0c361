import { readReportHeader } from './inspection/report-header.js';
import { inReadOnly } from './inspection/read-only.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { hiddenSkip } from './inspection/skip.js';
import { lockTree, type LockNode, type LockSession } from './lock-tree.js';
import { notNegative, reportedQuery } from './session-values.js';
import type { Report } from './report.js';

export interface PreparedTransaction {
  readonly name: string;
  readonly database: string;
  readonly owner: string;
  readonly ageMs: number;
  /** Whether it is of this database, where alone it can be ended. */
  readonly isHere: boolean;
}

/** Who waits for whom on the server, now. */
export interface Locks {
  /** The blocking tree, depth first: each session once, below the first one it waits for. Empty when no session waits. */
  readonly sessions: readonly LockNode[];
  /** Sessions that wait. */
  readonly waiting: number;
  /** They keep their locks until they are ended by hand, also when no session waits now. */
  readonly preparedTransactions: readonly PreparedTransaction[];
}

export interface LocksReport extends Report, Locks {}

/**
 * Who waits for whom, by pg_blocking_pids, which also knows of those that wait in the queue before. Two queries of the
 * caller's transaction, without a lock on any table.
 */
export async function readLocks(session: Session): Promise<Locks & { readonly hidden: number }> {
  const { rows } = await session.query<LockSession & { readonly isHidden: boolean | null }>(sqlFile('monitor/locks'));
  const { rows: preparedTransactions } = await session.query<PreparedTransaction>(
    sqlFile('monitor/prepared-transactions'),
  );
  const sessions = rows.map(({ isHidden, ...row }) => ({
    ...row,
    // 0 stands for prepared transactions, which have no process.
    blockedBy: row.blockedBy.filter((pid) => pid !== 0),
    waitingMs: notNegative(row.waitingMs),
    transactionMs: notNegative(row.transactionMs),
    query: isHidden === true || row.query === null ? null : reportedQuery(row.query),
  }));
  return {
    hidden: rows.filter(({ isHidden }) => isHidden === true).length,
    sessions: lockTree(sessions),
    waiting: rows.filter(({ lock }) => lock !== null).length,
    preparedTransactions,
  };
}

/** The same as a report. */
export async function monitorLocks(session: Session, schema: string): Promise<LocksReport> {
  const header = await readReportHeader(session, schema);
  const { hidden, ...locks } = await inReadOnly(session, () => readLocks(session));
  return { ...header, skipped: hiddenSkip('sessions', hidden, header), ...locks };
}
