import { isPassingProblem } from '../../../adapters/postgres/error.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { firstDay, formatMonths, type Month } from '../../../base/month.js';
import type { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { withLockRetries, type RetryOptions } from '../lock-retries.js';
import { failed, made, makeTogether, type MonthOutcome, type MonthOutcomes } from './outcome.js';
import type { PlannedMonth } from './plan.js';

interface MadeRow {
  readonly month: Month;
  readonly partition_name: string | null;
  readonly created: boolean;
  readonly problem: string | null;
  readonly problem_code: string | null;
}

function outcomeOf(planned: PlannedMonth, row: MadeRow | undefined): MonthOutcome {
  const problem = row === undefined ? 'the server did not report on it' : row.problem;
  if (problem !== null) return failed(planned, problem, isPassingProblem(row?.problem_code));
  return made(row?.partition_name ?? planned.partition, 0, row?.created === true ? 'made' : 'exists');
}

async function makeInOneTransaction(
  session: Session,
  schema: string,
  months: readonly PlannedMonth[],
): Promise<MonthOutcomes> {
  const { rows } = await withTransaction(session, () =>
    session.query<MadeRow>(
      `select to_char(month, 'YYYY-MM') as month, partition_name, created, problem, problem_code
       from ${quoteIdentifier(schema)}.aisec_make_message_partitions($1::date[])`,
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
  const all = months.map(({ month }) => month).toSorted();
  return `making ${formatMonths(all[0] ?? first.month, all.at(-1) ?? first.month)} (${count})`;
}

/** Retries while another session holds a lock. The last outcomes stand when the budget is spent. */
async function makeWithRetries(
  session: Session,
  schema: string,
  months: readonly PlannedMonth[],
  retries: RetryOptions,
): Promise<MonthOutcomes> {
  let outcomes: MonthOutcomes | undefined;
  try {
    return await withLockRetries(session, retries, async () => {
      outcomes = undefined;
      outcomes = await makeInOneTransaction(session, schema, months);
      const locked = [...outcomes.values()].find(({ isLockProblem }) => isLockProblem);
      if (locked !== undefined) throw new AisecError('LOCK_TIMEOUT', locked.problem ?? 'a table is locked');
      return outcomes;
    });
  } catch (error) {
    if (outcomes === undefined) throw error;
    return outcomes;
  }
}

/**
 * Makes months that have no rows yet, each group in a transaction of its own. One that has got rows meanwhile fails; the
 * next run drains it.
 *
 * @throws AisecError PRIVILEGE_MISSING, CONNECTION_LOST, DISK_FULL, INTERRUPTED, TERMINATED; what was committed stays.
 */
export async function makeMonths(
  session: Session,
  schema: string,
  groups: readonly (readonly PlannedMonth[])[],
  { budget, onProgress }: { readonly budget: LockBudget; readonly onProgress: (text: string) => void },
): Promise<MonthOutcomes> {
  const outcomes = new Map<Month, MonthOutcome>();
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  for (const months of groups) {
    onProgress(progressText(months, outcomes.size, total));
    const onRetry = (reason: string): void => onProgress(`waiting for a lock: ${reason}`);
    const done = await makeTogether(months, () => makeWithRetries(session, schema, months, { budget, onRetry }));
    for (const [month, outcome] of done) outcomes.set(month, outcome);
  }
  return outcomes;
}
