import type { Month } from '../../base/month.js';
import type { Partition } from './partition.js';

/** `odd`: its bounds are not those of a calendar month in UTC; `detaching`: a detach of it was never finished. */
export type PartitionState = 'archived' | 'closed' | 'current' | 'ahead' | 'default' | 'odd' | 'detaching';

/** Where a partition stands in the life of its month. */
export function partitionState(partition: Partition, currentMonth: Month): PartitionState {
  if (partition.isDetachPending) return 'detaching';
  if (partition.isDefault) return 'default';
  if (partition.month === null) return 'odd';
  if (partition.root === 'messages_archive') return 'archived';
  if (partition.month === currentMonth) return 'current';
  return partition.month < currentMonth ? 'closed' : 'ahead';
}
