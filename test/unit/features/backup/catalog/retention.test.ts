import { expect, test } from 'vitest';

import { factsOf } from '../../../../../src/features/backup/catalog/facts.js';
import type { Backup } from '../../../../../src/features/backup/catalog/directory.js';
import type { BackupManifest } from '../../../../../src/features/backup/catalog/manifest.js';
import { planRetention } from '../../../../../src/features/backup/catalog/retention.js';
import { backupManifest } from '../../../../fixtures/backup-manifest.js';

const now = new Date('2026-11-25T12:00:00Z');

function backup(daysOld: number, changes: Partial<BackupManifest> = {}): Backup {
  const createdAt = new Date(now.getTime() - daysOld * 86_400_000);
  const manifest = backupManifest({ createdAt: createdAt.toISOString(), ...changes });
  return { state: 'complete', file: `${daysOld}.dump`, manifest: factsOf(manifest), createdAt };
}
const damage = { at: now.toISOString(), reason: 'x' };

function plan(backups: readonly Backup[], keepDays = 30, keepLast = 3): readonly [string[], string[]] {
  const { remove, keep } = planRetention(backups, { keep: { months: 0, days: keepDays }, keepLast }, now);
  return [remove.map(({ file }) => file), keep.map(({ backup: { file }, reason }) => `${file} ${reason}`)];
}

test('what is older than the age is deleted, the oldest first', () => {
  expect(plan([backup(40), backup(1), backup(31), backup(2), backup(29.9), backup(30)])).toEqual([
    ['40.dump', '31.dump', '30.dump'],
    ['1.dump young', '2.dump young', '29.9.dump young'],
  ]);
});

test('the last ones stay after a long outage, however old', () => {
  expect(plan([backup(100), backup(101), backup(102), backup(103)])).toEqual([
    ['103.dump'],
    ['100.dump last', '101.dump last', '102.dump last'],
  ]);
});

test('damaged and unverified ones take no place among the last', () => {
  const backups = [backup(40, { damage }), backup(41, { verifications: [] }), backup(42), backup(43), backup(44)];
  expect(plan(backups, 30, 2)).toEqual([
    ['44.dump', '41.dump', '40.dump'],
    ['42.dump last', '43.dump last'],
  ]);
});

test('the only good one stays whatever is asked for', () => {
  expect(plan([backup(1, { damage }), backup(400)], 0, 0)).toEqual([['1.dump'], ['400.dump last']]);
});

test('pinned ones stay and so does what has a timestamp in the future, which takes no place either', () => {
  const backups = [backup(-2), backup(-1), backup(50), backup(51), backup(99, { isPinned: true })];
  expect(plan(backups, 30, 1)).toEqual([
    ['51.dump'],
    ['-2.dump future', '-1.dump future', '50.dump last', '99.dump pinned'],
  ]);
});

test('each format has its own last ones', () => {
  const directories = [40, 41].map((days) => backup(days, { format: 'embedded' }));
  expect(plan([...directories, backup(42), backup(43)], 30, 1)).toEqual([
    ['43.dump', '41.dump'],
    ['40.dump last', '42.dump last'],
  ]);
});
