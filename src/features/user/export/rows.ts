import type { TableKey } from '../../../adapters/catalog/references/reference.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { readCursor } from '../../../adapters/postgres/read-cursor.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { PersonColumn } from './columns.js';
import type { ExportedRows } from './manifest.js';

/** Which rows and columns of a table are exported. */
export interface ExportedTable {
  readonly key: TableKey;
  readonly columns: readonly PersonColumn[];
  readonly counted: ExportedRows;
}

/** How they are read for a page. */
export interface Excerpt {
  /** At most so many rows of each partition. */
  readonly limit: number;
}

/** json keeps the line feeds it was written with, jsonb has none. */
function valueOf({ name, type }: PersonColumn, isText: boolean): string {
  const column = `source.${quoteIdentifier(name)}`;
  // A program that reads the line would round a large number.
  if (isText) return `pg_catalog.to_json(${column}) operator(pg_catalog.#>>) '{}' as ${quoteIdentifier(name)}`;
  return type === 'json' ? `${column}::jsonb as ${quoteIdentifier(name)}` : column;
}

/**
 * The chosen rows of a table, one JSON object a line, as the server writes it: numbers keep all of their digits. Of an
 * excerpt every value is a text.
 */
export async function* readRows(
  session: Session,
  choice: ChosenRows,
  { key, columns }: Pick<ExportedTable, 'key' | 'columns'>,
  excerpt?: Excerpt,
): AsyncGenerator<string> {
  const values = columns.map((column) => valueOf(column, excerpt !== undefined)).join(', ');
  const limit = excerpt === undefined ? '' : ` limit ${excerpt.limit}`;
  for (const part of await choice.parts(key)) {
    const rows = readCursor<{ line: string }>(
      session,
      `select pg_catalog.row_to_json(line.*)::text as line
       from (select ${values} from ${choice.joinPart(key, part, 'source')} order by chosen.place${limit}) as line`,
      ({ line }) => line.length,
    );
    for await (const { line } of rows) yield `${line}\n`;
  }
}
