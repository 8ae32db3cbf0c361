import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { historyTables } from '../history/history-sql.js';

/** The two tables of the history of one source as they are, whatever they lack. */
export interface HistoryTables {
  readonly source: string;
  /** Null: there is no such table. */
  readonly engine: readonly string[] | null;
  readonly own: readonly OwnRow[] | null;
}

export interface OwnRow {
  readonly name: string;
  readonly state: string;
  readonly checksum: string;
}

/** Reads both tables. SELECT on them is enough. */
export async function readTables(session: Session, schema: string, source: string): Promise<HistoryTables> {
  const names = historyTables(source);
  const [engine, own] = [`${quoteIdentifier(schema)}.${names.engine}`, `${quoteIdentifier(schema)}.${names.own}`];
  const { rows: found } = await session.query<{ engine: boolean; own: boolean }>(
    'select pg_catalog.to_regclass($1) is not null as engine, pg_catalog.to_regclass($2) is not null as own',
    [engine, own],
  );
  const there = found[0];
  const engineRows =
    there?.engine === true
      ? (await session.query<{ name: string }>(`select distinct name from ${engine} order by name`)).rows
      : null;
  const ownRows =
    there?.own === true
      ? (await session.query<OwnRow>(`select name, state, checksum from ${own} order by name`)).rows
      : null;
  return { source, engine: engineRows?.map(({ name }) => name) ?? null, own: ownRows };
}
