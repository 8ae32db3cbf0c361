import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** Of messages and messages_archive; a definition is null where the table has no such column. */
export interface ColumnDifference {
  readonly name: string;
  readonly onMessages: string | null;
  readonly onArchive: string | null;
  /** For `add column` on the table that lacks it; null where no statement alone can do it. */
  readonly addition: string | null;
}

/** The columns for which no month can be archived or restored, by name. */
export async function readColumnDifferences(session: Session, schema: string): Promise<readonly ColumnDifference[]> {
  return (await session.query<ColumnDifference>(sqlFile('archive/column-differences'), [schema])).rows;
}
