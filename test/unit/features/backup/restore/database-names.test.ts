import { expect, test } from 'vitest';

import { beforeName, workingName } from '../../../../../src/features/backup/restore/database/database-names.js';

const moment = new Date('2026-11-25T06:22:10.500Z');

test('a restore works in a database that is named after its target', () => {
  expect(workingName('app')).toBe('aisec_restoring_app');
  expect(beforeName('app', moment)).toBe('app_before_20261125_062210');
});

test('long names stay within 63 bytes of whole characters, and different ones stay different', () => {
  const [one, other] = [`${'あ'.repeat(20)}a`, `${'あ'.repeat(20)}b`];
  for (const name of [workingName(one), beforeName(one, moment)]) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(name).not.toContain('\uFFFD');
  }
  expect(workingName(one)).not.toBe(workingName(other));
  expect(beforeName(one, moment)).toMatch(/_before_20261125_062210$/);
});
