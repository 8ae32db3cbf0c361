import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { ClassedColumn } from './classify.js';

/** Values as text, in the order of the columns. */
export type TextRow = readonly (string | null)[];

const ROWS_AT_ONCE = 2000;
const CURSOR = 'aisec_subset_rows';

/** Arrays are read as JSON, so that their elements can be taken apart. */
export function isTakenApart({ is_array: isArray, piiClass }: ClassedColumn): boolean {
  return isArray && piiClass !== 'none' && piiClass !== 'null';
}

function expression(column: ClassedColumn, alias: string): string {
  const value = `${alias}.${quoteIdentifier(column.column)}`;
  return isTakenApart(column) ? `pg_catalog.to_json(${value})::text` : `${value}::text`;
}

/**
 * Reads rows in portions, by a cursor, so that memory does not grow with them. Within a transaction.
 *
 * @param from as SQL, with the table called `source`
 */
export async function* readRows(
  session: Session,
  columns: readonly ClassedColumn[],
  from: string,
): AsyncGenerator<readonly TextRow[]> {
  const names = columns.map((_, index) => `c${index}`);
  const list = columns.map((column, index) => `${expression(column, 'source')} as c${index}`);
  await session.query(`declare ${CURSOR} no scroll cursor for select ${list.join(', ')} from ${from}`);
  for (;;) {
    const { rows } = await session.query<Record<string, string | null>>(`fetch ${ROWS_AT_ONCE} from ${CURSOR}`);
    if (rows.length > 0) yield rows.map((row) => names.map((name) => row[name] ?? null));
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await session.query(`close ${CURSOR}`);
}
