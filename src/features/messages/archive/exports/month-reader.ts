import { readCursor } from '../../../../adapters/postgres/read-cursor.js';
import type { Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../../../base/identifier.js';
import { csvRecord, type ExportColumn, type ExportFormat } from './record-format.js';

/** Text that does not depend on the settings of the role or the database. */
export const PLAIN_TEXT_SETTINGS =
  "set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'iso_8601'; " +
  "set local extra_float_digits = 1; set local bytea_output = 'hex'";

export async function readColumns(session: Session): Promise<readonly ExportColumn[]> {
  const { rows } = await session.query<ExportColumn>(sqlFile('archive/columns'));
  return rows;
}

function select(relation: string, format: ExportFormat, columns: readonly ExportColumn[]): string {
  const order = 'order by created_at, id';
  if (format === 'csv') {
    const texts = columns.map(({ name }) => `${quoteIdentifier(name)}::text`).join(', ');
    return `select array[${texts}] as value from only ${relation} ${order}`;
  }
  // json keeps the line feeds it was written with, jsonb has none.
  const values = columns.map(({ name, type }) =>
    type === 'json' ? `${quoteIdentifier(name)}::jsonb as ${quoteIdentifier(name)}` : quoteIdentifier(name),
  );
  return `select row_to_json(line.*)::text as value from (select ${values.join(', ')} from only ${relation} ${order}) as line`;
}

/**
 * The rows of a partition as records, ordered by created_at and id, through a cursor: memory stays flat. Runs inside of a
 * transaction that has PLAIN_TEXT_SETTINGS.
 */
export async function* readRecords(
  session: Session,
  relation: string,
  format: ExportFormat,
  columns: readonly ExportColumn[],
): AsyncGenerator<string> {
  const rows = readCursor<{ value: string | readonly (string | null)[] }>(
    session,
    select(relation, format, columns),
    ({ value }) =>
      typeof value === 'string' ? value.length : value.reduce((sum, text) => sum + (text?.length ?? 0), 0),
  );
  for await (const { value } of rows) yield typeof value === 'string' ? value : csvRecord(value);
}
