import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../../base/identifier.js';

export interface InvalidIndex {
  readonly index: string;
  readonly table: string;
}

/** Indexes that a broken CREATE INDEX CONCURRENTLY left behind: they cost every write and serve no read. */
export async function listInvalidIndexes(session: Session, schema: string): Promise<readonly InvalidIndex[]> {
  const { rows } = await session.query<{ index_name: string; table_name: string }>(sqlFile('migrate/invalid-indexes'), [
    schema,
  ]);
  return rows.map((row) => ({ index: row.index_name, table: row.table_name }));
}

/**
 * Drops the index if a broken build left it INVALID, so that it can be built again. Before every CREATE INDEX: with
 * IF NOT EXISTS an invalid one would otherwise count as there.
 */
export async function dropInvalidIndex(session: Session, schema: string, index: string): Promise<void> {
  const invalid = await listInvalidIndexes(session, schema);
  if (!invalid.some((found) => found.index === index)) return;
  await session.query('set lock_timeout = 0');
  await session.query(`drop index concurrently ${quoteIdentifier(schema)}.${quoteIdentifier(index)}`);
}
