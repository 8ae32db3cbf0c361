import { inReadOnly } from '../inspection/read-only.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** A foreign key that has to read its whole table when a row that it refers to goes. */
export interface MissingIndex {
  readonly foreignKey: string;
  readonly tableName: string;
  /** Qualified, as SQL takes it. */
  readonly table: string;
  readonly referencedTable: string;
  /** As SQL takes them. */
  readonly columns: string;
  /** Its index stops writes to the table while it is built. */
  readonly isPartitioned: boolean;
  readonly sql: string;
}

function statementFor({ table, columns, isPartitioned }: Omit<MissingIndex, 'sql'>): string {
  const on = `on ${table} (${columns});`;
  // Indexes of a partitioned table cannot be built concurrently.
  return isPartitioned ? `set lock_timeout = '2s'; create index ${on}` : `create index concurrently ${on}`;
}

/** The foreign keys of a schema that no index serves; one of a partitioned table counts once. Waits for no lock. */
export async function readMissingIndexes(session: Session, schema: string): Promise<readonly MissingIndex[]> {
  const { rows } = await inReadOnly(session, () =>
    session.query<Omit<MissingIndex, 'sql'>>(sqlFile('monitor/foreign-keys-without-index'), [schema]),
  );
  return rows.map((row) => ({ ...row, sql: statementFor(row) }));
}
