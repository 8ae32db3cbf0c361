import type { Session } from '../../../adapters/postgres/session.js';
import type { Skip } from './check.js';

export const READ_ALL_STATS = (_schema: string, role: string): string => `grant pg_read_all_stats to ${role};`;
export const MONITOR = (_schema: string, role: string): string => `grant pg_monitor to ${role};`;

/** The skip of a check that would see only a part; undefined for a role that sees all sessions. */
export async function skipUnlessAllIsSeen(session: Session, what: string): Promise<Skip | undefined> {
  const { rows } = await session.query<{ sees_all: boolean }>(
    `select pg_catalog.pg_has_role('pg_read_all_stats', 'usage') as sees_all`,
  );
  if (rows[0]?.sees_all === true) return undefined;
  return { skipped: `${what} of other roles are hidden from this role`, lacksGrant: true };
}
