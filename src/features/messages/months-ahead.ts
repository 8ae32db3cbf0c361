import { addMonths, monthRange, type Month } from '../../base/month.js';
import { coversAnyOf, type PartitionSet } from './partition.js';

const MOST_AHEAD = 1200;

/** How many months after the current one have a partition of messages, without a gap; -1 when the current one has none. */
export function countMonthsAhead({ currentMonth, partitions }: PartitionSet): number {
  const live = partitions.filter(({ root, isDetachPending }) => root === 'messages' && !isDetachPending);
  const isMissing = (month: Month): boolean => !live.some((partition) => coversAnyOf(partition, month));
  const first = monthRange(currentMonth, addMonths(currentMonth, MOST_AHEAD)).findIndex(isMissing);
  return first < 0 ? MOST_AHEAD : first - 1;
}
