import { expect, test } from 'vitest';

import { formatDurationMs, parseDurationMs } from '../../../src/base/duration.js';

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [59_940, '59.9 s'],
  [59_960, '1 min 0 s'],
  [125_000, '2 min 5 s'],
  [3_599_900, '1 h 0 min'],
  [172_799_000, '47 h 59 min'],
  [172_800_000, '2 d'],
  [720_000_000, '8 d 8 h'],
  [11_400_000, '3 h 10 min'],
])('%d ms is shown as %s', (durationMs, text) => {
  expect(formatDurationMs(durationMs)).toBe(text);
});

test.each([
  ['0', 0],
  ['500ms', 500],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['6', undefined],
  ['six', undefined],
  ['-1s', undefined],
])('%s is read as %s ms', (text, durationMs) => {
  expect(parseDurationMs(text)).toBe(durationMs);
});
