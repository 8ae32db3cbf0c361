import { DAY_MS } from '../../../base/duration.js';
import { addMonths, monthEndMs, monthStartMs, type Month } from '../../../base/month.js';
import { backTest, fitMonths, type BackTest, type MonthlyFit } from './monthly-fit.js';

/** Of a forecast, or of a rate; `low` and `high` are what the smallest and the largest of the past would give. */
export interface Range {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

/** What one month of messages takes, live and archived together. */
export interface ClosedMonth {
  readonly month: Month;
  readonly sizeBytes: number;
  /** Null when one of its partitions was never analyzed. */
  readonly rows: number | null;
}

export interface ForecastPoint {
  readonly month: Month;
  /** What the messages of that month add; of the current month, what is still to come. */
  readonly messagesBytes: Range;
  /** The whole database at the end of that month. */
  readonly databaseBytes: Range;
}

export interface Forecast {
  /** `level`: the median month continues; `trend`: the months grow, and so do those to come. */
  readonly method: MonthlyFit['method'];
  readonly fromMonth: Month;
  readonly toMonth: Month;
  readonly monthsUsed: number;
  /** Of the next whole month. */
  readonly monthlyBytes: Range;
  /** Null when the rows of one of the months used are not known. */
  readonly monthlyRows: Range | null;
  readonly backTest: BackTest | null;
  /** No forecast for later months: twice those that are known, and at most three years. */
  readonly horizonMonths: number;
  readonly points: readonly ForecastPoint[];
}

export interface ForecastBasis {
  /** In their order, without gaps, the last one just before the current month. */
  readonly closed: readonly ClosedMonth[];
  readonly nowMs: number;
  readonly currentMonth: Month;
  readonly databaseBytes: number;
  /** What everything but messages adds; zero where nothing is known. */
  readonly othersBytesPerDay: Range;
  readonly ahead: number;
}

/** The month is what can be known; the days are for alerts on what is near. */
export interface LimitReached {
  readonly month: Month;
  readonly daysLeft: number;
}

export interface LimitForecast {
  readonly limitBytes: number;
  /** Null, of the three that follow: in more months than these. */
  readonly horizonMonths: number;
  readonly earliest: LimitReached | null;
  readonly expected: LimitReached | null;
  readonly latest: LimitReached | null;
}

/** Older months say little about the next ones. */
const WINDOW_MONTHS = 12;
/** Who says more about later months than this is guessing. */
export const FARTHEST_MONTHS = 36;
const SIDES = ['low', 'expected', 'high'] as const;

function rangeOf(of: (side: (typeof SIDES)[number]) => number): Range {
  return { low: Math.round(of('low')), expected: Math.round(of('expected')), high: Math.round(of('high')) };
}

function horizonOf(closed: readonly ClosedMonth[]): number {
  return Math.min(2 * closed.length, FARTHEST_MONTHS);
}

/** Adds up the months to come, the first of them being what is left of the current one. */
function* walk(basis: ForecastBasis, fit: MonthlyFit): Generator<ForecastPoint> {
  const { currentMonth, nowMs, databaseBytes, othersBytesPerDay } = basis;
  let database: Range = { low: databaseBytes, expected: databaseBytes, high: databaseBytes };
  for (let k = 1; ; k += 1) {
    const month = addMonths(currentMonth, k - 1);
    const startMs = Math.max(nowMs, monthStartMs(month));
    const restMs = Math.max(0, monthEndMs(month) - startMs);
    const share = restMs / (monthEndMs(month) - monthStartMs(month));
    const messagesBytes = rangeOf((side) => fit[side](k) * share);
    const before = database;
    database = rangeOf((side) => before[side] + messagesBytes[side] + (othersBytesPerDay[side] * restMs) / DAY_MS);
    yield { month, messagesBytes, databaseBytes: database };
  }
}

/** Undefined when there are too few closed months to say anything. */
export function forecastGrowth(basis: ForecastBasis): Forecast | undefined {
  const used = basis.closed.slice(-WINDOW_MONTHS);
  const fit = fitMonths(used.map(({ sizeBytes }) => sizeBytes));
  const [first, last] = [used.at(0), used.at(-1)];
  if (fit === undefined || first === undefined || last === undefined) return undefined;
  const rows = used.map((month) => month.rows).filter((count) => count !== null);
  const rowsFit = rows.length === used.length ? fitMonths(rows) : undefined;
  const sizes = basis.closed.map(({ sizeBytes }) => sizeBytes);
  const points: ForecastPoint[] = [];
  for (const point of walk(basis, fit)) {
    points.push(point);
    if (points.length > Math.min(basis.ahead, horizonOf(basis.closed))) break;
  }
  return {
    method: fit.method,
    fromMonth: first.month,
    toMonth: last.month,
    monthsUsed: used.length,
    monthlyBytes: rangeOf((side) => fit[side](2)),
    monthlyRows: rowsFit === undefined ? null : rangeOf((side) => rowsFit[side](2)),
    backTest: backTest(sizes, WINDOW_MONTHS) ?? null,
    horizonMonths: horizonOf(basis.closed),
    points,
  };
}

/** When the whole database reaches a size, if growth continues like this; undefined when there are too few closed months. */
export function forecastLimit(basis: ForecastBasis, limitBytes: number): LimitForecast | undefined {
  const { closed, nowMs, currentMonth, databaseBytes } = basis;
  const fit = fitMonths(closed.slice(-WINDOW_MONTHS).map(({ sizeBytes }) => sizeBytes));
  if (fit === undefined) return undefined;
  const horizonMonths = horizonOf(closed);
  const now: LimitReached = { month: currentMonth, daysLeft: 0 };
  if (databaseBytes >= limitBytes) return { limitBytes, horizonMonths, earliest: now, expected: now, latest: now };
  const reached: Record<keyof Range, LimitReached | null> = { low: null, expected: null, high: null };
  let before: Range = { low: databaseBytes, expected: databaseBytes, high: databaseBytes };
  let months = 0;
  for (const { month, databaseBytes: after } of walk(basis, fit)) {
    const fromMs = Math.max(nowMs, monthStartMs(month));
    for (const side of SIDES)
      if (reached[side] === null && after[side] >= limitBytes) {
        const share = (limitBytes - before[side]) / (after[side] - before[side]);
        const atMs = fromMs + share * (monthEndMs(month) - fromMs);
        reached[side] = { month, daysLeft: Math.floor((atMs - nowMs) / DAY_MS) };
      }
    before = after;
    months += 1;
    if (months > horizonMonths || reached.low !== null) break;
  }
  return { limitBytes, horizonMonths, earliest: reached.high, expected: reached.expected, latest: reached.low };
}
