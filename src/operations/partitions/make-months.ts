import { isPassingProblem } from '../../adapters/postgres/error.js';
import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { firstDay, formatMonths, type Month } from '../../base/month.js';
import type { PlannedMonth } from './plan.js';

export interface MonthOutcome {
  readonly partition: string;
  readonly state: 'made' | 'exists' | 'failed';
  readonly rows: number;
  readonly problem: string | null;
  readonly isLockProblem: boolean;
  readonly mend: string | null;
}

interface MadeRow {
  readonly month: Month;
  readonly partition_name: string | null;
  readonly created: boolean;
  readonly rows_moved: string;
  readonly problem: string | null;
  readonly problem_code: string | null;
}

function failed(planned: PlannedMonth, problem: string, isLockProblem: boolean): MonthOutcome {
  const mend = isLockProblem ? 'run `aisec partitions ensure` again when that session is done' : null;
  return { partition: planned.partition, state: 'failed', rows: planned.rows, problem, isLockProblem, mend };
}

function outcomeOf(planned: PlannedMonth, row: MadeRow | undefined): MonthOutcome {
  const problem = row === undefined ? 'the server told nothing about it' : row.problem;
  if (problem !== null) return failed(planned, problem, isPassingProblem(row?.problem_code));
  return {
    partition: row?.partition_name ?? planned.partition,
    state: row?.created === true ? 'made' : 'exists',
    rows: Number(row?.rows_moved ?? 0),
    problem: null,
    isLockProblem: false,
    mend: null,
  };
}

async function makeInOneTransaction(
  session: Session,
  schema: string,
  months: readonly PlannedMonth[],
): Promise<ReadonlyMap<Month, MonthOutcome>> {
  const { rows } = await withTransaction(session, () =>
    session.query<MadeRow>(
      `select to_char(month, 'YYYY-MM') as month, partition_name, created, rows_moved, problem, problem_code
       from ${quoteIdentifier(schema)}.make_message_partitions($1::date[])`,
      [months.map(({ month }) => firstDay(month))],
    ),
  );
  const byMonth = new Map(rows.map((row) => [row.month, row]));
  return new Map(months.map((planned) => [planned.month, outcomeOf(planned, byMonth.get(planned.month))]));
}

/** What one transaction fails with is a problem of its months only, unless it would hit every other one as well. */
function asProblem(error: unknown): AisecError {
  if (isAisecError(error, 'LOCK_TIMEOUT', 'DATABASE_FAILED')) return error;
  if (!isAisecError(error, 'PRIVILEGE_MISSING')) throw error;
  throw new AisecError('PRIVILEGE_MISSING', error.message, {
    detail: error.detail,
    hint: 'Run it as the owner of the tables, the role that runs `aisec migrate up`.',
    sqlState: error.sqlState,
    cause: error.cause,
  });
}

function progressText(months: readonly PlannedMonth[], done: number, total: number): string {
  const [first] = months;
  if (first === undefined) return '';
  const count = `${done + 1} of ${total}`;
  if (first.rows > 0) return `moving ${first.rows} rows of ${first.month} out of the default partition (${count})`;
  const all = months.map(({ month }) => month).toSorted();
  return `making ${formatMonths(all[0] ?? first.month, all.at(-1) ?? first.month)} (${count})`;
}

/**
 * Makes months, each group in a transaction of its own, and moves their rows out of the default partition.
 *
 * @throws AisecError PRIVILEGE_MISSING, CONNECTION_LOST, DISK_FULL, INTERRUPTED, TERMINATED; what was committed stays.
 */
export async function makeMonths(
  session: Session,
  schema: string,
  groups: readonly (readonly PlannedMonth[])[],
  onProgress: (text: string) => void,
): Promise<ReadonlyMap<Month, MonthOutcome>> {
  const outcomes = new Map<Month, MonthOutcome>();
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  for (const months of groups) {
    onProgress(progressText(months, outcomes.size, total));
    try {
      for (const [month, outcome] of await makeInOneTransaction(session, schema, months)) outcomes.set(month, outcome);
    } catch (error) {
      const { message, code } = asProblem(error);
      for (const planned of months) outcomes.set(planned.month, failed(planned, message, code === 'LOCK_TIMEOUT'));
    }
  }
  return outcomes;
}
