import { whileMeasuring } from './inspection/measuring.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { groupBy } from '../../base/group-by.js';
import { isDistributed, sizesOfTenant } from '../tenant/index.js';

/** Of one table or partition, or summed over the partitions of a table. Heap, maps, TOAST and indexes are the total. */
export interface TableSize {
  readonly totalBytes: number;
  readonly heapBytes: number;
  /** Free space map and visibility map. */
  readonly mapBytes: number;
  /** With its index. */
  readonly toastBytes: number;
  readonly indexBytes: number;
  /** Some of it is from the pages last counted, since a session has it locked. */
  readonly isEstimated: boolean;
  /** The session (pid) that has a part of it locked whole, or waits to. */
  readonly lockedBy: number | null;
  /** As the statistics have it; null when it was never counted. */
  readonly rows: number | null;
  /** Null when there are no counters, as after a crash and on a standby. */
  readonly deadRows: number | null;
}

export interface TablePartition extends TableSize {
  readonly schema: string;
  readonly table: string;
  readonly identifier: string;
}

/** A table as its users know it, with the partitions that hold rows themselves. */
export interface LogicalTable extends TablePartition {
  readonly isPartitioned: boolean;
  /** By name; empty for a plain table. */
  readonly partitions: readonly TablePartition[];
}

interface TableRow extends TablePartition {
  readonly rootOid: string;
  readonly isRoot: boolean;
  readonly isPartitioned: boolean;
}

/** The sum of what is known; null when nothing is. */
function sumOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 && values.length > 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function rollUp(leaves: readonly TablePartition[]): TableSize {
  const sum = (read: (leaf: TablePartition) => number): number => leaves.reduce((total, leaf) => total + read(leaf), 0);
  return {
    totalBytes: sum((leaf) => leaf.totalBytes),
    heapBytes: sum((leaf) => leaf.heapBytes),
    mapBytes: sum((leaf) => leaf.mapBytes),
    toastBytes: sum((leaf) => leaf.toastBytes),
    indexBytes: sum((leaf) => leaf.indexBytes),
    isEstimated: leaves.some((leaf) => leaf.isEstimated),
    lockedBy: leaves.find((leaf) => leaf.lockedBy !== null)?.lockedBy ?? null,
    rows: sumOfKnown(leaves.map((leaf) => leaf.rows)),
    deadRows: sumOfKnown(leaves.map((leaf) => leaf.deadRows)),
  };
}

/** What stores rows of one logical table is summed; the partitioned ones above it store nothing. */
function tableOf(rows: readonly TableRow[], root: TableRow): LogicalTable {
  const { schema, table, identifier, isPartitioned } = root;
  const leaves = rows
    .filter((row) => !row.isPartitioned)
    .map(({ rootOid: _rootOid, isRoot: _isRoot, isPartitioned: _isPartitioned, ...leaf }) => leaf);
  return { schema, table, identifier, ...rollUp(leaves), isPartitioned, partitions: isPartitioned ? leaves : [] };
}

/**
 * The tables of a schema with their sizes. A relation that another session has locked whole is estimated and said to be; nothing
 * waits for it.
 */
export async function readTableSizes(session: Session, schema: string): Promise<readonly LogicalTable[]> {
  const rows = (await isDistributed(session, schema))
    ? await sizesOfTenant<TableRow>(session, schema)
    : (
        await whileMeasuring(session, (isEstimated) =>
          session.query<TableRow>(sqlFile('monitor/tables'), [schema, isEstimated]),
        )
      ).rows;
  return [...groupBy(rows, ({ rootOid }) => rootOid).values()].flatMap((family) => {
    const root = family.find(({ isRoot }) => isRoot);
    return root === undefined ? [] : [tableOf(family, root)];
  });
}
