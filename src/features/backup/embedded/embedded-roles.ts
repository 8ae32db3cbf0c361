import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** What makes the roles of an embedded database on a server, without passwords, as pg_dumpall writes it. */
export async function roleStatements(session: Session): Promise<readonly string[]> {
  const { rows } = await session.query<{ statement: string }>(sqlFile('backup/roles'));
  return rows.map(({ statement }) => statement);
}
