import { nameInSql, quoteIdentifier, type QuotedName } from '../../../base/identifier.js';

/** Names as they are, not quoted. */
export interface TablePlace {
  readonly schema: string;
  readonly table: string;
}

/** What becomes of a row when the row that it refers to is deleted. */
export type DeleteAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

/** What refers to what: a foreign key, or what is kept by triggers or declared instead of one. */
export interface Edge extends TablePlace {
  /** Of the constraint, or the column of a reference without one. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly refersTo: TablePlace & { readonly columns: readonly string[] };
}

/** A reference as the catalog of a live database has it. Partitions count as their root. */
export interface Reference extends Edge {
  readonly onDelete: DeleteAction;
  /** Whether the reference can be taken away and the row stay: one of its columns may be null. */
  readonly isNullable: boolean;
  /** The column is an array: each of its elements refers. Never of a foreign key. */
  readonly isArray: boolean;
  /** Rows that refer: those whose column has the value. Null: all of them. */
  readonly onlyIf: { readonly column: string; readonly value: string } | null;
  /** Columns of other references: rows where all columns of one of them are set do not count as referring here. */
  readonly unlessSet?: readonly (readonly string[])[];
}

/** A table as one text, for sets and maps: its name as SQL, always quoted, so that names with blanks or dots stay apart. */
export type TableKey = `${QuotedName}.${QuotedName}`;

/** The key of a table of this schema. */
export function tableIn(schema: string, table: string): TableKey {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** The key of a table. */
export function tableKey({ schema, table }: TablePlace): TableKey {
  return tableIn(schema, table);
}

/** The names that a key is made of. */
export function placeOf(key: TableKey): TablePlace {
  const [, schema = '', table = ''] = /^"((?:[^"]|"")*)"\."((?:[^"]|"")*)"$/.exec(key) ?? [];
  return { schema: schema.replaceAll('""', '"'), table: table.replaceAll('""', '"') };
}

/** `schema.table` as people write it: quoted only where it has to be. */
export function displayName(key: TableKey): string {
  const { schema, table } = placeOf(key);
  return `${nameInSql(schema)}.${nameInSql(table)}`;
}

/** The table, and all that refers to it, directly or by way of others. */
export function reachable(start: TableKey, edges: readonly Edge[]): ReadonlySet<TableKey> {
  const found = new Set([start]);
  for (let size = 0; size < found.size;) {
    ({ size } = found);
    for (const edge of edges) if (found.has(tableKey(edge.refersTo))) found.add(tableKey(edge));
  }
  return found;
}
