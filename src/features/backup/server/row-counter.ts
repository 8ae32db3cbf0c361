import { Lines } from '../contents/lines.js';

const COPY = /^COPY ("(?:[^"]|"")*"|[^".]+)\.("(?:[^"]|"")*"|[^ "]+) \(.*\) FROM stdin;\n$/;

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

/** Counts the rows of each table in what pg_restore prints of an archive. A line that is not of rows is kept whole only until its end. */
export class RowCounter {
  readonly #rows = new Map<string, number>();
  readonly #lines = new Lines();
  #table: string | undefined;

  add(chunk: Buffer): void {
    for (const line of this.#lines.of(chunk)) this.#line(line);
  }

  #line(line: Buffer): void {
    if (this.#table === undefined) {
      const [, schema, table] = COPY.exec(line.toString('utf8')) ?? [];
      if (schema === undefined || table === undefined) return;
      this.#table = `${unquoted(schema)}.${unquoted(table)}`;
      this.#rows.set(this.#table, this.#rows.get(this.#table) ?? 0);
    } else if (line.length === 3 && line.toString('latin1') === '\\.\n') this.#table = undefined;
    else this.#rows.set(this.#table, (this.#rows.get(this.#table) ?? 0) + 1);
  }

  /** Undefined: its rows are not in it. */
  rowsOf({ schema, table }: { readonly schema: string; readonly table: string }): number | undefined {
    return this.#rows.get(`${schema}.${table}`);
  }
}
