import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Month } from '../../../base/month.js';
import { readingPartitions } from './locked.js';
import { readPartitions, type Partition } from '../partition.js';
import { partitionState, type PartitionState } from '../partition-state.js';
import { sizesOnNode, type SizeOnNode } from '../../tenant/index.js';

export interface ListedPartition {
  readonly table: Partition['root'];
  readonly partition: string;
  /** Null for the default partition and for odd bounds. */
  readonly month: Month | null;
  /** RFC 3339 in UTC, `-infinity` or `infinity`; null for the default partition. */
  readonly lowerBound: string | null;
  readonly upperBound: string | null;
  /** As the statistics have it; null when the partition was never analyzed. */
  readonly rowEstimate: number | null;
  /** With indexes and TOAST; null when it went away between two looks. */
  readonly sizeBytes: number | null;
  readonly state: PartitionState;
}

export interface PartitionListing {
  readonly database: string;
  readonly schema: string;
  readonly partitions: readonly ListedPartition[];
}

interface SizeRow {
  readonly partition_schema: string;
  readonly partition: string;
  readonly row_estimate: string | null;
  readonly size_bytes: string;
}

const NO_SIZE = { rowEstimate: null, sizeBytes: null };

/** That of a partition on a node of Citus goes before that of the empty one here. */
function sizeOf(row: SizeRow, onNode: SizeOnNode | undefined): Pick<ListedPartition, 'rowEstimate' | 'sizeBytes'> {
  if (onNode !== undefined) return { rowEstimate: onNode.rows, sizeBytes: onNode.totalBytes };
  return {
    rowEstimate: row.row_estimate === null ? null : Number(row.row_estimate),
    sizeBytes: Number(row.size_bytes),
  };
}

/**
 * Every partition of messages and messages_archive, in two queries however many there are.
 *
 * @throws AisecError MIGRATION_PENDING when the tables are not there; LOCK_TIMEOUT when a partition is locked whole.
 */
export async function listPartitions(session: Session, schema: string): Promise<PartitionListing> {
  const { currentMonth, partitions } = await readPartitions(session, schema);
  const { rows } = await readingPartitions(() => session.query<SizeRow>(sqlFile('partitions/sizes'), [schema]));
  const onNode = await sizesOnNode(session, schema);
  const key = (partitionSchema: string, name: string): string => JSON.stringify([partitionSchema, name]);
  const sizes = new Map(rows.map((row) => [key(row.partition_schema, row.partition), row]));
  return {
    database: session.info.label,
    schema,
    partitions: partitions.map((partition) => {
      const size = sizes.get(key(partition.schema, partition.name));
      return {
        table: partition.root,
        partition: partition.name,
        month: partition.month,
        lowerBound: partition.lowerBound,
        upperBound: partition.upperBound,
        ...(size === undefined ? NO_SIZE : sizeOf(size, onNode?.get(size.partition))),
        state: partitionState(partition, currentMonth),
      };
    }),
  };
}
