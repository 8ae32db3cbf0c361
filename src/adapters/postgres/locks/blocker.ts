import { formatDurationMs } from '../../../base/duration.js';
import { quoteLiteral } from '../../../base/identifier.js';

const PREPARED = 'prepared transaction';

/** A session that others wait for, or a prepared transaction (pid 0, its name is the query); the age is that of its transaction, null where it was not asked for. */
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
  if (row.pid === 0) {
    const since = row.age_ms === null ? '' : ` for ${formatDurationMs(Number(row.age_ms))}`;
    return `${PREPARED} ${quoteLiteral(row.query ?? '')} of role "${row.role_name ?? '?'}", prepared${since}`;
  }
  const program = row.application_name === '' ? '' : ` "${row.application_name}"`;
  const age = row.age_ms === null ? '' : ` for ${formatDurationMs(Number(row.age_ms))}`;
  return `pid ${row.pid}${program} of role "${row.role_name ?? '?'}", ${row.state ?? 'active'}${age}: ${row.query ?? ''}`.trimEnd();
}

/** The detail of a lock that timed out. @param blockers as `describeBlocker` writes them */
export function blockedBy(blockers: readonly string[]): string {
  return blockers.length === 0 ? 'The blocking session had ended by then.' : `Blocked by ${blockers.join('; ')}.`;
}

/** How to get a blocker out of the way: a prepared transaction has no session that could be ended, and waits for ever. */
export function endingHint(blockers: readonly string[]): string {
  const prepared = blockers
    .find((text) => text.startsWith(PREPARED))
    ?.match(/^prepared transaction ( ?E?'(?:[^']|'')*')/)?.[1];
  if (prepared !== undefined)
    return `It has no session and does not end by itself: commit prepared ${prepared}; or rollback prepared ${prepared};`;
  return 'Run it again when that session is done, end it with select pg_terminate_backend(pid), or give a longer --lock-timeout.';
}
