import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { BUNDLED_SOURCE } from '../files/source.js';
import { historyTables } from './history-sql.js';

/** A column that is not there, or is of another type. */
const OTHER_COLUMNS = new Set(['42703', '42804', '42883']);

/** One migration as the database remembers it. The fields after `appliedAt` are null for a row that only node-pg-migrate wrote. */
export interface HistoryEntry {
  readonly name: string;
  /** Counts up as migrations are applied; null while one is not applied to its end. */
  readonly position: number | null;
  /** `applying` and `reverting`: a migration without a transaction that stopped half-way. */
  readonly state: 'applied' | 'applying' | 'reverting';
  readonly appliedAt: Date;
  readonly checksum: string | null;
  /** Only where it is needed, which saves reading megabytes: the checksum is none that was asked for, or it stopped half-way. */
  readonly content: string | null;
  readonly durationMs: number | null;
  readonly appliedBy: string | null;
  readonly statementsTotal: number | null;
  readonly statementsStarted: number | null;
  readonly statementsDone: number | null;
  readonly error: string | null;
}

export interface History {
  /** Whether both tables are there: not before the first `migrate up`. */
  readonly exists: boolean;
  readonly entries: readonly HistoryEntry[];
}

/** The fields of an entry. A row of node-pg-migrate alone is there, so it was applied. Both tables are read by their qualified names: with an empty schema the search_path would find another installation's. */
function historyQuery(
  schema: string,
  source: string,
  found: { readonly engine: boolean; readonly own: boolean },
): string {
  const tables = historyTables(source);
  // A data-only restore that ran twice leaves rows twice: node-pg-migrate's table has no key on the name.
  const engine = found.engine
    ? `(select name, max(id) as id, max(run_on) as run_on from ${quoteIdentifier(schema)}.${tables.engine} group by name)`
    : `(select null::text as name, null::int as id, null::timestamp as run_on where false)`;
  const own = found.own
    ? `${quoteIdentifier(schema)}.${tables.own}`
    : `(select null::text as name, null::text as state, null::text as checksum, null::text as content, null::int as duration_ms,
         null::text as applied_by, null::timestamptz as applied_at, null::int as statements_total,
         null::int as statements_started, null::int as statements_done, null::text as error where false)`;
  return `select
  coalesce(engine.name, own.name) as name,
  engine.id as position,
  coalesce(own.state, 'applied') as state,
  coalesce(own.applied_at, engine.run_on at time zone 'UTC') as "appliedAt",
  own.checksum,
  case when own.state <> 'applied' or not own.checksum = any ($1) then own.content end as content,
  own.duration_ms as "durationMs",
  own.applied_by as "appliedBy",
  own.statements_total as "statementsTotal",
  own.statements_started as "statementsStarted",
  own.statements_done as "statementsDone",
  own.error
from ${engine} as engine
full join ${own} as own on own.name = engine.name
order by 1`;
}

/** A table of one of the names that has not its columns was made by something else. */
function translate(error: unknown, schema: string, source: string): unknown {
  if (!(error instanceof AisecError) || !OTHER_COLUMNS.has(error.sqlState ?? '')) return error;
  const { engine, own } = historyTables(source);
  return new AisecError(
    'MIGRATION_HISTORY',
    `the table ${engine} or ${own} of the schema "${schema}" does not hold a history of migrations`,
    {
      detail: `${error.message}. No changes were made.`,
      hint: 'Is it a table of another program? Give aisec a schema of its own: --schema NAME',
      cause: error,
    },
  );
}

/**
 * What the database remembers of the migrations of one source. Reads only; SELECT on its two tables is enough. The texts of
 * migrations with one of the `checksums` are left out.
 *
 * @throws AisecError MIGRATION_HISTORY when a table of one of the names is none of a history; PRIVILEGE_MISSING.
 */
export async function readHistory(
  session: Session,
  schema: string,
  source: string = BUNDLED_SOURCE,
  checksums: readonly string[] = [],
): Promise<History> {
  const names = historyTables(source);
  const { rows: tables } = await session.query<{ engine: boolean; own: boolean }>(
    `select pg_catalog.to_regclass($1) is not null as engine, pg_catalog.to_regclass($2) is not null as own`,
    [names.engine, names.own].map((name) => `${quoteIdentifier(schema)}.${name}`),
  );
  const [found] = tables;
  if (found === undefined || !(found.engine || found.own)) return { exists: false, entries: [] };
  const { rows: entries } = await session
    .query<HistoryEntry>(historyQuery(schema, source, found), [checksums])
    .catch((error: unknown) => {
      throw translate(error, schema, source);
    });
  return { exists: found.engine && found.own, entries };
}
