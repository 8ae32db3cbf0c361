import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/**
 * Settings for pg_dump, which lifts the limits of time of its role and database with statements that a limit of
 * milliseconds ends, and for pg_dumpall, which keeps to them. None where it is not needed: a pooler may refuse them at login.
 */
export async function withoutShortLimits(session: Session): Promise<Readonly<Record<string, string>>> {
  const { rows } = await session.query<{ name: string }>(sqlFile('backup/short-limits'));
  return Object.fromEntries(rows.map(({ name }) => [name, '0']));
}
