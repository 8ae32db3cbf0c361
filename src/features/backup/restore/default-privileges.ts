import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/**
 * Runs the work, in a transaction, without the default privileges of the role: an archive says who may do what with a
 * table as if there were none, so that they would give others more than the backup has. No other session sees them off.
 */
export async function withoutDefaultPrivileges<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
  const { rows } = await session.query<{ off: string; back: string }>(sqlFile('backup/default-privileges'));
  for (const { off } of rows) await session.query(off);
  const result = await work();
  for (const { back } of rows.toReversed()) await session.query(back);
  return result;
}
