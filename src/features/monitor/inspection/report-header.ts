import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { inReadOnly } from './read-only.js';

/** When, where and as whom an inspection looked, and what its counters are worth. */
export interface ReportHeader {
  readonly database: string;
  readonly schema: string;
  /** RFC 3339 in UTC, by the server's clock. */
  readonly takenAt: string;
  readonly role: string;
  readonly isSuperuser: boolean;
  /** Of pg_read_all_stats: without, the queries of other roles are hidden. */
  readonly readsAllStatistics: boolean;
  /** A standby: it counts its own reads and no writes. */
  readonly isInRecovery: boolean;
  /** RFC 3339; null when not reported by the server. Not older than the last crash. */
  readonly countersSince: string | null;
  /** What the counters begin with: a pg_stat_reset(), or the server's first start, its last crash or restore. */
  readonly countersSinceEvent: 'reset' | 'server' | null;
}

interface HeaderRow extends Omit<ReportHeader, 'database' | 'schema' | 'takenAt' | 'countersSince'> {
  readonly takenAt: Date;
  readonly countersSince: Date | null;
}

/** One query, without any lock on a table. */
export async function readReportHeader(session: Session, schema: string): Promise<ReportHeader> {
  const { rows } = await inReadOnly(session, () => session.query<HeaderRow>(sqlFile('monitor/report-header')));
  const [row] = rows;
  if (row === undefined) throw new Error('the role of the session is not in pg_roles');
  return {
    database: session.info.label,
    schema,
    ...row,
    takenAt: row.takenAt.toISOString(),
    countersSince: row.countersSince?.toISOString() ?? null,
  };
}
