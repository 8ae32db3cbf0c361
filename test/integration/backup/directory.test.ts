import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readBackupDirectory } from '../../../src/features/backup/catalog/directory.js';
import { readManifest, writeManifest } from '../../../src/features/backup/catalog/manifest.js';
import { backupManifest } from '../../fixtures/backup-manifest.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const at = (name: string): string => path.join(directory, name);
async function add(name: string, bytes = 'dump', createdAt = '2026-11-25T02:15:00Z'): Promise<void> {
  writeFileSync(at(name), bytes);
  await writeManifest(at(name), backupManifest({ file: name, createdAt }));
}

describe('a directory of backups', () => {
  test('that is not there holds nothing', async () => {
    expect(await readBackupDirectory(at('none'))).toEqual({ backups: [], incomplete: [], partials: [], foreign: [] });
  });

  test('lists what has a manifest of the same size, the newest by its manifest first', async () => {
    await add('app_20261125_021500.dump', 'dump', '2026-11-25T02:15:00Z');
    await add('app_20261124_021500.dump', 'dump', '2026-11-26T02:15:00Z');
    const { backups, incomplete } = await readBackupDirectory(directory);
    expect(backups.map(({ file }) => path.basename(file))).toEqual([
      'app_20261124_021500.dump',
      'app_20261125_021500.dump',
    ]);
    expect(incomplete).toEqual([]);
  });

  test('does not count what lost its manifest, its file or some of its bytes, and says which', async () => {
    writeFileSync(at('app_20261101_000000.dump'), 'dump');
    await writeManifest(at('app_20261102_000000.dump'), backupManifest({ file: 'app_20261102_000000.dump' }));
    await add('app_20261103_000000.dump', 'du');
    await add('app_20261104_000000.dump');
    await writeManifest(at('app_20261104_000000.dump'), backupManifest({ file: 'another.dump' }));
    const { backups, incomplete } = await readBackupDirectory(directory);
    expect(backups).toEqual([]);
    expect(incomplete.map(({ file, reason }) => [path.basename(file, '.dump'), reason])).toEqual([
      ['app_20261104_000000', 'It is the manifest of "another.dump".'],
      ['app_20261103_000000', 'It has 2 bytes and its manifest says 4.'],
      ['app_20261102_000000', 'Its manifest is there and the file is not.'],
      ['app_20261101_000000', expect.stringContaining('.json is missing')],
    ]);
  });

  test('leaves symbolic links and files of others alone, and finds what stopped runs left', async () => {
    writeFileSync(at('notes.txt'), '');
    symlinkSync('/etc/passwd', at('app_20261125_021500.dump'));
    writeFileSync(at('app_20261126_021500.dump.partial'), 'half');
    await writeManifest(at('app_20261126_021500.dump'), backupManifest({ file: 'app_20261126_021500.dump' }));
    const found = await readBackupDirectory(directory);
    expect(found.backups).toEqual([]);
    expect(found.incomplete).toEqual([]);
    expect(found.partials).toEqual([at('app_20261126_021500.dump.partial')]);
    expect(found.foreign.toSorted()).toEqual(['app_20261125_021500.dump', 'notes.txt']);
  });

  test('has manifests that nobody else can read, and none is read through a symbolic link', async () => {
    await add('app_20261125_021500.dump');
    expect(await readManifest(at('app_20261125_021500.dump'))).toMatchObject({ database: 'app' });
    symlinkSync(at('app_20261125_021500.dump.json'), at('app_20261126_021500.dump.json'));
    await expect(readManifest(at('app_20261126_021500.dump'))).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  });

  test('that is a file is refused', async () => {
    writeFileSync(at('file'), '');
    chmodSync(at('file'), 0o600);
    await expect(readBackupDirectory(at('file'))).rejects.toMatchObject({ code: 'BACKUP_DIRECTORY' });
  });
});
