import { monthRange, type Month } from '../../../base/month.js';
import type { MonitoredMonth, PartitionsReport } from '../partitions.js';
import type { ClosedMonth } from './forecast.js';

export interface MonthOfMessages extends ClosedMonth {
  readonly state: 'closed' | 'current';
}

function ofMonth(month: Month, state: MonthOfMessages['state'], parts: readonly MonitoredMonth[]): MonthOfMessages {
  const rows = parts.map((part) => part.rows).filter((count) => count !== null);
  return {
    month,
    state,
    sizeBytes: parts.reduce((sum, { totalBytes }) => sum + (totalBytes ?? 0), 0),
    rows: rows.length === parts.length ? rows.reduce((sum, count) => sum + count, 0) : null,
  };
}

/**
 * What each month up to the current one takes, live and archived together: from the first with a message on, and only
 * behind the last month that is missing, whose messages are unknown.
 */
export function monthSizes({ months, currentMonth }: PartitionsReport): readonly MonthOfMessages[] {
  const past = months.filter(({ month, state }) => month !== null && month <= currentMonth && state !== 'detaching');
  const filled = past.filter(({ heapBytes }) => heapBytes !== null && heapBytes > 0).map(({ month }) => month as Month);
  const first = filled.toSorted()[0];
  if (first === undefined) return [];
  const all = monthRange(first, currentMonth);
  const partsOf = (month: Month): readonly MonitoredMonth[] =>
    past.filter((part) => part.month === month && part.state !== 'missing');
  const lastGap = all.findLastIndex((month) => month < currentMonth && partsOf(month).length === 0);
  return all
    .slice(lastGap + 1)
    .map((month) => ofMonth(month, month === currentMonth ? 'current' : 'closed', partsOf(month)));
}
