import { gapsBetween, monthRange, monthsBetween, type Month } from '../../base/month.js';
import { coversAnyOf, type Partition } from './partition.js';

/** The months between those that are there and those wanted, unless a partition with other bounds covers them. */
export function missingMonths(
  partitions: readonly Partition[],
  wanted: readonly Month[],
): readonly (readonly [first: Month, last: Month])[] {
  const known = partitions.flatMap(({ month }) => (month === null ? [] : [month]));
  const odd = partitions.filter(({ month }) => month === null);
  return gapsBetween([...known, ...wanted]).flatMap(([first, last]) => {
    const open = monthRange(first, last).filter((month) => !odd.some((partition) => coversAnyOf(partition, month)));
    return open.length === monthsBetween(first, last) + 1
      ? [[first, last] as const]
      : open.map((month) => [month, month] as const);
  });
}
