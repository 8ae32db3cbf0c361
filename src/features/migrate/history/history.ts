import type { Session } from '../../../adapters/postgres/session.js';
import { aisecCommand } from '../../../base/aisec-command.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { BUNDLED_SOURCE } from '../files/source.js';
import { historyTables } from './history-sql.js';

export type RecordedState = 'applied' | 'applying' | 'reverting';

/** One migration as the database remembers it. The fields after `appliedAt` are null for a row that only node-pg-migrate wrote. */
export interface HistoryEntry {
  readonly name: string;
  /** Counts up as migrations are applied; null while one is not applied to its end. */
  readonly position: number | null;
  /** `applying` and `reverting`: a migration without a transaction that stopped half-way. */
  readonly state: RecordedState;
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
  /** False before the first `migrate up`. */
  readonly exists: boolean;
  readonly entries: readonly HistoryEntry[];
}

interface HistoryRow {
  readonly name: string;
  readonly position: number | null;
  readonly state: RecordedState | null;
  readonly applied_at: Date;
  readonly checksum: string | null;
  readonly content: string | null;
  readonly duration_ms: number | null;
  readonly applied_by: string | null;
  readonly statements_total: number | null;
  readonly statements_started: number | null;
  readonly statements_done: number | null;
  readonly error: string | null;
}

/** Both tables are read by their qualified names: with an empty schema the search_path would find another installation's. */
function historyQuery(schema: string, source: string, hasOwnTable: boolean): string {
  const tables = historyTables(source);
  const engine = `${quoteIdentifier(schema)}.${tables.engine}`;
  const own = hasOwnTable
    ? `${quoteIdentifier(schema)}.${tables.own}`
    : `(select null::text as name, null::text as state, null::text as checksum, null::text as content, null::int as duration_ms,
         null::text as applied_by, null::timestamptz as applied_at, null::int as statements_total,
         null::int as statements_started, null::int as statements_done, null::text as error where false)`;
  return `select
  coalesce(engine.name, own.name) as name,
  engine.id as position,
  own.state,
  coalesce(own.applied_at, engine.run_on at time zone 'UTC') as applied_at,
  own.checksum,
  case when own.state <> 'applied' or not own.checksum = any ($1) then own.content end as content,
  own.duration_ms,
  own.applied_by,
  own.statements_total,
  own.statements_started,
  own.statements_done,
  own.error
from ${engine} as engine
full join ${own} as own on own.name = engine.name
order by 1`;
}

/** Without it every migration would look pending, and running them again would break what is there. */
async function refuseLostEngineTable(session: Session, schema: string, source: string): Promise<void> {
  const tables = historyTables(source);
  const { rows } = await session.query<{ count: number }>(
    `select pg_catalog.count(*)::integer as count from ${quoteIdentifier(schema)}.${tables.own} where state = 'applied'`,
  );
  throw new AisecError(
    'MIGRATION_HISTORY',
    `the table ${tables.engine} is gone, and ${tables.own} records ${rows[0]?.count ?? 0} migrations`,
    {
      detail: `Both are in the schema "${schema}".`,
      hint: `Restore it: ${aisecCommand('migrate repair', schema)}`,
    },
  );
}

/**
 * What the database remembers of the migrations of one source. Reads only; SELECT on its two tables is enough. The texts of
 * migrations with one of the `checksums` are left out.
 *
 * @throws AisecError MIGRATION_HISTORY when one of the two tables is gone; PRIVILEGE_MISSING.
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
  if (found?.engine !== true && found?.own === true) await refuseLostEngineTable(session, schema, source);
  if (found?.engine !== true) return { exists: false, entries: [] };
  const { rows } = await session.query<HistoryRow>(historyQuery(schema, source, found.own), [checksums]);
  const entries = rows.map((row) => ({
    name: row.name,
    position: row.position,
    // A row of node-pg-migrate alone has no state: it is there, so it was applied.
    state: row.state ?? 'applied',
    appliedAt: row.applied_at,
    checksum: row.checksum,
    content: row.content,
    durationMs: row.duration_ms,
    appliedBy: row.applied_by,
    statementsTotal: row.statements_total,
    statementsStarted: row.statements_started,
    statementsDone: row.statements_done,
    error: row.error,
  }));
  return { exists: found.own, entries };
}
