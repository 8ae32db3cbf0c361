import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { boundedName } from '../../../base/bounded-name.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { addMonths, monthsBetween, type Month } from '../../../base/month.js';
import type { Reporting } from '../../../base/reporting.js';
import { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { defaultPartitionOf, notMigrated, qualifiedName, readPartitions } from '../partition.js';
import { publicationProblems, readPublications, type PublicationProblem } from '../publications.js';
import { countDefaultRows } from './default-rows.js';
import { dropVerifiedDrained, type DrainedTable } from './drain/drained.js';
import { dropLeftovers } from './drain/leftovers.js';
import { isDistributed } from '../../tenant/index.js';
import { archiveLateRows } from './fixes.js';
import { readingPartitions } from './locked.js';
import { make, movesLateRows, type Made } from './make.js';
import type { EnsuredMonth, MonthOutcome } from './outcome.js';
import { markPublications, markTakenNames, planMonths, type Plan, type PlannedMonth } from './plan.js';

export interface EnsureOptions {
  readonly schema: string;
  /** Months after the current one. */
  readonly ahead: number;
  /** The first month; undefined: the current one. */
  readonly from: Month | undefined;
  readonly isDryRun: boolean;
  /** How long to wait for another run. */
  readonly waitMs: number;
  /** How long it waits for locks and for older transactions in all. */
  readonly maxWaitMs: number;
}

export interface EnsureResult {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** By the server's clock; months are ensured up to `until`. */
  readonly currentMonth: Month;
  readonly until: Month;
  /** Those that were missing, in order of time. */
  readonly months: readonly EnsuredMonth[];
  /** Rows of archived months that were moved, or are to be moved, from the default partition to the archive. */
  readonly lateRows: number;
  /** Rows of archived months that stay in the default partition; `aisec archive` moves them to the archive. */
  readonly rowsOfArchive: readonly { readonly month: Month; readonly rows: number; readonly fix: string }[];
  /** Rows in the default partition that no month can hold: dated infinity, or outside of the years 1 to 9999. */
  readonly undatedRows: number;
  /** Drained default partitions, of this run and of earlier ones. */
  readonly drained: readonly DrainedTable[];
}

const MOST_MONTHS = 1200;

function firstMonth(from: Month | undefined, currentMonth: Month, ahead: number): Month {
  if (from === undefined) return currentMonth;
  if (from > currentMonth) {
    throw new AisecError('USAGE', `--since: ${from} lies in the future`, {
      detail: `By the clock of the server it is ${currentMonth} now, in UTC.`,
      hint: 'Use --ahead for the months to come.',
    });
  }
  const count = monthsBetween(from, currentMonth) + ahead + 1;
  if (count > MOST_MONTHS) {
    throw new AisecError('USAGE', `--since: ${from} lies too far back`, {
      detail: `That would be ${count} months; at most ${MOST_MONTHS} are made.`,
      hint: 'Give a later month. A month with rows in the default partition is made whatever its age.',
    });
  }
  return from;
}

async function withTakenNames(
  session: Session,
  months: readonly PlannedMonth[],
  schema: string,
): Promise<readonly PlannedMonth[]> {
  if (months.length === 0) return [];
  const names = months.map(({ partition }) => partition);
  const { rows } = await session.query<{ name: string; kind: string }>(sqlFile('partitions/names-taken'), [
    schema,
    names,
  ]);
  return markTakenNames(months, new Map(rows.map(({ name, kind }) => [name, kind])), (name) => {
    const kind = rows.find((row) => row.name === name)?.kind.replace(/^an? /, '') ?? 'table';
    return `alter ${kind} ${qualifiedName({ schema, name })} rename to ${quoteIdentifier(boundedName(name, { suffix: '_old' }))};`;
  });
}

function ensuredMonth(planned: PlannedMonth, outcome: MonthOutcome | undefined): EnsuredMonth {
  const { month, partition, problem, fix, rows } = planned;
  if (problem === null && outcome !== undefined) return { month, ...outcome };
  const state = problem === null ? 'planned' : 'failed';
  return { month, partition, state, rows, problem, isLockProblem: false, fix };
}

/** They are copied to tables beside, which Citus would take for local ones. */
function refuseWaiting(month: PlannedMonth): PlannedMonth {
  if (month.rows === 0 || month.problem !== null) return month;
  return {
    ...month,
    problem: 'rows of it wait in the default partition, which cannot be emptied where Citus has distributed the schema',
  };
}

/** While another session has them locked, only a drain has to wait for them. */
async function dropLeftoversIfFree(session: Session, schema: string): Promise<void> {
  try {
    await dropLeftovers(session, schema);
  } catch (error) {
    if (!isAisecError(error, 'LOCK_TIMEOUT')) throw error;
  }
}

const NOTHING_MADE: Made = { outcomes: new Map(), lateRows: new Map(), drained: [] };

function lateRowsOf(
  plan: Plan,
  made: Made,
  publications: readonly PublicationProblem[],
  { isDryRun }: EnsureOptions,
): ReadonlyMap<Month, number> {
  if (!isDryRun) return made.lateRows;
  return new Map(movesLateRows(plan, publications) ? plan.rowsOfArchive.map(({ month, rows }) => [month, rows]) : []);
}

async function ensure(
  session: Session,
  options: EnsureOptions,
  { onProgress }: Pick<Reporting, 'onProgress'>,
): Promise<EnsureResult> {
  const { schema, ahead, isDryRun } = options;
  const budget = new LockBudget(options.maxWaitMs);
  const set = await readPartitions(session, schema);
  if (!set.canEnsure) throw notMigrated(session, schema);
  const { currentMonth } = set;
  const until = addMonths(currentMonth, ahead);
  const from = firstMonth(options.from, currentMonth, ahead);
  if (!isDryRun) await dropLeftoversIfFree(session, schema);
  const earlier = isDryRun ? [] : await dropVerifiedDrained(session);
  const defaultRows = await readingPartitions(() => countDefaultRows(session, defaultPartitionOf(set)));
  const publications = publicationProblems(await readPublications(session, schema), schema);
  const wanted = planMonths(set, defaultRows, { schema, from, until });
  const free = markPublications(await withTakenNames(session, wanted.months, schema), publications);
  const months = (await isDistributed(session, schema)) ? free.map(refuseWaiting) : free;
  const plan: Plan = { ...wanted, months };
  const made = isDryRun
    ? NOTHING_MADE
    : await make(session, plan, { schema, set, defaultRows, publications, budget, onProgress });
  const lateRows = lateRowsOf(plan, made, publications, options);
  return {
    database: session.info.label,
    schema,
    isDryRun,
    currentMonth,
    until,
    months: months.map((planned) => ensuredMonth(planned, made.outcomes.get(planned.month))),
    lateRows: [...lateRows.values()].reduce((sum, rows) => sum + rows, 0),
    rowsOfArchive: plan.rowsOfArchive.flatMap(({ month, rows }) =>
      lateRows.has(month) ? [] : [{ month, rows, fix: archiveLateRows(month, currentMonth, schema) }],
    ),
    undatedRows: defaultRows.undatedRows,
    drained: [...earlier, ...made.drained],
  };
}

/**
 * Makes the months that are missing: those from `from` to `ahead` months after now, those of rows in the default
 * partition, which move in, and gaps. A month that cannot be made does not stop the others and is in the result. A
 * dry run is the same plan, not executed.
 *
 * @throws AisecError MIGRATION_PENDING, RUN_LOCKED, PRIVILEGE_MISSING, USAGE for a `from` that cannot be, CONNECTION_LOST.
 */
export async function ensurePartitions(
  session: Session,
  options: EnsureOptions,
  reporting: Pick<Reporting, 'onProgress'>,
): Promise<EnsureResult> {
  if (options.isDryRun) return ensure(session, options, reporting);
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, () => ensure(session, options, reporting));
}
