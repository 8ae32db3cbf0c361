import { expect, test } from 'vitest';

import { keepOption } from '../../../src/cli/commands/backup/keep-option.js';

test('a single age is an age, and in a list 12m are months, since no place is for a minute', () => {
  expect(keepOption('30d')).toEqual({ months: 0, days: 30 });
  expect(keepOption('24h, 7d,5w,12m,3y')).toEqual({ places: { hour: 24, day: 7, week: 5, month: 12, year: 3 } });
  expect(keepOption('7 days,12mo')).toEqual({ places: { day: 7, month: 12 } });
  expect(keepOption('7d,0w')).toEqual({ places: { day: 7, week: 0 } });
});

test.each(['30m', '7', '7d,', ',', '7d,5d', '7d,5s', '7d,1.5w', '7d,5minutes', '7d,5min', '7d,-1w', '7d,10001w'])(
  '"%s" is refused',
  (text) => {
    expect(() => keepOption(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  },
);
