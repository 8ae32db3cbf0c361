import { describe, expect, test } from 'vitest';

import { addMonths, gapsBetween, monthsBetween, parseMonth, type Month } from '../../../../../src/base/month.js';
import { countMonthsAhead } from '../../../../../src/features/messages/months-ahead.js';
import { monthOfBounds, type Partition, type PartitionSet } from '../../../../../src/features/messages/partition.js';
import { drainsOf, planMonths, transactionsOf } from '../../../../../src/features/messages/partitions/plan.js';

function month(text: string): Month {
  const parsed = parseMonth(text);
  if (parsed === undefined) throw new Error(`${text} is no month`);
  return parsed;
}

function partition(lowerBound: string, upperBound: string, more: Partial<Partition> = {}): Partition {
  const name = `p_${lowerBound.slice(0, 7)}`;
  const own = monthOfBounds(lowerBound, upperBound);
  return {
    root: 'messages',
    schema: 'public',
    name,
    isDefault: false,
    isDetachPending: false,
    lowerBound,
    upperBound,
    month: own,
    ...more,
  };
}

const whole = (text: string, more: Partial<Partition> = {}): Partition =>
  partition(`${text}-01T00:00:00Z`, `${addMonths(month(text), 1)}-01T00:00:00Z`, more);

function plan(partitions: readonly Partition[], rows: Readonly<Record<string, number>> = {}, ahead = 1) {
  const set: PartitionSet = { currentMonth: month('2026-12'), canEnsure: true, partitions };
  const byMonth = new Map(Object.entries(rows).map(([text, count]) => [month(text), count]));
  const wishes = { schema: 'public', from: month('2026-12'), until: addMonths(month('2026-12'), ahead) };
  const { months, rowsOfArchive } = planMonths(set, { byMonth, undatedRows: 0 }, wishes);
  return {
    months: months.map((one) => one.month),
    problems: months.map((one) => one.problem),
    rowsOfArchive,
  };
}

describe('a month', () => {
  test.each(['2026-13', '2026-00', '0000-01', '26-01', '2026-1', '2026-01-01', ' 2026-01', 'now', ''])(
    '"%s" is none',
    (text) => expect(parseMonth(text)).toBeUndefined(),
  );

  test('is counted on and back over the end of a year', () => {
    expect(addMonths('2026-12', 1)).toBe('2027-01');
    expect(addMonths('2027-01', -13)).toBe('2025-12');
    expect(addMonths('0001-01', 0)).toBe('0001-01');
    expect(monthsBetween('2025-12', '2027-01')).toBe(13);
  });

  test('is known by its bounds only when they are those of the month in UTC', () => {
    expect(monthOfBounds('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z')).toBe(month('2026-11'));
    expect(monthOfBounds('2026-11-01T04:00:00Z', '2026-12-01T05:00:00Z')).toBeNull();
    expect(monthOfBounds('2026-11-01T00:00:00Z', '2027-01-01T00:00:00Z')).toBeNull();
    expect(monthOfBounds('-infinity', '2026-12-01T00:00:00Z')).toBeNull();
  });
});

test('a gap is up to a year of missing months; a stray month of 1970 makes none', () => {
  const gaps = gapsBetween(['2026-06', '2026-07', '2026-10', '1970-01', '2025-05'].map(month));
  expect(gaps).toEqual([
    ['2025-06', '2026-05'],
    ['2026-08', '2026-09'],
  ]);
});

describe('the plan', () => {
  test('has the range, the months of rows and the gaps between them, and not a century for a stray row', () => {
    expect(plan([], { '2026-09': 5, '2100-01': 1 }).months).toEqual([
      '2026-09',
      '2026-10',
      '2026-11',
      '2026-12',
      '2027-01',
      '2100-01',
    ]);
  });

  test('is empty when every month is covered, be it by a wider partition', () => {
    expect(plan([partition('2026-10-01T00:00:00Z', '2027-04-01T00:00:00Z')]).months).toEqual([]);
    expect(plan([partition('-infinity', 'infinity')]).months).toEqual([]);
  });

  test('tells a month that is covered in part, and goes on with the others', () => {
    const { months, problems } = plan([partition('2026-12-01T05:00:00Z', '2027-01-01T00:00:00Z')]);
    expect(months).toEqual(['2026-12', '2027-01']);
    expect(problems).toEqual([expect.stringContaining('covers a part of the month'), null]);
  });

  test('leaves the rows of an archived month alone', () => {
    const archived = whole('2026-11', { root: 'messages_archive' });
    const { months, rowsOfArchive } = plan([archived], { '2026-11': 4 });
    expect(months).toEqual(['2026-12', '2027-01']);
    expect(rowsOfArchive).toEqual([{ month: month('2026-11'), rows: 4 }]);
  });

  test('does not take a month for done whose detach was never finished', () => {
    const { months, problems } = plan([whole('2026-12', { isDetachPending: true }), whole('2027-01')]);
    expect(months).toEqual(['2026-12']);
    expect(problems[0]).toContain('not finished');
  });

  test('is carried out six empty months at a time, months to come apart from the others, one at a time beside a large default partition', () => {
    const planned = (text: string, rows = 0) => ({
      month: month(text),
      partition: text,
      rows,
      problem: null,
      fix: null,
    });
    const months = [
      planned('2026-10'),
      planned('2026-11', 3),
      ...Array.from({ length: 14 }, (_, position) => planned(addMonths('2027-01', position))),
    ];
    const sizes = (isLarge: boolean) => transactionsOf(months, month('2026-12'), isLarge).map((group) => group.length);
    expect(sizes(false)).toEqual([6, 6, 2, 1]);
    expect(sizes(true)).toEqual(Array.from({ length: 15 }, () => 1));
  });
});

describe('months with rows in the default partition', () => {
  const planned = (text: string, rows: number, problem: string | null = null) => ({
    month: month(text),
    partition: text,
    rows,
    problem,
    fix: null,
  });

  test('are drained together, the newest first, and those that cannot be made are left out', () => {
    const months = [
      planned('2026-09', 1, 'taken'),
      planned('2026-10', 5),
      planned('2026-11', 0),
      planned('2026-12', 7),
    ];
    expect(drainsOf(months).map((group) => group.map((one) => one.month))).toEqual([['2026-12', '2026-10']]);
  });

  test('are drained in several rounds when they are many, since each lengthens the time under locks', () => {
    const months = Array.from({ length: 60 }, (_, position) => planned(addMonths('2020-01', position), 1));
    expect(drainsOf(months).map((group) => group.length)).toEqual([24, 24, 12]);
  });
});

describe('the months ahead', () => {
  const ahead = (...partitions: readonly Partition[]): number =>
    countMonthsAhead({ currentMonth: '2026-12', canEnsure: true, partitions });

  test('are counted up to the first that is missing; -1 when that is the current one', () => {
    expect(ahead(whole('2026-12'), whole('2027-01'), whole('2027-03'))).toBe(1);
    expect(ahead(whole('2027-01'))).toBe(-1);
  });

  test('are many when a partition has no upper bound', () => {
    expect(ahead(partition('2026-12-01T00:00:00Z', 'infinity'))).toBeGreaterThan(100);
  });
});
