import { missingMonths } from '../missing-months.js';
import { coversAnyOf, nameIn, type Partition, type PartitionSet } from '../partition.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { addMonths, monthRange, monthStart, type Month } from '../../../base/month.js';
import type { DefaultRows } from './default-rows.js';
import { finalizeAndAttach } from './fixes.js';
import type { PublicationProblem } from '../publications.js';

export interface PlannedMonth {
  readonly month: Month;
  readonly partition: string;
  /** To move out of the default partition. */
  readonly rows: number;
  /** Why it cannot be made as things stand; null when nothing is seen to be in the way. */
  readonly problem: string | null;
  readonly fix: string | null;
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
  const planned = { month, partition: nameIn('messages', month), rows };
  const pending = covering.find(({ isDetachPending }) => isDetachPending);
  if (pending !== undefined)
    return {
      ...planned,
      problem: `a DETACH CONCURRENTLY of ${pending.name} was not finished`,
      fix: finalizeAndAttach(pending, schema),
    };
  const live = covering.filter(({ root }) => root === 'messages');
  if (live.some((partition) => holdsAllOf(partition, month))) return null;
  const [part] = live;
  if (part !== undefined)
    return {
      ...planned,
      problem: `partition ${part.name} covers a part of the month`,
      fix: `${aisecCommand('partitions check', schema)} shows how to dissolve it`,
    };
  return { ...planned, problem: null, fix: null };
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
      problem: `the name ${planned.partition} is in use by ${kind} that is not the partition of this month`,
      fix: rename(planned.partition),
    };
  });
}

/** Marks the months that a publication stands in the way of: all of them, or those whose rows have to move. */
export function markPublications(
  months: readonly PlannedMonth[],
  problems: readonly PublicationProblem[],
): readonly PlannedMonth[] {
  return months.map((planned) => {
    const found = problems.find(({ refuses }) => refuses === 'all' || (refuses === 'drain' && planned.rows > 0));
    if (found === undefined || planned.problem !== null) return planned;
    return { ...planned, problem: `${found.message}: ${found.impact}`, fix: found.fix };
  });
}

/** ATTACH takes about 5 ms a month while other sessions cannot write to conversations and message_keys. */
const MONTHS_A_DRAIN = 24;
const MONTHS_A_TRANSACTION = 6;

/** The months to drain in one go, the newest first, since what is written now belongs to them. */
export function drainsOf(months: readonly PlannedMonth[]): readonly PlannedMonth[][] {
  return inGroups(months.filter(({ problem, rows }) => problem === null && rows > 0).toReversed(), MONTHS_A_DRAIN);
}

/**
 * The months without rows in the transactions they are made in. Months to come are apart from the others, which need a
 * stronger lock. Each ATTACH reads the default partition under its lock: when that is large, a month has a transaction of
 * its own.
 */
export function transactionsOf(
  months: readonly PlannedMonth[],
  currentMonth: Month,
  isDefaultLarge: boolean,
): readonly PlannedMonth[][] {
  const empty = months.filter(({ problem, rows }) => problem === null && rows === 0);
  return [
    empty.filter(({ month }) => month > currentMonth),
    empty.filter(({ month }) => month <= currentMonth).toReversed(),
  ].flatMap((group) => inGroups(group, isDefaultLarge ? 1 : MONTHS_A_TRANSACTION));
}

function inGroups<Item>(items: readonly Item[], size: number): readonly Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, position) =>
    items.slice(position * size, (position + 1) * size),
  );
}
