import { readReportHeader } from './inspection/report-header.js';
import { inReadOnly } from './inspection/read-only.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { hiddenSkip } from './hidden.js';
import { reportedQuery } from './query-text.js';
import type { Report } from './report.js';

export interface MonitoredSession {
  readonly pid: number;
  readonly database: string | null;
  readonly role: string | null;
  readonly application: string;
  readonly client: string | null;
  /** As pg_stat_activity has it; null when the role may not see it. */
  readonly state: string | null;
  readonly wait: string | null;
  /** Since the transaction began; null outside of one. */
  readonly transactionMs: number | null;
  /** How long the query runs, or the session has been as it is. */
  readonly stateMs: number | null;
  /** First 200 characters; null when the role may not see it. */
  readonly query: string | null;
  readonly blockedBy: readonly number[];
}

export interface ActivityReport extends Report {
  /** Of the whole server: client sessions beside the one that looks, and how many ordinary roles may open. */
  readonly connections: {
    readonly total: number;
    readonly usable: number;
    readonly active: number;
    readonly idle: number;
    readonly idleInTransaction: number;
    readonly blocked: number;
  };
  /** The oldest transaction first. */
  readonly sessions: readonly MonitoredSession[];
}

interface ActivityRow {
  readonly pid: number;
  readonly database_name: string | null;
  readonly role_name: string | null;
  readonly application_name: string;
  readonly client_address: string | null;
  readonly state: string | null;
  readonly wait: string | null;
  readonly transaction_ms: string | null;
  readonly state_ms: string | null;
  readonly query: string | null;
  readonly is_hidden: boolean;
  readonly blocked_by: readonly number[];
}

function sessionOf(row: ActivityRow): MonitoredSession {
  const ms = (text: string | null): number | null => (text === null ? null : Math.max(0, Number(text)));
  return {
    pid: row.pid,
    database: row.database_name,
    role: row.role_name,
    application: row.application_name,
    client: row.client_address,
    state: row.state,
    wait: row.wait,
    transactionMs: ms(row.transaction_ms),
    stateMs: ms(row.state_ms),
    query: row.is_hidden || row.query === null ? null : reportedQuery(row.query),
    blockedBy: row.blocked_by,
  };
}

/** Who is connected to the server, and what each session does. */
export async function monitorActivity(session: Session, schema: string): Promise<ActivityReport> {
  const header = await readReportHeader(session, schema);
  const { rows, usable } = await inReadOnly(session, async () => {
    const activity = await session.query<ActivityRow>(sqlFile('monitor/activity'));
    const limits = await session.query<{ usable: number }>(sqlFile('monitor/connection-limits'));
    return { rows: activity.rows, usable: limits.rows[0]?.usable ?? 0 };
  });
  const sessions = rows.map(sessionOf);
  const inState = (pattern: RegExp): number => sessions.filter(({ state }) => pattern.test(state ?? '')).length;
  return {
    ...header,
    skipped: hiddenSkip('sessions', rows.filter((row) => row.is_hidden).length, header),
    connections: {
      total: sessions.length,
      usable,
      active: inState(/^active$/),
      idle: inState(/^idle$/),
      idleInTransaction: inState(/^idle in transaction/),
      blocked: sessions.filter(({ blockedBy }) => blockedBy.length > 0).length,
    },
    sessions,
  };
}
