import { describe, expect, test } from 'vitest';

import { parseAge, subtractAge } from '../../../src/base/age.js';

const before = (moment: string, age: string): string =>
  subtractAge(new Date(moment), parseAge(age) ?? { months: 0, days: 0 }).toISOString();

describe('parseAge', () => {
  test.each([
    ['6mo', { months: 6, days: 0 }],
    ['6 months', { months: 6, days: 0 }],
    ['1 Month', { months: 1, days: 0 }],
    ['3y', { months: 36, days: 0 }],
    ['26w', { months: 0, days: 182 }],
    ['90d', { months: 0, days: 90 }],
  ])('reads %s', (text, age) => {
    expect(parseAge(text)).toEqual(age);
  });

  test.each(['6', '10', '', 'mo', '6m', '6 min', '-6mo', '6.5mo', '6mo 3d', '1h', '101y', '99999d', '6mo; drop'])(
    'refuses "%s"',
    (text) => {
      expect(parseAge(text)).toBeUndefined();
    },
  );
});

describe('subtractAge counts calendar months of UTC', () => {
  test.each([
    ['2026-11-22T14:00:00.000Z', '6mo', '2026-05-22T14:00:00.000Z'],
    ['2026-08-31T10:00:00.000Z', '6mo', '2026-02-28T10:00:00.000Z'],
    ['2024-08-31T10:00:00.000Z', '6mo', '2024-02-29T10:00:00.000Z'],
    ['2026-03-31T00:00:00.000Z', '1mo', '2026-02-28T00:00:00.000Z'],
    ['2024-02-29T12:00:00.000Z', '1y', '2023-02-28T12:00:00.000Z'],
    ['2026-01-01T00:00:00.000Z', '1mo', '2025-12-01T00:00:00.000Z'],
    ['2026-01-31T23:59:59.999Z', '14mo', '2024-11-30T23:59:59.999Z'],
    ['2026-03-01T00:30:00.000Z', '1d', '2026-02-28T00:30:00.000Z'],
    ['2026-03-15T00:00:00.000Z', '2w', '2026-03-01T00:00:00.000Z'],
  ])('%s less %s is %s', (moment, age, expected) => {
    expect(before(moment, age)).toBe(expected);
  });

  test('in every time zone alike, also in the hour that a change of the clock skips', () => {
    const zone = process.env['TZ'];
    process.env['TZ'] = 'America/New_York';
    expect(before('2026-09-08T02:30:00.000Z', '6mo')).toBe('2026-03-08T02:30:00.000Z');
    expect(before('2026-07-01T03:59:00.000Z', '1mo')).toBe('2026-06-01T03:59:00.000Z');
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
});
