const NEW_LINE = 10;
const COPY = /^COPY ("(?:[^"]|"")*"|[^".]+)\.("(?:[^"]|"")*"|[^ "]+) \(.*\) FROM stdin;\n$/;

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

/** Counts the rows of each table in what pg_restore prints of an archive. A line that is not of rows is kept whole only until its end. */
export class RowCounter {
  readonly #rows = new Map<string, number>();
  #rest: Buffer = Buffer.alloc(0);
  #table: string | undefined;

  add(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEW_LINE); end >= 0; end = bytes.indexOf(NEW_LINE, start)) {
      this.#line(bytes, start, end + 1);
      start = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
  }

  #line(bytes: Buffer, start: number, end: number): void {
    if (this.#table === undefined) {
      const [, schema, table] = COPY.exec(bytes.toString('utf8', start, end)) ?? [];
      if (schema === undefined || table === undefined) return;
      this.#table = `${unquoted(schema)}.${unquoted(table)}`;
      this.#rows.set(this.#table, this.#rows.get(this.#table) ?? 0);
    } else if (end - start === 3 && bytes.toString('latin1', start, end) === '\\.\n') this.#table = undefined;
    else this.#rows.set(this.#table, (this.#rows.get(this.#table) ?? 0) + 1);
  }

  /** Undefined: its rows are not in it. */
  rowsOf({ schema, table }: { readonly schema: string; readonly table: string }): number | undefined {
    return this.#rows.get(`${schema}.${table}`);
  }
}
