import { median } from '../../../base/median.js';

/** What coming months are expected to add, learned from closed ones. Sizes in bytes, or rows: whatever was given. */
export interface MonthlyFit {
  /** `trend`: the months grow steadily, and the line through them continues; `level`: the median of them. */
  readonly method: 'level' | 'trend';
  /** The k-th month after the last one given, counted from 1. */
  readonly expected: (k: number) => number;
  /**
   * As far below the line as the smallest month given is, and as far above as the largest, each on the least and the most
   * inclined line that the months allow for: the range widens with the months. Never below 0.
   */
  readonly low: (k: number) => number;
  readonly high: (k: number) => number;
}

/** One month says nothing about the next. */
const LEAST_MONTHS = 2;
/** With fewer, any order of the values is likely to come about by chance. */
const LEAST_FOR_TREND = 6;
/** Of the standard normal distribution: 95 of 100 values lie within so many deviations. */
const DEVIATIONS = 1.96;

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
  return (score - 1) / scoreDeviation(count) > DEVIATIONS;
}

/** Of the score of Mann and Kendall, were there no trend. */
function scoreDeviation(count: number): number {
  return Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
}

interface Slope {
  /** The median of all pairs (Theil and Sen): one import of old messages does not bend it. */
  readonly expected: number;
  /** 95 of 100 such ranges contain the true slope (Sen). */
  readonly low: number;
  readonly high: number;
}

function slopeOf(values: readonly number[]): Slope {
  const slopes = [...steps(values)].map(([rise, distance]) => rise / distance).toSorted((one, other) => one - other);
  const reach = DEVIATIONS * scoreDeviation(values.length);
  const at = (position: number): number => slopes[Math.min(Math.max(position, 0), slopes.length - 1)] ?? 0;
  return {
    expected: median(slopes),
    low: at(Math.floor((slopes.length - reach) / 2) - 1),
    high: at(Math.ceil((slopes.length + reach) / 2)),
  };
}

const LEVEL: Slope = { expected: 0, low: 0, high: 0 };

/** A fall is not carried on, and few months say nothing about a slope: their range is that of the months themselves. */
function carriedOn(values: readonly number[]): Slope & { readonly isTrend: boolean } {
  if (values.length < LEAST_FOR_TREND) return { ...LEVEL, isTrend: false };
  const isTrend = risesSteadily(values);
  const slope = slopeOf(values);
  return {
    isTrend,
    expected: isTrend ? slope.expected : 0,
    low: isTrend ? Math.max(0, slope.low) : 0,
    high: Math.max(0, slope.high),
  };
}

/**
 * Learns from months in their order, without gaps. A fall is not carried on: it would promise space that was not freed.
 * Undefined for fewer than two months.
 */
export function fitMonths(values: readonly number[]): MonthlyFit | undefined {
  if (values.length < LEAST_MONTHS) return undefined;
  const { isTrend, ...slope } = carriedOn(values);
  const start = median(values.map((value, position) => value - slope.expected * position));
  const distances = values.map((value, position) => value - (start + slope.expected * position));
  // Lines of another slope turn around the middle of the months.
  const middle = (values.length - 1) / 2;
  const at =
    (side: keyof Slope, distance: number) =>
    (k: number): number => {
      const onward = values.length - 1 + k - middle;
      return Math.max(0, start + slope.expected * middle + slope[side] * onward + distance);
    };
  return {
    method: isTrend ? 'trend' : 'level',
    expected: at('expected', 0),
    low: at('low', Math.min(...distances)),
    high: at('high', Math.max(...distances)),
  };
}

/** How well the same method would have forecast the months that are there. */
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
