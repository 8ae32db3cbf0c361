import { readReportHeader } from './inspection/report-header.js';
import { inReadOnly } from './inspection/read-only.js';
import {
  missingMonths,
  countMonthsAhead,
  readPartitions,
  type PartitionSet,
  type Root,
  partitionState,
  type PartitionState,
} from '../messages/index.js';
import type { Session } from '../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { monthRange, type Month } from '../../base/month.js';
import type { Report } from './report.js';
import { readTableSizes, type LogicalTable, type TablePartition, type TableSize } from './table-sizes.js';

/** `missing`: a month that is wanted, or lies between others, and has no partition. */
export type MonthState = PartitionState | 'missing';

/** Sizes as of tables; all null for a missing month, and when the partition went away between two looks. */
type MonthSize = { readonly [Name in keyof TableSize]: TableSize[Name] | null };

export interface MonitoredMonth extends MonthSize {
  /** Null for the default partition and for odd bounds. */
  readonly month: Month | null;
  readonly state: MonthState;
  readonly table: Root;
  /** As SQL takes it; null for a missing month. */
  readonly partition: string | null;
}

export interface PartitionsReport extends Report {
  readonly currentMonth: Month;
  /** Months after the current one that have a partition, up to the first that has none; -1 when the current one has none. */
  readonly monthsAhead: number;
  /** By month, the default partition last. */
  readonly months: readonly MonitoredMonth[];
}

const NO_SIZE: MonthSize = {
  totalBytes: null,
  heapBytes: null,
  mapBytes: null,
  toastBytes: null,
  indexBytes: null,
  isEstimated: null,
  lockedBy: null,
  rows: null,
  deadRows: null,
};

function sizeOf(leaf: TablePartition | undefined): MonthSize {
  if (leaf === undefined) return NO_SIZE;
  const { schema: _schema, table: _table, identifier: _identifier, ...size } = leaf;
  return size;
}

/** Gaps between the months that are there, and the current one; months further ahead are no loss yet. */
function missing(set: PartitionSet): readonly MonitoredMonth[] {
  const attached = set.partitions.filter(({ isDetachPending }) => !isDetachPending);
  const gaps = missingMonths(attached, []).flatMap(([first, last]) => monthRange(first, last));
  const months = countMonthsAhead(set) < 0 ? [...new Set([...gaps, set.currentMonth])] : gaps;
  return months.map((month) => ({ month, state: 'missing', table: 'messages', partition: null, ...NO_SIZE }));
}

/** A half-archived month has two partitions; what has no month comes last. */
function inOrder(one: MonitoredMonth, other: MonitoredMonth): number {
  if (one.month === other.month) return one.table < other.table ? 1 : -1;
  if (one.month === null || other.month === null) return one.month === null ? 1 : -1;
  return one.month < other.month ? -1 : 1;
}

/**
 * The calendar of messages and messages_archive: which months are there, in which state, and how large they are.
 *
 * @param known the sizes, where they were just read
 * @throws AisecError MIGRATION_PENDING when the tables are not there.
 */
export async function monitorPartitions(
  session: Session,
  schema: string,
  known?: readonly LogicalTable[],
): Promise<PartitionsReport> {
  const header = await readReportHeader(session, schema);
  const set = await inReadOnly(session, () => readPartitions(session, schema));
  const tables = known ?? (await readTableSizes(session, schema));
  const leaves = tables.flatMap(({ partitions }) => partitions);
  const months = set.partitions.map((partition): MonitoredMonth => {
    const leaf = leaves.find(({ schema: own, table }) => own === partition.schema && table === partition.name);
    return {
      month: partition.month,
      state: partitionState(partition, set.currentMonth),
      table: partition.root,
      partition: leaf?.identifier ?? quoteIdentifier(partition.name),
      ...sizeOf(leaf),
    };
  });
  return {
    ...header,
    skipped: [],
    currentMonth: set.currentMonth,
    monthsAhead: countMonthsAhead(set),
    months: [...months, ...missing(set)].toSorted(inOrder),
  };
}
