import { withRunLock } from '../../../adapters/postgres/advisory-lock.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { addMonths, monthsBetween, type Month } from '../../../base/month.js';
import type { Reporting } from '../../../base/reporting.js';
import { countDefaultRows, type DefaultRows } from './default-rows.js';
import { abandonDrain, drainMonths } from './drain.js';
import { readingPartitions } from './locked.js';
import { archiveLateRows } from './mend.js';
import { makeMonths } from './make-months.js';
import { makeTogether, type MonthOutcome, type MonthOutcomes } from './outcome.js';
import { notMigrated, qualifiedName, readPartitions } from '../partition.js';
import { markTakenNames, monthsToDrain, planMonths, transactionsOf, type Plan, type PlannedMonth } from './plan.js';

export interface EnsureOptions {
  readonly schema: string;
  /** Months after the current one. */
  readonly ahead: number;
  /** The first month; undefined: the current one. */
  readonly from: Month | undefined;
  readonly isDryRun: boolean;
  /** How long to wait for another run. */
  readonly waitMs: number;
}

export interface EnsuredMonth {
  readonly month: Month;
  readonly partition: string;
  /** `planned` only in a dry run; `exists`: another session made it meanwhile. */
  readonly state: 'planned' | 'made' | 'exists' | 'failed';
  /** Moved out of the default partition, or to be moved. */
  readonly rows: number;
  readonly problem: string | null;
  /** True when a lock was not had: a later run will do. */
  readonly isLockProblem: boolean;
  readonly mend: string | null;
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
  /** Rows in the default partition whose month is in the archive; `aisec archive` moves them there. */
  readonly rowsOfArchive: readonly { readonly month: Month; readonly rows: number; readonly mend: string }[];
  /** Rows in the default partition that no month can hold: dated infinity, or outside of the years 1 to 9999. */
  readonly undatedRows: number;
}

const MOST_MONTHS = 1200;

function firstMonth(from: Month | undefined, currentMonth: Month, ahead: number): Month {
  if (from === undefined) return currentMonth;
  if (from > currentMonth) {
    throw new AisecError('USAGE', `--from: ${from} lies in the future`, {
      detail: `By the clock of the server it is ${currentMonth} now, in UTC.`,
      hint: 'Use --ahead for the months to come.',
    });
  }
  const count = monthsBetween(from, currentMonth) + ahead + 1;
  if (count > MOST_MONTHS) {
    throw new AisecError('USAGE', `--from: ${from} lies too far back`, {
      detail: `That would be ${count} months; at most ${MOST_MONTHS} are made.`,
      hint: 'Give a later month. A month with rows in the default partition is made whatever its age.',
    });
  }
  return from;
}

async function withTakenNames(session: Session, plan: Plan, schema: string): Promise<readonly PlannedMonth[]> {
  if (plan.months.length === 0) return [];
  const names = plan.months.map(({ partition }) => partition);
  const { rows } = await session.query<{ name: string; kind: string }>(sqlFile('partitions/names-taken'), [
    schema,
    names,
  ]);
  return markTakenNames(plan.months, new Map(rows.map(({ name, kind }) => [name, kind])), (name) => {
    const kind = rows.find((row) => row.name === name)?.kind.replace(/^an? /, '') ?? 'table';
    return `alter ${kind} ${qualifiedName({ schema, name })} rename to ${quoteIdentifier(`${name}_old`)};`;
  });
}

function ensuredMonth(planned: PlannedMonth, outcome: MonthOutcome | undefined): EnsuredMonth {
  const { month, partition, problem, mend } = planned;
  if (problem !== null)
    return { month, partition, state: 'failed', rows: planned.rows, problem, isLockProblem: false, mend };
  if (outcome === undefined)
    return { month, partition, state: 'planned', rows: planned.rows, problem, isLockProblem: false, mend };
  return { month, ...outcome };
}

async function make(
  session: Session,
  months: readonly PlannedMonth[],
  { schema, currentMonth, defaultRows }: { schema: string; currentMonth: Month; defaultRows: DefaultRows },
  onProgress: (text: string) => void,
): Promise<MonthOutcomes> {
  const drained = monthsToDrain(months, defaultRows);
  const others = months.filter((planned) => !drained.includes(planned));
  // The months to come first: a drain can take minutes.
  const outcomes = await makeMonths(session, schema, transactionsOf(others, currentMonth), onProgress);
  let drain: MonthOutcomes = new Map();
  try {
    if (drained.length > 0)
      drain = await makeTogether(drained, () => drainMonths(session, schema, drained, onProgress));
  } catch (error) {
    // On a full disk the copies must not stay until the next run; where there is no connection any more, they do.
    await abandonDrain(session, schema).catch(() => undefined);
    throw error;
  }
  await abandonDrain(session, schema);
  return new Map([...outcomes, ...drain]);
}

async function ensure(
  session: Session,
  options: EnsureOptions,
  reporting: Pick<Reporting, 'onProgress'>,
): Promise<EnsureResult> {
  const { schema, ahead, isDryRun } = options;
  const set = await readPartitions(session, schema);
  if (!set.canEnsure) throw notMigrated(session, schema);
  const { currentMonth } = set;
  const until = addMonths(currentMonth, ahead);
  const from = firstMonth(options.from, currentMonth, ahead);
  const defaultPartition = set.partitions.find(({ isDefault, root }) => isDefault && root === 'messages');
  const defaultRows = await readingPartitions(() => countDefaultRows(session, defaultPartition));
  const plan = planMonths(set, defaultRows, { schema, from, until });
  const months = await withTakenNames(session, plan, schema);
  const outcomes = isDryRun
    ? new Map<Month, MonthOutcome>()
    : await make(session, months, { schema, currentMonth, defaultRows }, reporting.onProgress);
  return {
    database: session.info.label,
    schema,
    isDryRun,
    currentMonth,
    until,
    months: months.map((planned) => ensuredMonth(planned, outcomes.get(planned.month))),
    rowsOfArchive: plan.rowsOfArchive.map(({ month, rows }) => ({
      month,
      rows,
      mend: archiveLateRows(month, currentMonth, schema),
    })),
    undatedRows: defaultRows.undatedRows,
  };
}

/**
 * Makes the months that are missing: those from `from` to `ahead` months after now, those of rows in the default
 * partition, which move in, and gaps. Every transaction is short; a month that cannot be made does not stop the others
 * and is told in the result. A dry run is the same plan, not executed.
 *
 * @throws AisecError MIGRATION_PENDING, RUN_LOCKED, PRIVILEGE_MISSING, USAGE for a `from` that cannot be, CONNECTION_LOST.
 */
export async function ensurePartitions(
  session: Session,
  options: EnsureOptions,
  reporting: Pick<Reporting, 'onProgress'>,
): Promise<EnsureResult> {
  if (options.isDryRun) return ensure(session, options, reporting);
  const lock = {
    waitMs: options.waitMs,
    onProgress: reporting.onProgress,
  };
  return withRunLock(session, lock, () => ensure(session, options, reporting));
}
