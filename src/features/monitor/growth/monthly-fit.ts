import { median } from '../../../base/median.js';

/** What coming months are expected to add, learned from closed ones. Sizes in bytes, or rows: whatever was given. */
export interface MonthlyFit {
  /** `trend`: the months grow steadily, and the line through them continues; `level`: the median of them. */
  readonly method: 'level' | 'trend';
  /** The k-th month after the last one given, counted from 1. */
  readonly expected: (k: number) => number;
  /** As far below the line as the smallest month given is, and as far above as the largest; never below 0. */
  readonly low: (k: number) => number;
  readonly high: (k: number) => number;
}

/** One month says nothing about the next. */
const LEAST_MONTHS = 2;
/** With fewer, any order of the values is likely to come about by chance. */
const LEAST_FOR_TREND = 6;
/** Of the standard normal distribution: 95 of 100 series without a trend stay below. */
const SIGNIFICANT = 1.96;

/** Every pair of values: the later less the earlier, and how far apart they stand. */
function* steps(values: readonly number[]): Generator<readonly [rise: number, distance: number]> {
  for (const [later, value] of values.entries())
    for (const [earlier, before] of values.slice(0, later).entries()) yield [value - before, later - earlier];
}

/** Whether the values rise more steadily than chance would have it: the test of Mann and Kendall. */
function risesSteadily(values: readonly number[]): boolean {
  const count = values.length;
  if (count < LEAST_FOR_TREND) return false;
  const score = [...steps(values)].reduce((sum, [rise]) => sum + Math.sign(rise), 0);
  const deviation = Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  return (score - 1) / deviation > SIGNIFICANT;
}

/** The median slope of all pairs (Theil and Sen): one import of old messages does not bend it. */
function medianSlope(values: readonly number[]): number {
  return median([...steps(values)].map(([rise, distance]) => rise / distance));
}

/**
 * Learns from months in their order, without gaps. A fall is not carried on: it would promise space that was not freed.
 * Undefined for fewer than two months.
 */
export function fitMonths(values: readonly number[]): MonthlyFit | undefined {
  if (values.length < LEAST_MONTHS) return undefined;
  const isTrend = risesSteadily(values);
  const slope = isTrend ? medianSlope(values) : 0;
  const start = median(values.map((value, position) => value - slope * position));
  const lineAt = (position: number): number => start + slope * position;
  const distances = values.map((value, position) => value - lineAt(position));
  const least = Math.min(...distances);
  const most = Math.max(...distances);
  const at =
    (distance: number) =>
    (k: number): number =>
      Math.max(0, lineAt(values.length - 1 + k) + distance);
  return { method: isTrend ? 'trend' : 'level', expected: at(0), low: at(least), high: at(most) };
}

/** How well the same method would have foretold the months that are there. */
export interface BackTest {
  readonly horizonMonths: number;
  /** How many times it was tried, each on what was known by then. */
  readonly trials: number;
  /** Half of the trials were off by no more than this share of what came: 0.08 is 8 %. */
  readonly medianError: number;
  /** In how many of the trials what came lay within the range. */
  readonly withinRange: number;
}

const HORIZON_MONTHS = 3;
const LEAST_KNOWN = 3;

const total = (count: number, of: (k: number) => number): number =>
  Array.from({ length: count }, (_, position) => of(position + 1)).reduce((sum, value) => sum + value, 0);

/** Forecasts every three months in a row from those before them; undefined when there are too few months to try. */
export function backTest(values: readonly number[], window: number): BackTest | undefined {
  const errors: number[] = [];
  let withinRange = 0;
  for (let now = LEAST_KNOWN; now + HORIZON_MONTHS <= values.length; now += 1) {
    const fit = fitMonths(values.slice(Math.max(0, now - window), now));
    const came = values.slice(now, now + HORIZON_MONTHS).reduce((sum, value) => sum + value, 0);
    if (fit === undefined || came === 0) continue;
    errors.push(Math.abs(total(HORIZON_MONTHS, fit.expected) - came) / came);
    if (came >= total(HORIZON_MONTHS, fit.low) && came <= total(HORIZON_MONTHS, fit.high)) withinRange += 1;
  }
  if (errors.length === 0) return undefined;
  return { horizonMonths: HORIZON_MONTHS, trials: errors.length, medianError: median(errors), withinRange };
}
