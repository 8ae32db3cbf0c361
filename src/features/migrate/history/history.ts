import type { Session } from '../../../adapters/postgres/session.js';
import { aisecCommand } from '../../../base/aisec-command.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';

export type RecordedState = 'applied' | 'applying' | 'reverting';

/** One migration as the database remembers it. The fields after `appliedAt` are null for a row that only node-pg-migrate wrote. */
export interface HistoryEntry {
  readonly name: string;
  /** `applying` and `reverting`: a migration without a transaction that stopped half-way. */
  readonly state: RecordedState;
  readonly appliedAt: Date;
  readonly checksum: string | null;
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
function historyQuery(schema: string, hasOwnTable: boolean): string {
  const engine = `${quoteIdentifier(schema)}.pgmigrations`;
  const own = hasOwnTable
    ? `${quoteIdentifier(schema)}.aisec_migrations`
    : `(select null::text as name, null::text as state, null::text as checksum, null::text as content, null::int as duration_ms,
         null::text as applied_by, null::timestamptz as applied_at, null::int as statements_total,
         null::int as statements_started, null::int as statements_done, null::text as error where false)`;
  return `select
  coalesce(engine.name, own.name) as name,
  own.state,
  coalesce(own.applied_at, engine.run_on at time zone 'UTC') as applied_at,
  own.checksum,
  own.content,
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
async function refuseLostEngineTable(session: Session, schema: string): Promise<void> {
  const { rows } = await session.query<{ count: number }>(
    `select pg_catalog.count(*)::integer as count from ${quoteIdentifier(schema)}.aisec_migrations where state = 'applied'`,
  );
  throw new AisecError(
    'MIGRATION_HISTORY',
    `the table pgmigrations is gone, and aisec_migrations records ${rows[0]?.count ?? 0} migrations`,
    {
      detail: `Both are in the schema "${schema}".`,
      hint: `Restore it: ${aisecCommand('migrate repair', schema)}`,
    },
  );
}

/** What the database remembers of its migrations. Reads only; SELECT on the two tables is enough. */
export async function readHistory(session: Session, schema: string): Promise<History> {
  const { rows: tables } = await session.query<{ engine: boolean; own: boolean }>(
    `select pg_catalog.to_regclass($1) is not null as engine, pg_catalog.to_regclass($2) is not null as own`,
    ['pgmigrations', 'aisec_migrations'].map((name) => `${quoteIdentifier(schema)}.${name}`),
  );
  const [found] = tables;
  if (found?.engine !== true && found?.own === true) await refuseLostEngineTable(session, schema);
  if (found?.engine !== true) return { exists: false, entries: [] };
  const { rows } = await session.query<HistoryRow>(historyQuery(schema, found.own));
  const entries = rows.map((row) => ({
    name: row.name,
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
