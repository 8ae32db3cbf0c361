import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/**
 * Settings for pg_dump, which keeps to what its role and database have set of these: names in quotes that nothing needs
 * would make other names of the same functions in the archive, and a limit of milliseconds ends the statements that lift the
 * limits of time. pg_dumpall keeps to those, too. None where it is not needed: a pooler may refuse them at login.
 */
export async function dumpSettings(session: Session): Promise<Readonly<Record<string, string>>> {
  const { rows } = await session.query<{ name: string; value: string }>(sqlFile('backup/dump-settings'));
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}
