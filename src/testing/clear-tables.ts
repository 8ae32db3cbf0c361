import { sqlFile } from '../adapters/postgres/sql-file.js';
import { quoteLiteral } from '../base/identifier.js';

/** Runs one text without parameters. */
export type RunQuery = <Row extends object>(text: string) => Promise<{ readonly rows: readonly Row[] }>;

/** A table that may hold rows of an application. */
export interface Table {
  readonly name: string;
  readonly announces: boolean;
  readonly sequences: readonly string[];
}

interface Filled {
  readonly name: string;
  readonly is_large: boolean;
}

/** TRUNCATE makes new files for the table and each of its indexes: 10 ms of CPU a table, whatever is in it. */
const LARGE_BYTES = 1024 * 1024;

function statements(tables: readonly Table[], filled: readonly Filled[]): readonly string[] {
  const large = filled.filter((table) => table.is_large).map(({ name }) => name);
  const found = filled.flatMap(({ name }) => tables.find((table) => table.name === name) ?? []);
  const remove = (each: readonly Table[]): readonly string[] => each.map(({ name }) => `delete from ${name}`);
  return [
    'begin',
    ...(large.length > 0 ? [`truncate ${large.join(', ')} cascade`] : []),
    // No trigger and no foreign key is asked: all rows go.
    'set local session_replication_role = replica',
    ...remove(found.filter(({ announces }) => !announces)),
    'set local session_replication_role = origin',
    ...remove(found.filter(({ announces }) => announces)),
    ...found.flatMap(({ sequences }) => sequences.map((sequence) => `alter sequence ${sequence} restart`)),
    'commit',
  ];
}

/** The tables there are now. */
export async function readTables(query: RunQuery): Promise<readonly Table[]> {
  return (await query<Table>(sqlFile('testing/tables'))).rows;
}

/** A function that empties the tables, as the superuser; it asks first which have rows. */
export function tableCleaner(query: RunQuery, tables: readonly Table[]): () => Promise<void> {
  const filled = tables
    .map(
      ({ name }) =>
        `select ${quoteLiteral(name)} as name, pg_catalog.pg_table_size(${quoteLiteral(name)}) > ${LARGE_BYTES} as is_large
         where exists (select from ${name})`,
    )
    .join(' union all ');
  if (tables.length === 0) return () => Promise.resolve();
  return async () => {
    const found = await query<Filled>(filled);
    if (found.rows.length === 0) return;
    for (const text of statements(tables, found.rows)) await query(text);
  };
}
