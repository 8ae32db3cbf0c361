import { missingMonths } from '../missing-months.js';
import { coversAnyOf, partitionName, type Partition, type PartitionSet } from '../partition.js';
import { aisecCommand } from '../../../base/aisec-command.js';
import { addMonths, monthRange, monthStart, type Month } from '../../../base/month.js';
import type { DefaultRows } from './default-rows.js';
import { finalizeAndAttach } from './mend.js';

export interface PlannedMonth {
  readonly month: Month;
  readonly partition: string;
  /** To move out of the default partition. */
  readonly rows: number;
  /** Why it cannot be made as things stand; null when nothing is seen to be in the way. */
  readonly problem: string | null;
  readonly mend: string | null;
}

export interface Plan {
  /** In order of time; empty when there is nothing to do. */
  readonly months: readonly PlannedMonth[];
  /** Rows of months that are in the archive: making those months again would split them. */
  readonly rowsOfArchive: readonly { readonly month: Month; readonly rows: number }[];
}

export interface PlanWishes {
  readonly schema: string;
  readonly from: Month;
  readonly until: Month;
}

/** Whether the partition holds the whole month, so that there is nothing to make. */
function holdsAllOf(partition: Partition, month: Month): boolean {
  const { lowerBound, upperBound } = partition;
  if (partition.month !== null) return partition.month === month;
  if (lowerBound === null || upperBound === null) return false;
  const start = monthStart(month);
  const end = monthStart(addMonths(month, 1));
  return (lowerBound === '-infinity' || lowerBound <= start) && (upperBound === 'infinity' || upperBound >= end);
}

function planMonth(month: Month, rows: number, covering: readonly Partition[], schema: string): PlannedMonth | null {
  const planned = { month, partition: partitionName(month), rows };
  const pending = covering.find(({ isDetachPending }) => isDetachPending);
  if (pending !== undefined)
    return {
      ...planned,
      problem: `a detach of ${pending.name} was begun and never finished`,
      mend: finalizeAndAttach(pending, schema),
    };
  const live = covering.filter(({ root }) => root === 'messages');
  if (live.some((partition) => holdsAllOf(partition, month))) return null;
  const [part] = live;
  if (part !== undefined)
    return {
      ...planned,
      problem: `partition ${part.name} covers a part of the month`,
      mend: `${aisecCommand('partitions check', schema)} tells how to take it away`,
    };
  return { ...planned, problem: null, mend: null };
}

/**
 * Which months are to be made: the range, the months of rows in the default partition, and gaps of up to a year. Months
 * are known by the bounds of their partitions. The horizon counts from now: a row dated 2100 makes its own month only.
 */
export function planMonths({ partitions }: PartitionSet, defaultRows: DefaultRows, wishes: PlanWishes): Plan {
  const range = [...monthRange(wishes.from, wishes.until), ...defaultRows.byMonth.keys()];
  const gaps = missingMonths(partitions, range).flatMap(([first, last]) => monthRange(first, last));
  const wanted = [...new Set([...range, ...gaps])].toSorted();
  const months: PlannedMonth[] = [];
  const rowsOfArchive: { month: Month; rows: number }[] = [];
  for (const month of wanted) {
    const rows = defaultRows.byMonth.get(month) ?? 0;
    const covering = partitions.filter((partition) => coversAnyOf(partition, month));
    const isArchivedOnly = covering.length > 0 && covering.every(({ root }) => root === 'messages_archive');
    if (isArchivedOnly && !covering.some(({ isDetachPending }) => isDetachPending)) {
      if (rows > 0) rowsOfArchive.push({ month, rows });
      continue;
    }
    const planned = planMonth(month, rows, covering, wishes.schema);
    if (planned !== null) months.push(planned);
  }
  return { months, rowsOfArchive };
}

/** Marks the months whose name belongs to something that is no partition of messages. */
export function markTakenNames(
  months: readonly PlannedMonth[],
  taken: ReadonlyMap<string, string>,
  rename: (name: string) => string,
): readonly PlannedMonth[] {
  return months.map((planned) => {
    const kind = taken.get(planned.partition);
    if (kind === undefined || planned.problem !== null) return planned;
    return {
      ...planned,
      problem: `the name ${planned.partition} is taken by ${kind} that is not the partition of this month`,
      mend: rename(planned.partition),
    };
  });
}

// Moving a row under the locks takes 4 µs: with more of them writers wait longer than for a lock.
const MOST_ROWS_TO_MOVE = 10_000;
// A default partition that becomes a month is read once under the locks, to prove its bounds: about 1 µs a row.
const MOST_ROWS_TO_SWAP = 50_000;
// As default_month_to_swap() has it: of the rows left, at most one in nine may be of another month.
const LEAST_SHARE_TO_SWAP = 8;

/**
 * The months to drain by copying them beside (see drain.ts): all that have rows in the default partition when one of
 * them has too many to be moved, unless it is the last one left, which the default partition itself becomes.
 */
export function monthsToDrain(months: readonly PlannedMonth[], defaultRows: DefaultRows): readonly PlannedMonth[] {
  const filled = months.filter(({ problem, rows }) => problem === null && rows > 0);
  const [largest = 0, next = 0] = filled.map(({ rows }) => rows).toSorted((a, b) => b - a);
  if (largest <= MOST_ROWS_TO_MOVE) return [];
  const allRows = [...defaultRows.byMonth.values()].reduce((sum, rows) => sum + rows, defaultRows.undatedRows);
  const rowsThatStay = allRows - filled.reduce((sum, { rows }) => sum + rows, 0);
  const canSwap =
    largest <= MOST_ROWS_TO_SWAP &&
    next <= MOST_ROWS_TO_MOVE &&
    rowsThatStay <= MOST_ROWS_TO_MOVE &&
    largest >= LEAST_SHARE_TO_SWAP * rowsThatStay;
  return canSwap ? [] : filled;
}

const MONTHS_A_TRANSACTION = 6;

/**
 * The months of a plan in the transactions they are made in. ATTACH takes about 5 ms a month while other sessions cannot
 * write to conversations and message_keys, so a transaction attaches 6 at most; months to come go apart from the others,
 * which need a stronger lock. Months with rows go alone, the largest last: by then it has the default partition to itself,
 * which becomes that month without a row being moved.
 */
export function transactionsOf(months: readonly PlannedMonth[], currentMonth: Month): readonly PlannedMonth[][] {
  const makeable = months.filter(({ problem }) => problem === null);
  const empty = makeable.filter(({ rows }) => rows === 0);
  const chunks = [
    empty.filter(({ month }) => month > currentMonth),
    empty.filter(({ month }) => month <= currentMonth).toReversed(),
  ].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MONTHS_A_TRANSACTION) }, (_, position) =>
      group.slice(position * MONTHS_A_TRANSACTION, (position + 1) * MONTHS_A_TRANSACTION),
    ),
  );
  const filled = makeable.filter(({ rows }) => rows > 0).toSorted((a, b) => a.rows - b.rows);
  return [...chunks, ...filled.map((planned) => [planned])];
}
