import type { CopyRow, CopyValue } from '../../../adapters/postgres/copy.js';
import type { DB } from '../../../schema/database.js';

/** A row by its columns. Every row of a table names the same ones, in the same order. */
export type DemoRow<Table extends keyof DB> = { readonly [Column in keyof DB[Table]]?: CopyValue };

/** The demo rows of one table. */
export interface DemoTable<Table extends keyof DB = keyof DB, Row = Readonly<Record<string, CopyValue>>> {
  readonly table: Table;
  /** How many rows there are going to be. */
  readonly count: number;
  /** How much longer a row takes than a message, for the time left. */
  readonly weight?: number;
  /** Makes them one after another. */
  readonly rows: () => Iterable<Row>;
}

/** Holds the rows to the columns of the table. */
export function demoTable<Table extends keyof DB>(table: DemoTable<Table, DemoRow<Table>>): DemoTable {
  return table as DemoTable;
}

/** The rows of a table that are made from their number alone. */
export function* numberedRows<Row>(count: number, row: (index: number) => Row): Generator<Row> {
  for (let index = 0; index < count; index += 1) yield row(index);
}

/** What COPY takes: the columns, from the first row, and the values of each. */
export function copyInput({ rows }: DemoTable): {
  readonly columns: readonly string[];
  readonly rows: Iterable<CopyRow>;
} {
  const [first] = rows();
  function* values(): Generator<CopyRow> {
    for (const row of rows()) yield Object.values(row);
  }
  return { columns: Object.keys(first ?? {}), rows: values() };
}
