import { readReportHeader } from './inspection/report-header.js';
import { inReadOnly } from './inspection/read-only.js';
import { hiddenSkip } from './inspection/skip.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { notNegative, reportedQuery } from './session-values.js';
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

interface ActivityRow extends MonitoredSession {
  readonly isHidden: boolean;
}

function sessionOf({ isHidden, ...session }: ActivityRow): MonitoredSession {
  return {
    ...session,
    transactionMs: notNegative(session.transactionMs),
    stateMs: notNegative(session.stateMs),
    query: isHidden || session.query === null ? null : reportedQuery(session.query),
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
    skipped: hiddenSkip('sessions', rows.filter(({ isHidden }) => isHidden).length, header),
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
