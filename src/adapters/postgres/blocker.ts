import { formatDurationMs } from '../../base/duration.js';

/** A session that others wait for; the age is that of its transaction, null where it was not asked for. */
export interface BlockerRow {
  readonly pid: number;
  readonly role_name: string | null;
  readonly application_name: string;
  readonly state: string | null;
  readonly age_ms: string | null;
  readonly query: string | null;
}

/** In words: `pid 4711 "psql" of role "dba", idle in transaction for 2.0 s: lock table voices`. */
export function describeBlocker(row: BlockerRow): string {
  const program = row.application_name === '' ? '' : ` "${row.application_name}"`;
  const age = row.age_ms === null ? '' : ` for ${formatDurationMs(Number(row.age_ms))}`;
  return `pid ${row.pid}${program} of role "${row.role_name ?? '?'}", ${row.state ?? 'active'}${age}: ${row.query ?? ''}`.trimEnd();
}
