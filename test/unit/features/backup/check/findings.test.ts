import { expect, test } from 'vitest';

import { factsOf } from '../../../../../src/features/backup/catalog/facts.js';
import type { Backup, BackupDirectory } from '../../../../../src/features/backup/catalog/directory.js';
import type { BackupManifest } from '../../../../../src/features/backup/catalog/manifest.js';
import { backupFindings, type BackupCheckOptions } from '../../../../../src/features/backup/check/findings.js';
import { backupManifest } from '../../../../fixtures/backup-manifest.js';

const now = new Date('2026-11-25T12:00:00Z');
const HOUR = 3_600_000;

function backup(hoursOld: number, sizeBytes = 1000, changes: Partial<BackupManifest> = {}): Backup {
  const createdAt = new Date(now.getTime() - hoursOld * HOUR);
  const manifest = backupManifest({ createdAt: createdAt.toISOString(), sizeBytes, ...changes });
  return { state: 'complete', file: `${hoursOld}.dump`, manifest: factsOf(manifest), createdAt };
}

const OPTIONS = {
  makeCommand: 'aisec backup',
  drillCommand: 'aisec backup drill',
  drills: undefined,
  reach: '',
  maxAgeMs: 26 * HOUR,
  maxDeepAgeMs: undefined,
  minSize: { shareOfMedian: 0.8 },
  expected: [],
};

function kinds(
  backups: readonly Backup[],
  options: Partial<BackupCheckOptions> = {},
  directory: Partial<BackupDirectory> = {},
): readonly string[] {
  const all = { ...OPTIONS, ...options };
  const found = backupFindings({ backups, incomplete: [], partials: [], foreign: [], ...directory }, all, now);
  return found.map(({ kind, database, message }) => `${kind} ${database}: ${message}`);
}

test('a recent backup of the usual size is fine', () => {
  expect(kinds([backup(2), backup(26), backup(50)])).toEqual([]);
});

test('an old one is told with its age, a database without any by its name', () => {
  expect(kinds([backup(27)], { expected: ['app', 'other'] })).toEqual([
    'old app: the newest verified backup of "app" is 27 h 0 min old; at most 26 h 0 min were asked for',
    'missing other: there is no verified backup of "other"',
  ]);
});

test('one that shrank by more than a fifth against the median is told, and so is one below a size', () => {
  expect(kinds([backup(1, 799), backup(2), backup(3), backup(4, 90_000)])).toHaveLength(1);
  expect(kinds([backup(1, 801), backup(2), backup(3), backup(4, 90_000)])).toEqual([]);
  expect(kinds([backup(1, 4096)], { minSize: { bytes: 8192 } })).toEqual([
    'shrunk app: the newest backup of "app" has 4 kB, and 8 kB were asked for',
  ]);
});

test('damaged, incomplete and future ones are told, and count for nothing', () => {
  const damage = { at: now.toISOString(), reason: 'A byte was changed.' };
  const incomplete = {
    state: 'incomplete',
    file: 'x.dump',
    database: 'app',
    createdAt: now,
    sizeBytes: 1,
    reason: 'It has no manifest.',
  } as const;
  const found = kinds([backup(-5), backup(1, 1000, { damage }), backup(30)], {}, { incomplete: [incomplete] });
  expect(found.map((line) => line.split(' ')[0])).toEqual(['old', 'damaged', 'incomplete', 'future']);
});

test('a restore that was tried too long ago is told when one is asked for', () => {
  const deep = { level: 'deep', at: new Date(now.getTime() - 200 * HOUR).toISOString() } as const;
  const backups = [backup(1), backup(200, 1000, { verifications: [deep] })];
  expect(kinds(backups, { maxDeepAgeMs: 192 * HOUR })).toEqual([
    'not-deep app: no backup of "app" was restored to try it for 8 d 8 h',
  ]);
  expect(kinds(backups, { maxDeepAgeMs: 240 * HOUR })).toEqual([]);
  expect(kinds([backup(1)], { maxDeepAgeMs: HOUR })[0]).toContain('for as long as there are backups');
});

test('a text is not compared with the size of a data directory', () => {
  const directories = [2, 3, 4].map((hours) => backup(hours, 90_000, { format: 'embedded' }));
  expect(kinds([backup(1, 1000, { format: 'sql' }), ...directories])).toEqual([]);
});

test('the last drill that passed is asked for its age, a failed one counts for nothing', () => {
  const drill = (hoursOld: number, isPassed: boolean, database = 'app') => ({
    startedAt: new Date(now.getTime() - hoursOld * HOUR).toISOString(),
    isPassed,
    database,
    originId: null,
  });
  const found = (...recorded: readonly ReturnType<typeof drill>[]): readonly string[] =>
    kinds([backup(1)], { drills: { maxAgeMs: 24 * HOUR, recorded } });
  expect(found(drill(23, true))).toEqual([]);
  expect(found(drill(30, true), drill(2, false))).toEqual([
    'no-drill app: the last drill of "app" that passed is 30 h 0 min old; at most 24 h 0 min were asked for; the last one failed',
  ]);
  expect(found(drill(1, true, 'other'))).toEqual(['no-drill app: no drill of "app" has passed yet']);
});

test('fresh backups of a copied server do not hide that the other address has none any more, and a move is none', () => {
  const at = (address: string): Partial<BackupManifest> => ({
    origin: { id: 'server 7', label: address.replace(/:.*/, ''), address },
  });
  const [production, staging] = [at('db:5432'), at('staging:5432')];
  const hidden = [backup(1, 1000, staging), backup(60, 1000, production), backup(80, 1000, staging)];
  expect(kinds(hidden)).toEqual([
    'stale-address app: the newest verified backup of "app" at db:5432 is 2 d 12 h old; the newer ones are of staging:5432, which has the same system identifier',
  ]);
  expect(kinds(hidden, { maxAgeMs: 61 * HOUR })).toEqual([]);
  const moved = [backup(1, 1000, staging), backup(25, 1000, staging), backup(60, 1000, production)];
  expect(kinds(moved)).toEqual([]);
  const noneFresh = [backup(30, 1000, staging), backup(60, 1000, production), backup(80, 1000, staging)];
  expect(kinds(noneFresh).map((line) => line.split(' ')[0])).toEqual(['old']);
});

test('one is compared with those of its own address, and each address that has a recent one is looked at', () => {
  const of = (address: string, hoursOld: number, sizeBytes: number): Backup =>
    backup(hoursOld, sizeBytes, { origin: { id: 'server 7', label: address, address } });
  const production = [of('db', 2, 9000), of('db', 26, 9000), of('db', 50, 9000)];
  expect(kinds([of('staging', 1, 100), ...production, of('staging', 25, 100)])).toEqual([]);
  const shrunk = [of('staging', 1, 100), of('db', 2, 5000), ...production.slice(1), of('staging', 25, 100)];
  expect(kinds(shrunk)).toEqual([
    'shrunk app: the newest backup of "app" has 4.9 kB, and the ones before it had 8.8 kB',
  ]);
  const gone = [of('new', 1, 100), of('new', 25, 100), of('old', 50, 10), of('old', 74, 9000)];
  expect(kinds(gone)).toEqual([]);
});

test('one that this user may not read is not said to be incomplete, and nobody is told to delete it', () => {
  const incomplete = {
    state: 'unreadable',
    file: 'x.dump',
    database: 'app',
    createdAt: now,
    sizeBytes: 1,
    reason: 'EACCES: permission denied.',
  } as const;
  const found = backupFindings({ backups: [], incomplete: [incomplete] }, OPTIONS, now);
  expect(found).toMatchObject([{ message: 'x.dump cannot be read here: EACCES: permission denied.' }]);
  expect(found[0]?.impact).toContain('check as a user who may read it');
  expect(found[0]?.impact).not.toContain('delete it');
});
