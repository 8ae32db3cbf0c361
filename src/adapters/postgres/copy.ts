import { quoteIdentifier } from '../../base/identifier.js';
import type { Session } from './session.js';

export type CopyValue = string | number | boolean | null;
/** One value for each column; arrays as literals (`textArray`), jsonb as its text, times as ISO 8601. */
export type CopyRow = readonly CopyValue[];

export interface CopyTarget {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
}

interface Chunk {
  readonly bytes: Buffer;
  readonly rows: number;
}

const CHUNK_CHARACTERS = 65_536;
/**
 * One COPY a table would keep a trigger event for every row until its foreign keys are checked at the end, and the
 * embedded database would need all of the table in memory.
 */
const STATEMENT_BYTES = 16 * 1024 * 1024;

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function field(value: CopyValue): string {
  if (value === null) return '\\N';
  if (typeof value !== 'string') return String(value);
  return SPECIAL.test(value) ? value.replaceAll(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? '') : value;
}

/** A row in COPY's text format. https://www.postgresql.org/docs/16/sql-copy.html#id-1.9.3.55.9.2 */
export function copyLine(row: CopyRow): string {
  return `${row.map(field).join('\t')}\n`;
}

/** The literal of a text[]. https://www.postgresql.org/docs/16/arrays.html#ARRAYS-IO */
export function textArray(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`).join(',')}}`;
}

/** Rows as chunks of about 64 KB of COPY's text format, made only as they are asked for. */
export function* copyChunks(rows: Iterable<CopyRow>): Generator<Chunk> {
  let text = '';
  let count = 0;
  for (const row of rows) {
    text += copyLine(row);
    count += 1;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield { bytes: Buffer.from(text), rows: count };
    text = '';
    count = 0;
  }
  if (count > 0) yield { bytes: Buffer.from(text), rows: count };
}

export function copyTarget({ schema, table, columns }: CopyTarget): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)} (${columns.map(quoteIdentifier).join(', ')})`;
}

/**
 * Streams rows into a table by COPY, in the transaction that is open; memory does not grow with the rows. `onRows` is
 * called with how many more were sent. Returns how many the server took.
 *
 * @throws AisecError as `Session.query`.
 */
export async function copyRows(
  session: Session,
  target: CopyTarget,
  rows: Iterable<CopyRow>,
  onRows: (count: number) => void,
): Promise<number> {
  const chunks = copyChunks(rows);
  let next = chunks.next();
  function* oneStatement(): Generator<Buffer> {
    for (let bytes = 0; next.done !== true && bytes < STATEMENT_BYTES; next = chunks.next()) {
      const chunk = next.value;
      bytes += chunk.bytes.length;
      yield chunk.bytes;
      onRows(chunk.rows);
    }
  }
  let taken = 0;
  while (next.done !== true) taken += await session.copyIn(copyTarget(target), oneStatement());
  return taken;
}
