import { describe, expect, test } from 'vitest';

import {
  checkDemoOptions,
  dayMs,
  dayOf,
  monthsBefore,
  type DemoOptions,
} from '../../../../../src/features/seed/demo/options.js';

const NOW = Date.parse('2025-06-15T12:00:00Z');
const OPTIONS: DemoOptions = {
  users: 5,
  conversations: 10,
  messages: 400,
  embeddings: 3,
  months: 2,
  seed: 'a',
  locale: 'en',
  until: '2025-06-15',
};

describe('options of the demo data', () => {
  test('know a day from what only looks like one', () => {
    expect(dayMs('2024-02-29')).toBe(Date.UTC(2024, 1, 29));
    for (const text of ['2025-02-29', '2025-13-01', '2025-1-1', '2025-01-01T00:00', ''])
      expect(dayMs(text)).toBeUndefined();
  });

  test('count months back to the last day of a shorter one', () => {
    const before = (day: string, months: number): string => dayOf(monthsBefore(dayMs(day) ?? 0, months));
    expect(before('2025-06-15', 6)).toBe('2024-12-15');
    expect(before('2025-03-31', 1)).toBe('2025-02-28');
    expect(before('2024-03-30', 1)).toBe('2024-02-29');
    expect(before('2025-01-01', 240)).toBe('2005-01-01');
  });

  test('are refused when they do not go together, with the option that helps', () => {
    expect(() => checkDemoOptions(OPTIONS, NOW)).not.toThrow();
    expect(() => checkDemoOptions({ ...OPTIONS, until: '2025-06-16' }, NOW)).toThrow(/--until/);
    expect(() => checkDemoOptions({ ...OPTIONS, until: '1999-12-31' }, NOW)).toThrow(/--until/);
    expect(() => checkDemoOptions({ ...OPTIONS, conversations: 0 }, NOW)).toThrow(/too many for 0 conversations/);
    expect(() => checkDemoOptions({ ...OPTIONS, conversations: 0, messages: 0 }, NOW)).not.toThrow();
    for (const seed of ['', 'a b', 'x'.repeat(65), "'"])
      expect(() => checkDemoOptions({ ...OPTIONS, seed }, NOW)).toThrow(/cannot be used as a seed/);
  });
});
