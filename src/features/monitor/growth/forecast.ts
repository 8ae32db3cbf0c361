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
  readonly points: readonly ForecastPoint[];
}

export interface ForecastBasis {
  /** In their order, without gaps, the last one just before the current month. */
  readonly closed: readonly ClosedMonth[];
  readonly nowMs: number;
  readonly currentMonth: Month;
  readonly databaseBytes: number;
  /** What everything but messages adds, from the records; zero where there are none. */
  readonly othersBytesPerDay: Range;
  readonly ahead: number;
}

export interface LimitForecast {
  readonly limitBytes: number;
  /** Days, `2027-03-14`; null: not within ten years. */
  readonly earliest: string | null;
  readonly expected: string | null;
  readonly latest: string | null;
}

/** Older months say little about the next ones. */
export const WINDOW_MONTHS = 12;
const DAY_MS = 86_400_000;
const FARTHEST_MONTHS = 120;
const SIDES = ['low', 'expected', 'high'] as const;

function rangeOf(of: (side: (typeof SIDES)[number]) => number): Range {
  return { low: Math.round(of('low')), expected: Math.round(of('expected')), high: Math.round(of('high')) };
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
    if (points.length > basis.ahead) break;
  }
  return {
    method: fit.method,
    fromMonth: first.month,
    toMonth: last.month,
    monthsUsed: used.length,
    monthlyBytes: rangeOf((side) => fit[side](2)),
    monthlyRows: rowsFit === undefined ? null : rangeOf((side) => rowsFit[side](2)),
    backTest: backTest(sizes, WINDOW_MONTHS) ?? null,
    points,
  };
}

function dayWithin(share: number, fromMs: number, toMs: number): string {
  return new Date(fromMs + share * (toMs - fromMs)).toISOString().slice(0, 10);
}

/** When the whole database reaches a size, if growth continues like this; undefined when there are too few closed months. */
export function forecastLimit(basis: ForecastBasis, limitBytes: number): LimitForecast | undefined {
  const fit = fitMonths(basis.closed.slice(-WINDOW_MONTHS).map(({ sizeBytes }) => sizeBytes));
  if (fit === undefined) return undefined;
  const today = new Date(basis.nowMs).toISOString().slice(0, 10);
  const reached: Record<keyof Range, string | null> = { low: null, expected: null, high: null };
  if (basis.databaseBytes >= limitBytes) return { limitBytes, earliest: today, expected: today, latest: today };
  let before: Range = { low: basis.databaseBytes, expected: basis.databaseBytes, high: basis.databaseBytes };
  let months = 0;
  for (const { month, databaseBytes } of walk(basis, fit)) {
    const fromMs = Math.max(basis.nowMs, monthStartMs(month));
    for (const side of SIDES)
      if (reached[side] === null && databaseBytes[side] >= limitBytes) {
        const share = (limitBytes - before[side]) / (databaseBytes[side] - before[side]);
        reached[side] = dayWithin(share, fromMs, monthEndMs(month));
      }
    before = databaseBytes;
    months += 1;
    if (months >= FARTHEST_MONTHS || reached.low !== null) break;
  }
  return { limitBytes, earliest: reached.high, expected: reached.expected, latest: reached.low };
}
