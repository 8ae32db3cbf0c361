import { expect, test } from 'vitest';

import { boundedName } from '../../../src/base/bounded-name.js';

test('a name of 63 bytes stays, a longer one is cut to them, whatever its characters, and two of them stay two', () => {
  expect(boundedName('n'.repeat(63))).toBe('n'.repeat(63));
  const [first, second] = [boundedName(`${'n'.repeat(63)}1`), boundedName(`${'n'.repeat(63)}2`)];
  expect(first).not.toBe(second);
  expect(boundedName('会'.repeat(21), { prefix: 'aisec_', suffix: '_old' })).toMatch(/^aisec_会{14}_[0-9a-f]{8}_old$/);
  for (const name of [first, second, boundedName('会'.repeat(22)), boundedName('😀'.repeat(70))]) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(name).not.toContain('\uFFFD');
  }
});
