import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { runCli } from '../support/run-cli.js';
import { fill } from '../support/small-disk.js';

const mount = (mountPoint: string, options: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', mountPoint]).status === 0;
const canMount = process.getuid?.() === 0;

// With CI set it runs, and fails where nothing can be mounted.
describe.skipIf(!canMount && process.env['CI'] === undefined)('a backup on a disk of its own (needs a tmpfs)', () => {
  describeOnServer('of 24 MB', () => {
    const { database, newDirectory, backup, local, start, holdDump, untilHeld, names } = useBackupFixture();
    let disk = '';
    beforeAll(async () => {
      disk = path.dirname(await newDirectory());
      expect(mount(disk, 'size=24m')).toBe(true);
    });
    afterAll(() => spawnSync('umount', ['--lazy', disk]));
    const emptied = (): void => rmSync(path.join(disk, 'filler'));

    test('that is full is found before anything is dumped', async () => {
      fill(disk);
      const run = await backup(path.join(disk, 'backups'));
      emptied();
      expectError(run, 1, `"${disk}/backups" has 0 bytes left, and a backup may take`, 'Nothing was written.');
      expect(readdirSync(disk)).toEqual([]);
    });

    test('that is for temporary files, and is full, is named by backup and restore', async () => {
      const directory = await newDirectory();
      const made = await backup(directory, ['--json']);
      fill(disk);
      const env = { DATABASE_URL: database().url, TMPDIR: disk };
      const args = ['restore', String(JSON.parse(made.stdout).file), '--create', `${database().name}_r`];
      const runs = [await runCli(['backup', '--dir', directory], { env }), await runCli(args, { env })];
      emptied();
      for (const run of runs) expectError(run, 1, `no space is left in "${disk}", where temporary files go`, 'TMPDIR');
      expect(names(directory)).toHaveLength(3);
      expect(readdirSync(disk)).toEqual([]);
    });

    test('that becomes full meanwhile leaves no file, and the last good backup stays', async () => {
      const directory = path.join(disk, 'filling');
      expect(await backup(directory)).toMatchObject({ exitCode: 0 });
      const before = names(directory);
      const release = await holdDump();
      const run = start(directory, ['--keep', '0d', '--keep-last', '1']);
      await untilHeld();
      fill(disk);
      await release();
      const ended = await run.finished;
      const pruned = await local(['prune', '--dir', directory, '--keep', '0d']);
      emptied();
      expectError(pruned, 1, `no space is left in "${directory}"`, 'Free a little there first');
      expectError(ended, 1, '', 'No space left on device');
      expect(names(directory)).toEqual(before);
    });

    test('that nobody may write to is refused', async () => {
      const directory = path.join(disk, 'read-only');
      mkdirSync(directory);
      spawnSync('mount', ['-o', 'remount,ro', disk]);
      try {
        expectError(await backup(directory), 2, `the directory "${directory}" cannot be written to`, 'EROFS');
      } finally {
        spawnSync('mount', ['-o', 'remount,rw', disk]);
      }
      expect(readdirSync(directory)).toEqual([]);
    });
  });
});
