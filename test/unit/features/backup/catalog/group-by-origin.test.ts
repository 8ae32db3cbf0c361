import { expect, test } from 'vitest';

import { factsOf } from '../../../../../src/features/backup/catalog/facts.js';
import type { Backup } from '../../../../../src/features/backup/catalog/directory.js';
import { backupsOf, groupByOrigin } from '../../../../../src/features/backup/catalog/group-by-origin.js';
import { backupManifest } from '../../../../fixtures/backup-manifest.js';

const [here, there] = [
  { id: 'server 1', label: 'a.example.com' },
  { id: 'server 2', label: 'b.example.com' },
];

function backupOf(file: string, origin?: typeof here | null): Backup {
  const manifest = backupManifest({ file, ...(origin !== undefined && { origin }) });
  return { state: 'complete', file, manifest: factsOf(manifest), createdAt: new Date(manifest.createdAt) };
}

const namesOf = (backups: readonly Backup[]): readonly string[] => backups.map(({ file }) => file);

test('of two servers with a database of one name each has its own backups', () => {
  const all = [backupOf('1', here), backupOf('2', there), backupOf('3', here)];
  expect(namesOf(backupsOf(all, 'app', here))).toEqual(['1', '3']);
  expect(namesOf(backupsOf(all, 'app', there))).toEqual(['2']);
  expect(backupsOf(all, 'app', null)).toEqual([]);
  expect(backupsOf(all, 'other', here)).toEqual([]);
});

test('an older manifest, which does not say its server, belongs to the only one, and to none of several', () => {
  const old = backupOf('old');
  expect(namesOf(backupsOf([old], 'app', here))).toEqual(['old']);
  expect(namesOf(backupsOf([old, backupOf('1', here)], 'app', here))).toEqual(['old', '1']);
  const several = [old, backupOf('1', here), backupOf('2', there)];
  expect(namesOf(backupsOf(several, 'app', here))).toEqual(['1']);
  expect(groupByOrigin(several).map(({ origin, backups }) => [origin?.id ?? null, ...namesOf(backups)])).toEqual([
    [null, 'old'],
    ['server 1', '1'],
    ['server 2', '2'],
  ]);
});

test('a server that may not be identified takes no backup of an identified one for its own', () => {
  expect(backupsOf([backupOf('1', here)], 'app', null)).toEqual([]);
  expect(namesOf(backupsOf([backupOf('1', null)], 'app', null))).toEqual(['1']);
});
