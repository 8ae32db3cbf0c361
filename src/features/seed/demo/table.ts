import type { CopyRow } from '../../../adapters/postgres/copy.js';

/** The demo rows of one table. */
export interface DemoTable {
  readonly table: string;
  readonly columns: readonly string[];
  /** How many rows there are going to be. */
  readonly count: number;
  /** How much longer a row takes than a message, for the time left. */
  readonly weight?: number;
  /** Makes them one after another. */
  readonly rows: () => Iterable<CopyRow>;
}

/** The rows of a table that are made from their number alone. */
export function* numberedRows(count: number, row: (index: number) => CopyRow): Generator<CopyRow> {
  for (let index = 0; index < count; index += 1) yield row(index);
}
