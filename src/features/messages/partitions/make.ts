import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import type { Month } from '../../../base/month.js';
import type { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { defaultPartitionOf, qualifiedName, readPartitions, type PartitionSet } from '../partition.js';
import type { PublicationProblem } from '../publications.js';
import type { DefaultRows } from './default-rows.js';
import { drainMonths } from './drain/drain.js';
import { verifyDrained, type DrainedTable } from './drain/drained.js';
import { moveLateRows } from './late-rows.js';
import { makeMonths } from './make-months.js';
import { made, makeTogether, type MonthOutcome, type MonthOutcomes } from './outcome.js';
import { drainsOf, transactionsOf, type Plan, type PlannedMonth } from './plan.js';

/** What there is, and how the plan is carried out. */
export interface Situation {
  readonly schema: string;
  readonly set: PartitionSet;
  readonly defaultRows: DefaultRows;
  readonly publications: readonly PublicationProblem[];
  readonly budget: LockBudget;
  readonly onProgress: (text: string) => void;
}

export interface Made {
  readonly outcomes: MonthOutcomes;
  /** Rows of archived months that were moved to the archive. */
  readonly lateRows: ReadonlyMap<Month, number>;
  /** Default partitions that were drained, compared with messages afterwards. */
  readonly drained: readonly DrainedTable[];
}

/** Each ATTACH of a month reads the default partition under its lock, about 0.1 ms a thousand rows. */
const ROWS_READ_UNDER_LOCKS = 100_000;

/** Whether a drain of the plan takes the late rows to the archive before: a publication may forbid it. */
export function movesLateRows({ months, rowsOfArchive }: Plan, publications: readonly PublicationProblem[]): boolean {
  return (
    rowsOfArchive.length > 0 &&
    drainsOf(months).length > 0 &&
    !publications.some(({ refuses }) => refuses === 'archive' || refuses === 'all')
  );
}

async function drainGroup(
  session: Session,
  group: readonly PlannedMonth[],
  { schema, budget, onProgress }: Situation,
): Promise<{ readonly outcomes: MonthOutcomes; readonly drained: DrainedTable }> {
  const { partitions } = await readPartitions(session, schema);
  const source = defaultPartitionOf({ partitions });
  if (source === undefined)
    throw new AisecError('LOCK_TIMEOUT', 'another session has dropped the default partition of messages');
  const months = group.map(({ month }) => month);
  const { rows, drained } = await drainMonths(session, { schema, source, partitions, months, budget, onProgress });
  onProgress('comparing the drained table with messages');
  const table = qualifiedName({ schema: source.schema, name: drained });
  return {
    outcomes: new Map(group.map(({ month, partition }) => [month, made(partition, rows.get(month) ?? 0)])),
    drained: { ...(await verifyDrained(session, table)), state: 'kept' },
  };
}

async function drainAll(session: Session, plan: Plan, situation: Situation): Promise<Made> {
  const { set, publications, budget, onProgress } = situation;
  const source = defaultPartitionOf(set);
  let lateRows: ReadonlyMap<Month, number> = new Map();
  const outcomes = new Map<Month, MonthOutcome>();
  const drained: DrainedTable[] = [];
  for (const [round, group] of drainsOf(plan.months).entries()) {
    const done = await makeTogether(group, async () => {
      if (round === 0 && source !== undefined && movesLateRows(plan, publications)) {
        const months = plan.rowsOfArchive.map(({ month }) => month);
        lateRows = await moveLateRows(session, { source, months, budget, onProgress });
      }
      const result = await drainGroup(session, group, situation);
      drained.push(result.drained);
      return result.outcomes;
    });
    for (const [month, outcome] of done) outcomes.set(month, outcome);
  }
  return { outcomes, lateRows, drained };
}

/**
 * Carries a plan out: months without rows are made in short transactions, those with rows drained. A month that cannot be
 * made does not stop the others.
 *
 * @throws AisecError PRIVILEGE_MISSING, CONNECTION_LOST, DISK_FULL, INTERRUPTED, TERMINATED; what was committed stays.
 */
export async function make(session: Session, plan: Plan, situation: Situation): Promise<Made> {
  const { schema, set, defaultRows } = situation;
  const rows = [...defaultRows.byMonth.values()].reduce((sum, count) => sum + count, defaultRows.undatedRows);
  const isLarge = rows > ROWS_READ_UNDER_LOCKS;
  const makeEmpty = (): Promise<MonthOutcomes> =>
    makeMonths(session, schema, transactionsOf(plan.months, set.currentMonth, isLarge), situation);
  // The months to come first: a drain can take minutes. Beside a large default partition they come last.
  const early: MonthOutcomes = isLarge ? new Map() : await makeEmpty();
  const drain = await drainAll(session, plan, situation);
  const late: MonthOutcomes = isLarge ? await makeEmpty() : new Map();
  return { ...drain, outcomes: new Map([...early, ...drain.outcomes, ...late]) };
}
