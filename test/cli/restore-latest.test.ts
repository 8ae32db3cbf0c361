import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import { manifestText, type BackupManifest } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { createEmbeddedDirectory, describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { describeWithStore, startObjectStore } from '../support/object-store.js';
import { useRestoreFixture } from '../support/restore-fixture.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const HOUR_MS = 3_600_000;
const DAMAGE = { at: '2026-11-25T03:00:00.000Z', reason: 'It was changed.' };

describeOnServer('aisec restore --latest', () => {
  const { source, file, newName, urlOf, queryIn, databases } = useRestoreFixture();
  let manifest: BackupManifest;
  beforeAll(() => {
    manifest = JSON.parse(readFileSync(`${file()}.json`, 'utf8')) as BackupManifest;
  });
  /** The fixture's backup once more, so many hours old. */
  function put(directory: string, hoursOld: number, changes: Partial<BackupManifest> = {}): string {
    const { database } = { ...manifest, ...changes };
    const createdAt = new Date(Date.now() - hoursOld * HOUR_MS);
    const name = backupFileName({ database, createdAt, format: 'custom', isEncrypted: false });
    const copy = path.join(directory, name);
    copyFileSync(file(), copy);
    const text = manifestText({
      ...manifest,
      globals: null,
      file: name,
      createdAt: createdAt.toISOString(),
      ...changes,
    });
    writeFileSync(`${copy}.json`, text);
    return copy;
  }
  const restore = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
    runInProcess(['restore', ...args], { env: { DATABASE_URL: source().url, ...env } });

  test('takes the newest verified backup of the configured database, and says which that is', async () => {
    const directory = await createEmbeddedDirectory();
    put(directory, 30);
    const newest = put(directory, 20);
    put(directory, 10, { damage: DAMAGE });
    put(directory, 9, { verifications: [] });
    put(directory, 8, { database: 'aisec_test_other' });
    put(directory, 7, { origin: { id: 'server 1', label: 'staging.example.com' } });
    put(directory, -5);
    const [name, said] = [newName(), `newest verified backup of "${source().name}": ${newest}, 20 h`];

    const dry = await restore(['--latest', '--dir', directory, '--create', name, '--dry-run']);
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(dry.stderr).toContain(said);
    expect(await databases(name)).toEqual([]);
    const run = await restore(['--latest', '--dir', directory, '--create', name, '--json']);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(said);
    expect(JSON.parse(run.stdout)).toMatchObject({ file: newest, database: name });
    expect(await queryIn(name, 'select count(*)::int as n from messages')).toEqual([{ n: 300 }]);
    const table = await restore(['--latest', '--table', 'files', '--dry-run'], { AISEC_BACKUP_DIR: directory });
    expect(table.stderr).toContain(said);
  });

  test('where the database is lost with its server, the backups of the only other one are taken, with a warning', async () => {
    const directory = await createEmbeddedDirectory();
    const origin = { id: 'server 1', label: 'lost.example.com' };
    const database = newName('_lost');
    const only = put(directory, 2, { database, origin });
    const env = { DATABASE_URL: urlOf(database) };
    const args = ['--latest', '--dir', directory, '--create', database, '--dry-run'];
    const run = await restore(args, env);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(only);
    expect(run.stderr).toContain('it was made of another server or directory than this one: lost.example.com');

    put(directory, 1, { database, origin: { id: 'server 2', label: 'staging.example.com' } });
    const several = await restore(args, env);
    expectError(
      several,
      2,
      `${directory} has backups of several databases "${database}", none of this server`,
      'lost.example.com',
    );
  });

  test('a backup and --latest together, neither, or none that is good, are refused before anything is done', async () => {
    const directory = await createEmbeddedDirectory();
    const at = ['--dir', directory, '--create', newName()];
    expectError(await restore([file(), '--latest', ...at]), 2, '--latest and a backup cannot be given together');
    expectError(await restore(at), 2, 'no backup was given', '--latest');
    expectError(await restore(['--latest', ...at]), 2, `there is no verified backup of "${source().name}"`);
    put(directory, 1, { damage: DAMAGE });
    expectError(await restore(['--latest', ...at]), 2, `there is no verified backup of "${source().name}"`, 'damaged');
  });

  describeWithStore('with a store', () => {
    test('takes the newest copy there', async () => {
      const store = await startObjectStore('backups');
      const directory = await createEmbeddedDirectory();
      const copied = put(directory, 3);
      const place = ['--store', 's3://backups/prod', '--endpoint', store.endpoint];
      const env = { ...store.environment, DATABASE_URL: source().url };
      const upload = await runInProcess(['backup', 'upload', copied, '--dir', directory, '--retry', '0', ...place], {
        env,
      });
      expect(upload).toMatchObject({ exitCode: 0 });
      const run = await restore(['--latest', ...place, '--create', newName(), '--dry-run'], env);
      expect(run).toMatchObject({ exitCode: 0 });
      expect(run.stderr).toContain(`s3://backups/prod/${path.basename(copied)}, 3 h`);
    });
  });
});
