import { readReportHeader } from './inspection/report-header.js';
import { inReadOnly } from './inspection/read-only.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { hiddenSkip } from './hidden.js';
import { lockTree, type LockNode } from './lock-tree.js';
import { reportedQuery } from './query-text.js';
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

interface LockRow {
  readonly pid: number;
  readonly blocked_by: readonly number[];
  readonly prepared_transactions: readonly string[];
  readonly waiting_ms: string | null;
  readonly lock: string | null;
  readonly database_name: string | null;
  readonly role_name: string | null;
  readonly application_name: string | null;
  readonly state: string | null;
  readonly transaction_ms: string | null;
  readonly query: string | null;
  readonly is_hidden: boolean | null;
}

interface PreparedRow {
  readonly gid: string;
  readonly database_name: string;
  readonly is_here: boolean;
  readonly owner: string;
  readonly age_ms: string;
}

/**
 * Who waits for whom, by pg_blocking_pids, which also knows of those that wait in the queue before. Two queries of the
 * caller's transaction, without a lock on any table.
 */
export async function readLocks(session: Session): Promise<Locks & { readonly hidden: number }> {
  const { rows } = await session.query<LockRow>(sqlFile('monitor/locks'));
  const { rows: prepared } = await session.query<PreparedRow>(sqlFile('monitor/prepared-transactions'));
  const ms = (text: string | null): number | null => (text === null ? null : Math.max(0, Number(text)));
  const nodes = rows.map((row) => ({
    pid: row.pid,
    // 0 stands for prepared transactions, which have no process.
    blockedBy: row.blocked_by.filter((pid) => pid !== 0),
    blockedByPrepared: row.prepared_transactions,
    waitingMs: ms(row.waiting_ms),
    lock: row.lock,
    database: row.database_name,
    role: row.role_name,
    application: row.application_name,
    state: row.state,
    transactionMs: ms(row.transaction_ms),
    query: row.is_hidden === true || row.query === null ? null : reportedQuery(row.query),
  }));
  return {
    hidden: rows.filter(({ is_hidden: isHidden }) => isHidden === true).length,
    sessions: lockTree(nodes),
    waiting: rows.filter(({ lock }) => lock !== null).length,
    preparedTransactions: prepared.map((row) => ({
      name: row.gid,
      database: row.database_name,
      owner: row.owner,
      ageMs: Number(row.age_ms),
      isHere: row.is_here,
    })),
  };
}

/** The same as a report. */
export async function monitorLocks(session: Session, schema: string): Promise<LocksReport> {
  const header = await readReportHeader(session, schema);
  const { hidden, ...locks } = await inReadOnly(session, () => readLocks(session));
  return { ...header, skipped: hiddenSkip('sessions', hidden, header), ...locks };
}
