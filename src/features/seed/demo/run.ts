import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import { copyRows } from '../../../adapters/postgres/copy.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Reporting } from '../../../base/reporting.js';
import { demoTables } from './demo-tables.js';
import { isThere, refuseUnmigrated, tablesWithRows } from './guard.js';
import { dayOf, type DemoOptions } from './options.js';
import { Pace } from './pace.js';
import { planDemo, type DemoPlan } from './plan.js';
import { copyInput, type DemoTable } from './table.js';

export interface SeedDemoSettings {
  readonly schema: string;
  readonly isDryRun: boolean;
  /** How long to wait for another run. */
  readonly waitMs: number;
  /** Asked before anything is written; throws to refuse. `tables` have rows that are not of `aisec seed`. */
  readonly confirm: (tables: readonly string[]) => Promise<void>;
}

export interface SeededTable {
  readonly table: string;
  readonly rows: number;
}

export interface SeedDemoResult extends DemoOptions {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** The first day of the rows. */
  readonly from: string;
  /** Written, or in a dry run to be written; empty when the very same demo data is there. */
  readonly tables: readonly SeededTable[];
  readonly rows: number;
  /** From the months of messages to ANALYZE. */
  readonly durationMs: number;
  /** While the rows were written. */
  readonly rowsPerSecond: number;
  /** Those with rows that are not of `aisec seed`. */
  readonly tablesWithRows: readonly string[];
}

interface MonthRow {
  readonly partition_name: string;
  readonly problem: string | null;
  readonly is_archived: boolean;
}

/** The months the rows fall into. In a transaction of its own: its locks stop writers of messages. */
async function ensureMonths(session: Session, { window }: DemoPlan, warn: (text: string) => void): Promise<void> {
  const { rows } = await withTransaction(session, () =>
    session.query<MonthRow>(sqlFile('seed/ensure-months'), [dayOf(window.fromMs)]),
  );
  for (const { partition_name: name, problem, is_archived: isArchived } of rows) {
    if (problem !== null) warn(`partition ${name}: ${problem}; its messages go to the default partition`);
    if (isArchived) warn(`partition ${name} is archived; new messages of that month go to the default partition`);
  }
}

async function writeTables(
  session: Session,
  schema: string,
  plan: DemoPlan,
  report: (text: string) => void,
): Promise<readonly SeededTable[]> {
  const { rows } = await session.query<{ password_hash: string }>(sqlFile('seed/demo-password'));
  const tables = demoTables(plan, rows[0]?.password_hash ?? '');
  const pace = new Pace(tables, report);
  const written: SeededTable[] = [];
  for (const table of tables) {
    const { columns, rows: values } = copyInput(table);
    const target = { schema, table: table.table, columns };
    const count = await copyRows(session, target, values, (more) => pace.add(table, more));
    written.push({ table: table.table, rows: count });
  }
  return written;
}

/** Statistics, so that plans are right at once. Not part of the transaction: a statement that fails loses nothing. */
async function analyze(session: Session, schema: string, tables: readonly SeededTable[]): Promise<void> {
  const filled = [...tables.filter(({ rows }) => rows > 0).map(({ table }) => table), 'message_keys'];
  await session.query(
    `analyze ${filled.map((table) => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`).join(', ')}`,
  );
}

function explainFailure(error: unknown): unknown {
  // COPY FROM is refused to a role that row-level security applies to.
  if (!isAisecError(error, 'PRIVILEGE_MISSING') && !(isAisecError(error) && error.sqlState === '0A000')) return error;
  return new AisecError('PRIVILEGE_MISSING', error.message, {
    detail: error.detail,
    hint: 'Run it as the owner of the tables, the role that runs `aisec migrate up`. No changes were made.',
    sqlState: error.sqlState,
    cause: error.cause,
  });
}

/** What would be written. */
function plannedTables(plan: DemoPlan): readonly SeededTable[] {
  return demoTables(plan, '').map(({ table, count }: DemoTable) => ({ table, rows: count }));
}

async function seed(
  session: Session,
  options: DemoOptions,
  settings: SeedDemoSettings,
  reporting: Reporting,
): Promise<SeedDemoResult> {
  const { schema, isDryRun } = settings;
  await refuseUnmigrated(session, schema);
  const isDone = await isThere(session, options);
  const others = isDone ? [] : await tablesWithRows(session);
  const plan = planDemo(options);
  const from = dayOf(plan.window.fromMs);
  const resultOf = (tables: readonly SeededTable[], durationMs = 0, writingMs = 0): SeedDemoResult => {
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    const rowsPerSecond = writingMs === 0 ? 0 : Math.round((rows / writingMs) * 1000);
    const { label: database } = session.info;
    return {
      database,
      schema,
      isDryRun,
      ...options,
      from,
      tables,
      rows,
      durationMs,
      rowsPerSecond,
      tablesWithRows: others,
    };
  };
  if (isDone) return resultOf([]);
  if (isDryRun) return resultOf(plannedTables(plan));
  await settings.confirm(others);
  const startedMs = performance.now();
  const sinceMs = (fromMs: number): number => Math.max(1, Math.round(performance.now() - fromMs));
  reporting.onProgress('making the months of messages');
  await ensureMonths(session, plan, reporting.onWarning);
  const writingFromMs = performance.now();
  const tables = await withTransaction(session, () => writeTables(session, schema, plan, reporting.onProgress));
  const writingMs = sinceMs(writingFromMs);
  reporting.onProgress('analyzing');
  await analyze(session, schema, tables);
  return resultOf(tables, sinceMs(startedMs), writingMs);
}

/**
 * Fills every table with demo rows in one transaction: all of them or, killed at any moment, none. The months stay.
 * The same options give the same rows, but for the hash of a random password.
 *
 * @throws AisecError MIGRATION_PENDING, REFUSED when this seed is there with other options and by `confirm`, RUN_LOCKED,
 *   LOCK_TIMEOUT, PRIVILEGE_MISSING, DISK_FULL, CONNECTION_LOST, INTERRUPTED, TERMINATED.
 */
export async function seedDemo(
  session: Session,
  options: DemoOptions,
  settings: SeedDemoSettings,
  reporting: Reporting,
): Promise<SeedDemoResult> {
  const lock = { waitMs: settings.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, async () => {
    try {
      return await seed(session, options, settings, reporting);
    } catch (error) {
      throw explainFailure(error);
    }
  });
}
