import { readCircumstances, type Circumstances } from '../../adapters/inspection/circumstances.js';
import { inReadOnly } from '../../adapters/inspection/read-only.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { readIndexFacts, type IndexFacts } from './index-facts.js';
import { judgeIndex, type CounterWindow, type Judgement } from './index-verdict.js';
import type { Report } from './report.js';

export interface MonitoredIndex extends IndexFacts, Judgement {}

/** A foreign key that has to read its whole table when a row that it refers to goes. */
export interface MissingIndex {
  readonly foreignKey: string;
  /** Qualified, as SQL takes it. */
  readonly table: string;
  readonly referencedTable: string;
  readonly columns: string;
  readonly sql: string;
}

export interface IndexesReport extends Report {
  /** How long the counters have counted; null when the server does not tell. */
  readonly windowMs: number | null;
  readonly unusedAfterMs: number;
  readonly totalBytes: number;
  /** Of those that are redundant or unused. */
  readonly savingBytes: number;
  /** Largest first. */
  readonly indexes: readonly MonitoredIndex[];
  readonly missingIndexes: readonly MissingIndex[];
}

interface MissingRow {
  readonly foreign_key: string;
  readonly table_identifier: string;
  readonly referenced_table: string;
  readonly columns: string;
  readonly is_partitioned: boolean;
}

function windowOf({ takenAt, countersSince, isInRecovery }: Circumstances, unusedAfterMs: number): CounterWindow {
  const windowMs = countersSince === null ? null : Math.max(0, Date.parse(takenAt) - Date.parse(countersSince));
  return { windowMs, unusedAfterMs, isInRecovery };
}

function missingOf(row: MissingRow): MissingIndex {
  // Indexes of a partitioned table cannot be built concurrently.
  const create = row.is_partitioned ? 'create index' : 'create index concurrently';
  return {
    foreignKey: row.foreign_key,
    table: row.table_identifier,
    referencedTable: row.referenced_table,
    columns: row.columns,
    sql: `${create} on ${row.table_identifier} (${row.columns});`,
  };
}

/**
 * The indexes of a schema, each with a verdict, and the foreign keys that lack one. An index is called unused only after
 * `unusedAfterMs` of counting.
 */
export async function monitorIndexes(session: Session, schema: string, unusedAfterMs: number): Promise<IndexesReport> {
  const circumstances = await readCircumstances(session, schema);
  const facts = await readIndexFacts(session, schema);
  const { rows } = await inReadOnly(session, () =>
    session.query<MissingRow>(sqlFile('monitor/foreign-keys-without-index'), [schema]),
  );
  const window = windowOf(circumstances, unusedAfterMs);
  const indexes = facts
    .map((index) => ({ ...index, ...judgeIndex(index, window) }))
    .toSorted((one, other) => other.sizeBytes - one.sizeBytes || (one.index < other.index ? -1 : 1));
  const idle = indexes.filter(({ verdict }) => verdict === 'unused' || verdict === 'redundant');
  return {
    ...circumstances,
    skipped: [],
    windowMs: window.windowMs,
    unusedAfterMs,
    totalBytes: indexes.reduce((sum, index) => sum + index.sizeBytes, 0),
    savingBytes: idle.reduce((sum, index) => sum + index.sizeBytes, 0),
    indexes,
    missingIndexes: rows.map(missingOf),
  };
}
