import { describe, expect, test } from 'vitest';

import { addMonths, type Month } from '../../../../src/base/month.js';
import {
  forecastGrowth,
  forecastLimit,
  type ClosedMonth,
  type ForecastBasis,
} from '../../../../src/features/monitor/growth/forecast.js';
import { backTest, fitMonths } from '../../../../src/features/monitor/growth/monthly-fit.js';
import { dailyRate } from '../../../../src/features/monitor/growth/rate.js';

const CURRENT: Month = '2026-11';
const DAY_MS = 86_400_000;

function closedMonths(sizes: readonly number[]): readonly ClosedMonth[] {
  return sizes.map((sizeBytes, position) => ({
    month: addMonths(CURRENT, position - sizes.length),
    sizeBytes,
    rows: sizeBytes / 10,
  }));
}

function basis(sizes: readonly number[], more: Partial<ForecastBasis> = {}): ForecastBasis {
  return {
    closed: closedMonths(sizes),
    nowMs: Date.parse('2026-11-16T00:00:00Z'),
    currentMonth: CURRENT,
    databaseBytes: 10_000,
    othersBytesPerDay: { low: 0, expected: 0, high: 0 },
    ahead: 3,
    ...more,
  };
}

describe('A forecast from closed months', () => {
  test('is not made from a single one', () => {
    expect(forecastGrowth(basis([500]))).toBeUndefined();
    expect(forecastLimit(basis([500]), 20_000)).toBeUndefined();
  });

  test('goes on with the median month, within the smallest and the largest; one import does not bend it', () => {
    const forecast = forecastGrowth(basis([100, 120, 9000, 110, 90]));
    expect(forecast).toMatchObject({
      method: 'level',
      fromMonth: '2026-06',
      toMonth: '2026-10',
      monthlyBytes: { low: 90, expected: 110, high: 9000 },
      monthlyRows: { low: 9, expected: 11, high: 900 },
    });
  });

  test('adds the half of the current month that is left, then whole months', () => {
    const points = forecastGrowth(basis([300, 300, 300]))?.points;
    expect(points?.map(({ month, databaseBytes }) => [month, databaseBytes.expected])).toEqual([
      ['2026-11', 10_150],
      ['2026-12', 10_450],
      ['2027-01', 10_750],
      ['2027-02', 11_050],
    ]);
  });

  test('follows months that grow steadily, and does not carry a fall on', () => {
    const growing = forecastGrowth(basis([100, 200, 300, 400, 500, 600, 700]));
    expect(growing).toMatchObject({ method: 'trend', monthlyBytes: { expected: 900 } });
    const falling = forecastGrowth(basis([700, 600, 500, 400, 300, 200, 100]));
    expect(falling).toMatchObject({ method: 'level', monthlyBytes: { expected: 400 } });
  });

  test('looks at the last twelve months only', () => {
    const forecast = forecastGrowth(basis([...Array<number>(12).fill(1), ...Array<number>(12).fill(50)]));
    expect(forecast).toMatchObject({ monthsUsed: 12, monthlyBytes: { low: 50, expected: 50, high: 50 } });
  });

  test('has no rows when a month was never counted', () => {
    const closed = closedMonths([10, 10]).map((month) => ({ ...month, rows: null }));
    expect(forecastGrowth(basis([], { closed }))?.monthlyRows).toBeNull();
  });

  test('says how well it would have forecast the past', () => {
    expect(backTest([10, 10, 10, 10, 10], 12)).toBeUndefined();
    expect(backTest([10, 10, 10, 10, 10, 10], 12)).toEqual({
      horizonMonths: 3,
      trials: 1,
      medianError: 0,
      withinRange: 1,
    });
    // 30 were forecast, 60 came.
    expect(backTest([10, 10, 10, 20, 20, 20], 12)).toMatchObject({ medianError: 0.5, withinRange: 0 });
  });

  test('names the month of a limit, and the earliest and latest one', () => {
    // 300 a month: 10,150 at the end of November, 10,450 at that of December.
    const reached = { month: '2026-12', daysLeft: 30 };
    expect(forecastLimit(basis([300, 300]), 10_300)).toEqual({
      limitBytes: 10_300,
      horizonMonths: 4,
      earliest: reached,
      expected: reached,
      latest: reached,
    });
    const spread = forecastLimit(basis([100, 300, 500, 300, 300]), 11_000);
    expect([spread?.earliest, spread?.expected, spread?.latest].map((side) => side?.month)).toEqual([
      '2027-01',
      '2027-02',
      '2027-09',
    ]);
    expect(forecastLimit(basis([0, 0]), 10_001)).toMatchObject({ earliest: null, expected: null, latest: null });
    expect(forecastLimit(basis([300, 300]), 9000)).toMatchObject({
      earliest: { month: CURRENT, daysLeft: 0 },
      latest: { month: CURRENT, daysLeft: 0 },
    });
  });

  test('names no month beyond twice those that are known, nor beyond three years', () => {
    const of = (months: number, limitBytes: number) =>
      forecastLimit(basis(Array<number>(months).fill(100)), limitBytes)?.expected?.month;
    // 10,000 now, 50 in the rest of this month.
    expect(of(2, 10_450)).toBe('2027-03');
    expect(of(2, 10_451)).toBeUndefined();
    expect(of(12, 12_450)).toBe('2028-11');
    expect(of(12, 12_451)).toBeUndefined();
    expect(of(40, 13_650)).toBe('2029-11');
    expect(of(40, 13_651)).toBeUndefined();
    expect(forecastGrowth(basis([100, 100, 100], { ahead: 60 }))?.points).toHaveLength(7);
  });

  test('has a range that widens with the months by what is not known of the slope', () => {
    const noisy = [100, 140, 90, 180, 120, 200, 150, 220, 180, 260, 190, 280];
    const fit = fitMonths(noisy)!;
    expect(fit.method).toBe('trend');
    const width = (k: number): number => fit.high(k) - fit.low(k);
    expect(width(24)).toBeGreaterThan(width(1) * 1.5);
    for (const k of [1, 12, 24]) {
      expect(fit.low(k)).toBeLessThan(fit.expected(k));
      expect(fit.high(k)).toBeGreaterThan(fit.expected(k));
    }
    // Too few or too uneven to be called a trend; that they may rise is within the range all the same.
    const uneven = fitMonths([100, 300, 90, 280, 130, 310, 120, 330])!;
    expect(uneven.method).toBe('level');
    expect(uneven.high(24)).toBeGreaterThan(uneven.high(1));
    expect(uneven.low(24)).toBe(uneven.low(1));
  });

  test('counts in what everything else adds by the records', () => {
    const othersBytesPerDay = { low: 0, expected: 10, high: 20 };
    const point = forecastGrowth(basis([300, 300], { othersBytesPerDay }))?.points[0];
    expect(point?.databaseBytes).toEqual({ low: 10_150, expected: 10_300, high: 10_450 });
  });

  test('never forecasts less than nothing', () => {
    const fit = fitMonths([0, 100, 200, 900, 400, 500, 600, 700]);
    expect(fit?.low(1)).toBeGreaterThanOrEqual(0);
  });
});

describe('A daily rate', () => {
  const at = (day: number, sizeBytes: number) => ({ atMs: day * DAY_MS, sizeBytes });

  test('needs three records and seven days', () => {
    expect(dailyRate([at(0, 0), at(30, 300)])).toBeUndefined();
    expect(dailyRate([at(0, 0), at(1, 10), at(6, 60)])).toBeUndefined();
    expect(dailyRate([at(0, 0), at(4, 40), at(8, 80)])).toEqual({ low: 10, expected: 10, high: 10 });
  });

  test('may be negative after a VACUUM FULL', () => {
    expect(dailyRate([at(0, 800), at(4, 400), at(8, 0)])?.expected).toBe(-100);
  });
});
