import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { useBackupFixture } from '../support/backup-fixture.js';
import { createEmbeddedDirectory, describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { startCli } from '../support/run-cli.js';
import { describeOnSmallDisk, fill, namesOn, withSmallDisk } from '../support/small-disk.js';
import { waitFor } from '../support/wait-for.js';

const preload = path.join(import.meta.dirname, '..', 'support', 'fail-at-file-call.js');
const DISK_BYTES = 64 * 1024 * 1024;

describeOnServer('aisec backup --jobs and faults', () => {
  const { database, newDirectory, backup, names, holdDump, untilHeld, start } = useBackupFixture();

  test('killed while it dumps, no job is left on the server and nothing in the directory, after the next run', async () => {
    const directory = await newDirectory();
    const release = await holdDump();
    const run = start(directory, ['--jobs', '2']);
    await untilHeld();
    run.child.kill('SIGKILL');
    await run.finished;
    expect(names(directory)?.join(' ')).toMatch(/^\S+\.dump\.partial \S+\.dump\.parts\.partial$/);
    const listed = await backup(directory, ['list']);
    expect(listed.stderr).toMatch(/\.dump\.parts\.partial is a partial backup/);
    await release();
    // An orphaned session may hold the lock until the server notices.
    const next = await backup(directory, ['--wait', '1h', '--jobs', '2']);
    expect(next, next.stderr).toMatchObject({ exitCode: 0 });
    expect(next.stderr).toMatch(/removed \S+\.dump\.parts\.partial, which a stopped run had left/);
    expect(names(directory)).toHaveLength(3);
    await waitFor(async () => {
      const { rows } = await database().admin.query(
        "select from pg_stat_activity where application_name = 'aisec backup: pg_dump' and datname = current_database()",
      );
      return rows.length === 0;
    });
  });

  test('killed at any step of packing, there is no backup of it, and the next run tidies up', async () => {
    const directory = await newDirectory();
    const mark = path.join(await createEmbeddedDirectory(), 'mark');
    const steps: string[] = [];
    for (let call = 1; ; call += 1 + Math.floor(call / 3)) {
      const env = {
        DATABASE_URL: database().url,
        NODE_OPTIONS: `--import=${preload}`,
        FAIL_BELOW: directory,
        FAIL_NAME: '.parts.partial',
        FAIL_BY: 'SIGKILL',
        FAIL_AT_CALL: String(call),
        FAIL_MARK: mark,
      };
      const run = await startCli(['backup', '--dir', directory, '--jobs', '2', '--wait', '1h'], { env }).finished;
      if (!existsSync(mark)) {
        expect(run, run.stderr).toMatchObject({ exitCode: 0 });
        break;
      }
      expect(run).toMatchObject({ signal: 'SIGKILL', stdout: '' });
      steps.push(readFileSync(mark, 'utf8'));
      rmSync(mark);
      // Of the runs before nothing is left by then.
      expect(names(directory)?.join(' ')).toMatch(/^(|\S+\.dump\.partial \S+\.dump\.parts\.partial)$/);
    }
    expect(steps).toEqual(expect.arrayContaining(['open', 'read', 'rm']));
    expect(names(directory)).toHaveLength(3);
  });

  test('a directory of another database, and what only has such a name, stays', async () => {
    const directory = await newDirectory();
    mkdirSync(directory);
    const createdAt = new Date('2026-11-25T02:15:00Z');
    const nameOf = (name: string, id: string): string =>
      `${backupFileName({ database: name, createdAt, id, format: 'custom', isEncrypted: false })}.parts.partial`;
    const [other, link, file, left] = [
      nameOf('another', '000001'),
      nameOf(database().name, '000002'),
      nameOf(database().name, '000003'),
      nameOf(database().name, '000004'),
    ].map((name) => path.join(directory, name)) as [string, string, string, string];
    const precious = await createEmbeddedDirectory();
    writeFileSync(path.join(precious, 'precious.txt'), '');
    for (const each of [other, left]) mkdirSync(each);
    for (const each of [other, left]) writeFileSync(path.join(each, 'toc.dat'), 'PGDMP');
    symlinkSync(precious, link);
    writeFileSync(file, 'a file');
    expect(await backup(directory)).toMatchObject({ exitCode: 0 });
    expect([other, link, file, left].map((each) => existsSync(each))).toEqual([true, true, true, false]);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(existsSync(path.join(precious, 'precious.txt'))).toBe(true);
    expect(existsSync(path.join(other, 'toc.dat'))).toBe(true);
  });

  describeOnSmallDisk('on a disk of its own', () => {
    test('that becomes full while it is packed leaves nothing of it, and the last good backup stays', async () => {
      const disk = await createEmbeddedDirectory();
      const directory = path.join(disk, 'backups');
      await database().admin.query(
        `create table noise as
         select string_agg(sha256((n || random()::text)::bytea), '') as bytes from generate_series(1, 200000) n group by n % 8`,
      );
      await withSmallDisk(disk, DISK_BYTES, async () => {
        const made = await backup(directory, ['--json']);
        expect(made).toMatchObject({ exitCode: 0 });
        const { sizeBytes } = JSON.parse(made.stdout) as { readonly sizeBytes: number };
        const before = names(directory);
        const release = await holdDump();
        const run = start(directory, ['--jobs', '2', '--keep', '0d', '--keep-last', '1']);
        await untilHeld();
        // For all that is dumped, and not for the largest table once more.
        fill(disk, Math.floor(sizeBytes * 1.3));
        await release();
        const ended = await run.finished;
        expectError(ended, 1, `no space is left in "${directory}"`, 'nothing half-written is left');
        expect(ended.stderr).toContain('ENOSPC');
        expect(names(directory)).toEqual(before);

        rmSync(path.join(disk, 'filler'));
        fill(disk, Math.floor(sizeBytes * 1.5));
        expectError(await backup(directory, ['--jobs', '2']), 1, `"${directory}" has`, 'Without --jobs it takes');
        rmSync(path.join(disk, 'filler'));
        expect(await backup(directory, ['--jobs', '2'])).toMatchObject({ exitCode: 0 });
        expect(namesOn(disk)).toEqual(['backups']);
      });
      await database().admin.query('drop table noise');
    });
  });
});
