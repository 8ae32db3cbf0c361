export type ExportFormat = 'ndjson' | 'csv';

export interface ExportColumn {
  readonly name: string;
  /** As format_type prints it. */
  readonly type: string;
}

/** One value as PostgreSQL's COPY ... CSV reads it: null is nothing, the empty text is "". */
function csvField(value: string | null): string {
  if (value === null) return '';
  return value === '' || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

export function csvRecord(values: readonly (string | null)[]): string {
  return values.map(csvField).join(',');
}

/** Where the quoted field that begins before `from` ends: its last quote. */
function closingQuote(record: string, from: number): number {
  for (let end = record.indexOf('"', from); end >= 0; end = record.indexOf('"', end + 2))
    if (record[end + 1] !== '"') return end;
  return record.length;
}

/** The values of a CSV record; the inverse of `csvRecord`. By hand: an expression for a quoted field has no stack for 16 MB. */
export function csvValues(record: string): readonly (string | null)[] {
  const values: (string | null)[] = [];
  for (let position = 0; position <= record.length;) {
    const isQuoted = record[position] === '"';
    const comma = isQuoted ? closingQuote(record, position + 1) + 1 : record.indexOf(',', position);
    const end = comma < 0 ? record.length : comma;
    const text = record.slice(position, end);
    values.push(isQuoted ? text.slice(1, -1).replaceAll('""', '"') : text || null);
    position = end + 1;
  }
  return values;
}

/**
 * The same record without the message it answers, for a comparison: deleting or pruning that message sets parent_id to
 * null, in months that were exported before.
 */
export function withoutParent(record: string, format: ExportFormat, columns: readonly ExportColumn[]): string {
  if (format === 'ndjson') return record.replace(/"parent_id":(null|"[0-9a-f-]{36}")/, '"parent_id":null');
  const position = columns.findIndex(({ name }) => name === 'parent_id');
  return csvRecord(csvValues(record).map((value, index) => (index === position ? null : value)));
}

/** Splits text that comes in pieces into records; a line feed inside of quotes belongs to the CSV record. */
export class RecordSplitter {
  readonly #format: ExportFormat;
  #rest = '';
  #scanned = 0;
  #isQuoted = false;

  constructor(format: ExportFormat) {
    this.#format = format;
  }

  /** The records that end in this piece, without their line feeds. */
  *push(piece: string): Generator<string> {
    this.#rest += piece;
    let start = 0;
    let end = this.#nextEnd();
    while (end >= 0) {
      yield this.#rest.slice(start, end);
      start = end + 1;
      end = this.#nextEnd();
    }
    this.#rest = this.#rest.slice(start);
    this.#scanned -= start;
  }

  /** What follows the last line feed: empty in a whole file. */
  get rest(): string {
    return this.#rest;
  }

  #nextEnd(): number {
    if (this.#format === 'ndjson') {
      const end = this.#rest.indexOf('\n', this.#scanned);
      this.#scanned = end < 0 ? this.#rest.length : end + 1;
      return end;
    }
    for (let index = this.#scanned; index < this.#rest.length; index += 1) {
      const character = this.#rest[index];
      if (character === '"') this.#isQuoted = !this.#isQuoted;
      else if (character === '\n' && !this.#isQuoted) {
        this.#scanned = index + 1;
        return index;
      }
    }
    this.#scanned = this.#rest.length;
    return -1;
  }
}
