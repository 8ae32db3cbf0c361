import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../base/identifier.js';

/** A table and its rows, which are as many afterwards as before. */
export interface MovedTable {
  readonly table: string;
  readonly rows: number;
}

export interface TableRow {
  readonly table_name: string;
  readonly is_ours: boolean;
  readonly policies: readonly string[];
  readonly leaning: readonly string[];
}

export async function readTables(session: Session, schema: string): Promise<readonly TableRow[]> {
  return (await session.query<TableRow>(sqlFile('tenant/tables'), [schema])).rows;
}

/** Of another session nothing is written to them from then on. */
export async function lockTables(
  session: Session,
  schema: string,
  tables: readonly TableRow[],
  mode: 'exclusive' | 'access exclusive',
): Promise<void> {
  const names = tables.map((table) => `${quoteIdentifier(schema)}.${quoteIdentifier(table.table_name)}`);
  await session.query(`lock table ${names.join(', ')} in ${mode} mode`);
}

export async function countRows(session: Session, schema: string, tables: readonly TableRow[]): Promise<MovedTable[]> {
  const counted: MovedTable[] = [];
  for (const { table_name: table } of tables) {
    const { rows } = await session.query<{ count: string }>(
      `select pg_catalog.count(*) as count from ${quoteIdentifier(schema)}.${quoteIdentifier(table)}`,
    );
    counted.push({ table, rows: Number(rows[0]?.count ?? 0) });
  }
  return counted;
}

export function refuseDifference(before: readonly MovedTable[], after: readonly MovedTable[]): void {
  const other = before.find(({ rows }, index) => after[index]?.rows !== rows);
  if (other === undefined) return;
  throw new Error(
    `table ${other.table} had ${other.rows} rows and has others where it was moved to; no changes were made`,
  );
}
