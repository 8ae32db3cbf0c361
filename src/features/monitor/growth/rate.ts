import type { Range } from './forecast.js';
import { DAY_MS } from '../../../base/duration.js';
import { median } from '../../../base/median.js';

/** A size at a time. */
export interface SizeAt {
  readonly atMs: number;
  readonly sizeBytes: number;
}

/** Shorter, a nightly job looks like growth. */
const LEAST_SPAN_DAYS = 7;
const LEAST_RECORDS = 3;

/**
 * Bytes a day between records in the order of time: the median over every two that are at least half of the whole span
 * apart, and the smallest and largest of these. Undefined for fewer than three records or less than seven days.
 */
export function dailyRate(records: readonly SizeAt[]): Range | undefined {
  const [first, last] = [records.at(0), records.at(-1)];
  if (first === undefined || last === undefined || records.length < LEAST_RECORDS) return undefined;
  const spanMs = last.atMs - first.atMs;
  if (spanMs < LEAST_SPAN_DAYS * DAY_MS) return undefined;
  const rates = records.flatMap((later) =>
    records
      .filter((earlier) => later.atMs - earlier.atMs >= spanMs / 2)
      .map((earlier) => ((later.sizeBytes - earlier.sizeBytes) / (later.atMs - earlier.atMs)) * DAY_MS),
  );
  return {
    low: Math.round(Math.min(...rates)),
    expected: Math.round(median(rates)),
    high: Math.round(Math.max(...rates)),
  };
}
