import { inReadOnly } from '../inspection/read-only.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** Bytes of the whole database on disk; takes no lock on a table. */
export async function readDatabaseBytes(session: Session): Promise<number> {
  const { rows } = await inReadOnly(session, () =>
    session.query<{ database_bytes: string }>(sqlFile('monitor/database-size')),
  );
  return Number(rows[0]?.database_bytes);
}
