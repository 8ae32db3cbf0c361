import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { manifestText } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const DAY_MS = 86_400_000;

describeOnServer('a directory that two servers share', () => {
  test('the backups of another server with a database of the same name are never removed, and the run says they are there', async () => {
    const database = await createServerDatabase();
    const directory = await createEmbeddedDirectory();
    const put = (daysOld: number, origin: { readonly id: string; readonly label: string } | undefined): string => {
      const createdAt = new Date(Date.now() - daysOld * DAY_MS);
      const time = createdAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
      const file = `${database.name}_${time}.dump`;
      writeFileSync(path.join(directory, file), 'dump');
      const manifest = backupManifest({
        file,
        database: database.name,
        createdAt: createdAt.toISOString(),
        ...(origin && { origin }),
      });
      writeFileSync(path.join(directory, `${file}.json`), manifestText(manifest));
      return file;
    };
    const env = { DATABASE_URL: database.url };
    const first = await runInProcess(['backup', '--dir', directory, '--json'], { env });
    const made = path.basename(String(JSON.parse(first.stdout).file));
    const { origin } = JSON.parse(readFileSync(path.join(directory, `${made}.json`), 'utf8'));
    expect(origin.id).toMatch(/^server \d+$/);
    const ours = put(40, origin);
    const theirs = put(50, { id: 'server 1', label: 'staging.example.com' });
    const nobodys = put(60, undefined);

    const run = await runInProcess(['backup', '--dir', directory, '--keep-last', '1', '--json'], { env });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain('staging.example.com');
    const { removed } = JSON.parse(run.stdout);
    expect(removed.map(({ file }: { file: string }) => path.basename(file))).toEqual([ours]);
    expect(readdirSync(directory)).toEqual(expect.arrayContaining([theirs, nobodys, made]));

    const prune = await runInProcess([
      'backup',
      'prune',
      '--dir',
      directory,
      '--keep',
      '0d',
      '--keep-last',
      '1',
      '--json',
    ]);
    expect(prune).toMatchObject({ exitCode: 0 });
    expect(readdirSync(directory)).toEqual(expect.arrayContaining([theirs, nobodys]));
    const check = await runInProcess(['backup', 'check', '--dir', directory]);
    expect(check).toMatchObject({ exitCode: 3 });
    expect(check.stdout).toContain('of the one on staging.example.com');
  });

  test('a server copied file by file has the same identifier, and its runs leave the backups of the other alone, too', async () => {
    const database = await createServerDatabase();
    const directory = await createEmbeddedDirectory();
    const aisec = (args: readonly string[]): Promise<CliResult> =>
      runInProcess(['backup', ...args, '--dir', directory], { env: { DATABASE_URL: database.url } });
    const first = await aisec(['--json']);
    const made = String(JSON.parse(first.stdout).file);
    const manifest = JSON.parse(readFileSync(`${made}.json`, 'utf8'));
    const { origin } = manifest;
    const put = (daysOld: number, address: string | undefined): string => {
      const createdAt = new Date(Date.now() - daysOld * DAY_MS);
      const file = backupFileName({ database: database.name, createdAt, format: 'custom', isEncrypted: false });
      const { address: _, ...elsewhere } = origin;
      const at = { ...manifest, file, globals: null, createdAt: createdAt.toISOString() };
      writeFileSync(path.join(directory, file), readFileSync(made));
      writeFileSync(
        path.join(directory, `${file}.json`),
        manifestText({ ...at, origin: address === undefined ? elsewhere : { ...origin, address } }),
      );
      return file;
    };
    const production = [40, 41].map((days) => put(days, 'production.example.com:5432'));
    const [ours, older] = [put(42, origin.address), put(43, undefined)];
    const rule = ['--keep', '0d', '--keep-last', '1'];
    const run = await aisec([...rule, '--json']);
    expect(run.stderr).toContain('of production.example.com:5432; they are neither counted nor removed');
    const { removed } = JSON.parse(run.stdout);
    expect(removed.map(({ file }: { file: string }) => path.basename(file))).toEqual([
      older,
      ours,
      path.basename(made),
    ]);
    // A rule for all of them keeps the last one of each.
    const pruned = JSON.parse((await aisec(['prune', ...rule, '--json'])).stdout);
    expect(pruned.removed.map(({ file }: { file: string }) => path.basename(file))).toEqual([production[1]]);
  });

  test('the configured database must have backups there, whatever others have', async () => {
    const [backedUp, other] = [await createServerDatabase(), await createServerDatabase()];
    const directory = await createEmbeddedDirectory();
    const check = (url: string | undefined, ...args: readonly string[]): Promise<CliResult> =>
      runInProcess(['backup', 'check', '--dir', directory, ...args], {
        env: { AISEC_ENV: 'production', ...(url !== undefined && { DATABASE_URL: url }) },
      });
    const run = await runInProcess(['backup', '--dir', directory], { env: { DATABASE_URL: backedUp.url } });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(await check(backedUp.url)).toMatchObject({ exitCode: 0 });
    expect(await check(undefined)).toMatchObject({ exitCode: 0 });
    const none = await check(other.url);
    expect(none).toMatchObject({ exitCode: 3 });
    expect(none.stdout).toContain(`"${other.name}"`);
    // Nothing is asked of the server.
    expect(await check('postgres://nobody@127.0.0.1:1/none')).toMatchObject({ exitCode: 3 });
    expect(await check(other.url, '--database', backedUp.name)).toMatchObject({ exitCode: 0 });
  });
});
