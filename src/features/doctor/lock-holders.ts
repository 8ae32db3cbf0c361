import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';

interface HolderRow {
  readonly pid: number;
  readonly application_name: string | null;
  readonly is_held: boolean;
}

/** The sessions that hold or wait for ACCESS EXCLUSIVE on a table of this database, in words. */
export async function lockHolders(session: Session): Promise<string> {
  const { rows } = await session.query<HolderRow>(sqlFile('doctor/exclusive-locks'));
  if (rows.length === 0) return 'a session that has gone since';
  return rows
    .slice(0, 3)
    .map(({ pid, application_name: name, is_held: isHeld }) => {
      const who = `pid ${pid}${name === null || name === '' ? '' : ` (${name})`}`;
      return isHeld ? who : `${who}, which waits itself`;
    })
    .join(' and ');
}
