import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Month } from '../../../base/month.js';
import { readingPartitions } from './locked.js';
import { readPartitions, type Partition } from '../partition.js';
import { partitionState, type PartitionState } from '../partition-state.js';
import { sizesOnNode } from '../../tenant/index.js';

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

interface SizeRow extends Pick<ListedPartition, 'rowEstimate' | 'sizeBytes'> {
  readonly schema: string;
  readonly name: string;
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
  const keyOf = (partition: Pick<Partition, 'schema' | 'name'>): string =>
    JSON.stringify([partition.schema, partition.name]);
  const sizes = new Map(rows.map((row) => [keyOf(row), row]));
  return {
    database: session.info.label,
    schema,
    partitions: partitions.map((partition) => {
      const here = sizes.get(keyOf(partition));
      // That of a partition on a node of Citus goes before that of the empty one here.
      const there = here && onNode?.get(here.name);
      return {
        table: partition.root,
        partition: partition.name,
        month: partition.month,
        lowerBound: partition.lowerBound,
        upperBound: partition.upperBound,
        rowEstimate: (there === undefined ? here?.rowEstimate : there.rows) ?? null,
        sizeBytes: there?.totalBytes ?? here?.sizeBytes ?? null,
        state: partitionState(partition, currentMonth),
      };
    }),
  };
}
