import type { Finding } from '../../../base/finding.js';
import { monthEndMs, monthOf, monthStartMs, parseMonth, type Month } from '../../../base/month.js';
import { generalFindings, oddPartitionFinding, partitionFindings } from './findings.js';
import { holdsSomeOf, type ArchiveFacts, type PartitionFacts } from './facts.js';
import { locksOfMove, locksOfSwap, type LockWish } from './locks.js';

/**
 * `swap`: the whole partition changes its parent. `finish`: the archive has a part already; the rest is moved in batches
 * and the empty partition dropped. `move late rows`: rows in the default partition join their month in the archive, which
 * is made when it does not exist. `move older rows`: --exact, a part of the boundary month.
 */
export type MonthAction = 'swap' | 'finish' | 'move late rows' | 'move older rows';

export interface MonthPlan {
  /** A month; the lower bound of a partition that is none. */
  readonly month: string;
  readonly action: MonthAction;
  /** Quoted; null while it has to be made. */
  readonly partition: string | null;
  /** Tables whose rows are moved one by one, quoted. */
  readonly sources: readonly string[];
  readonly rows: number | null;
  readonly rowsAreExact: boolean;
  readonly sizeBytes: number;
  /** A CHECK equal to the bounds is added and validated first, so that the move need not scan under a lock. */
  readonly boundCheck: 'present' | 'add' | 'validate';
  readonly locks: readonly LockWish[];
  readonly findings: readonly Finding[];
}

export interface ArchivePlan {
  /** Epoch milliseconds: only messages older than this go. */
  readonly cutoffMs: number;
  readonly months: readonly MonthPlan[];
}

/** A plan that can be carried out: of a month. */
export interface WholeMonthPlan extends MonthPlan {
  readonly month: Month;
}

export function isOfMonth(plan: MonthPlan): plan is WholeMonthPlan {
  return parseMonth(plan.month) !== undefined;
}

/** Rows of the default partition, by month. */
export interface WaitingRows {
  readonly month: Month;
  readonly rows: number;
}

function boundCheckOf(partition: PartitionFacts): MonthPlan['boundCheck'] {
  if (partition.boundCheck === null) return 'add';
  return partition.boundCheck.isValid ? 'present' : 'validate';
}

interface Parts {
  readonly facts: ArchiveFacts;
  readonly general: readonly Finding[];
  readonly waiting: ReadonlyMap<Month, number>;
}

function archivedPart({ facts }: Parts, month: Month): PartitionFacts | undefined {
  return facts.partitions.find(({ root, month: own }) => root === 'messages_archive' && own === month);
}

/** A partition of the archive that holds some of the month and more or less than it. */
function archivedOtherwise({ facts }: Parts, month: Month): readonly Finding[] {
  return facts.partitions
    .filter(
      (partition) =>
        partition.root === 'messages_archive' && partition.month !== month && holdsSomeOf(partition, month),
    )
    .map(({ relation, lowerBound, upperBound }) => ({
      id: `archived-otherwise:${relation}`,
      severity: 'critical',
      object: relation,
      message: `${relation} of the archive holds a part of the month (${lowerBound ?? ''} to ${upperBound ?? ''})`,
      impact: 'the month stays where it is until the rows of that partition are in one of the whole month',
      fix: null,
    }));
}

function wholeMonth(parts: Parts, partition: PartitionFacts, month: Month): MonthPlan {
  const { surroundings } = parts.facts;
  const isFinish = archivedPart(parts, month) !== undefined;
  const late = parts.waiting.get(month) ?? 0;
  const sources = isFinish ? [partition.relation] : [];
  if (isFinish && late > 0 && surroundings.defaultPartition !== null) sources.push(surroundings.defaultPartition);
  const swap = locksOfSwap(surroundings, partition.relation);
  return {
    month,
    action: isFinish ? 'finish' : 'swap',
    partition: partition.relation,
    sources,
    rows: partition.rowEstimate === null ? null : partition.rowEstimate + (isFinish ? late : 0),
    rowsAreExact: false,
    sizeBytes: partition.sizeBytes,
    boundCheck: isFinish ? 'present' : boundCheckOf(partition),
    locks: isFinish ? [...locksOfMove(sources), ...swap] : swap,
    findings: [
      ...parts.general,
      ...partitionFindings(partition, 'messages_archive', surroundings),
      ...archivedOtherwise(parts, month),
    ],
  };
}

/** `isBoundary`: only a part of its rows is older than the cutoff. */
function waitingMonth(parts: Parts, month: Month, rows: number, isBoundary: boolean): MonthPlan {
  const { surroundings } = parts.facts;
  const sources = surroundings.defaultPartition === null ? [] : [surroundings.defaultPartition];
  return {
    month,
    action: isBoundary ? 'move older rows' : 'move late rows',
    partition: null,
    sources,
    rows,
    rowsAreExact: true,
    sizeBytes: 0,
    boundCheck: 'present',
    locks: locksOfMove(sources),
    findings: [...parts.general, ...archivedOtherwise(parts, month)],
  };
}

function boundaryMonth(parts: Parts, cutoffMs: number): MonthPlan | undefined {
  const month = monthOf(new Date(cutoffMs));
  const { surroundings, partitions } = parts.facts;
  if (monthStartMs(month) >= cutoffMs) return undefined;
  const partition = partitions.find(({ root, month: own }) => root === 'messages' && own === month);
  const waiting = parts.waiting.get(month) ?? 0;
  if (partition === undefined) return waiting > 0 ? waitingMonth(parts, month, waiting, true) : undefined;
  const sources = [partition.relation];
  if (waiting > 0 && surroundings.defaultPartition !== null) sources.push(surroundings.defaultPartition);
  const pending = partitionFindings(
    { ...partition, indexFaults: [], missingChecks: [] },
    'messages_archive',
    surroundings,
  );
  return {
    month,
    action: 'move older rows',
    partition: partition.relation,
    sources,
    rows: null,
    rowsAreExact: false,
    sizeBytes: partition.sizeBytes,
    boundCheck: 'present',
    locks: locksOfMove(sources),
    findings: [...parts.general, ...pending, ...archivedOtherwise(parts, month)],
  };
}

function oddPlan(parts: Parts, partition: PartitionFacts): MonthPlan {
  return {
    month: partition.lowerBound ?? '-infinity',
    action: 'swap',
    partition: partition.relation,
    sources: [],
    rows: partition.rowEstimate,
    rowsAreExact: false,
    sizeBytes: partition.sizeBytes,
    boundCheck: 'present',
    locks: [],
    findings: [...parts.general, oddPartitionFinding(partition)],
  };
}

/** What `aisec archive` has to do; pure, and the same for the dry run. `waiting`: rows of the default partition before the cutoff. */
export function planArchive(
  facts: ArchiveFacts,
  waiting: readonly WaitingRows[],
  cutoffMs: number,
  isExact: boolean,
): ArchivePlan {
  const parts: Parts = {
    facts,
    general: generalFindings(facts.surroundings),
    waiting: new Map(waiting.map(({ month, rows }) => [month, rows])),
  };
  const live = facts.partitions.filter(({ root, isDefault }) => root === 'messages' && !isDefault);
  const old = live.filter(({ upperMs }) => upperMs <= cutoffMs);
  const months = old.map((partition) =>
    partition.month === null ? oddPlan(parts, partition) : wholeMonth(parts, partition, partition.month),
  );
  const covered = (month: Month): boolean => live.some((partition) => holdsSomeOf(partition, month));
  const late = waiting
    .filter(({ month }) => monthEndMs(month) <= cutoffMs && !covered(month))
    .map(({ month, rows }) => waitingMonth(parts, month, rows, false));
  const boundary = isExact ? boundaryMonth(parts, cutoffMs) : undefined;
  const sorted = [...months, ...late].sort((a, b) => (a.month < b.month ? -1 : 1));
  return {
    cutoffMs,
    months: boundary === undefined ? sorted : [...sorted, boundary],
  };
}
