import { isPassingProblem } from '../../../adapters/postgres/error.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { firstDay, formatMonths, type Month } from '../../../base/month.js';
import { failed, makeTogether, type MonthOutcome, type MonthOutcomes } from './outcome.js';
import type { PlannedMonth } from './plan.js';

interface MadeRow {
  readonly month: Month;
  readonly partition_name: string | null;
  readonly created: boolean;
  readonly rows_moved: string;
  readonly problem: string | null;
  readonly problem_code: string | null;
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
): Promise<MonthOutcomes> {
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
): Promise<MonthOutcomes> {
  const outcomes = new Map<Month, MonthOutcome>();
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  for (const months of groups) {
    onProgress(progressText(months, outcomes.size, total));
    const made = await makeTogether(months, () => makeInOneTransaction(session, schema, months));
    for (const [month, outcome] of made) outcomes.set(month, outcome);
  }
  return outcomes;
}
