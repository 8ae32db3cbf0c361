import { chmodSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';

describeOnServer('aisec backup --mode', () => {
  const { backup, local, names, newDirectory, start, holdDump, untilHeld } = useBackupFixture();
  const modes = (directory: string): readonly string[] => [
    ...new Set((names(directory) ?? []).map((name) => (statSync(path.join(directory, name)).mode & 0o777).toString(8))),
  ];

  test('0640 lets a group read every file of it, whatever the umask, and later stamps keep that', async () => {
    const directory = await newDirectory();
    const umask = process.umask(0o077);
    try {
      const run = await backup(directory, ['--mode', '0640', '--json']);
      expect(run).toMatchObject({ exitCode: 0 });
      expect(run.stderr).not.toContain('warning');
      expect(names(directory)).toHaveLength(3);
      expect(modes(directory)).toEqual(['640']);
      expect(statSync(directory).mode & 0o777).toBe(0o750);
      const { file } = JSON.parse(run.stdout);
      expect(await local(['pin', file])).toMatchObject({ exitCode: 0 });
      expect(await local(['verify', file])).toMatchObject({ exitCode: 0 });
      expect(modes(directory)).toEqual(['640']);
    } finally {
      process.umask(umask);
    }
  });

  test('without it only the owner can read them, also of a later run into the same directory', async () => {
    const directory = await newDirectory();
    expect(await backup(directory, ['--mode', '0640'])).toMatchObject({ exitCode: 0 });
    expect(await backup(directory)).toMatchObject({ exitCode: 0 });
    expect(modes(directory).toSorted()).toEqual(['600', '640']);
  });

  test('a partial file has the mode, too', async () => {
    const directory = await newDirectory();
    const release = await holdDump();
    const run = start(directory, ['--mode', '0640']);
    try {
      await untilHeld();
      expect(names(directory)?.map((name) => name.endsWith('.dump.partial'))).toEqual([true]);
      expect(modes(directory)).toEqual(['640']);
    } finally {
      await release();
    }
    expect(await run.finished).toMatchObject({ exitCode: 0 });
  });

  test('a directory that the group cannot enter is warned of', async () => {
    const directory = await newDirectory();
    mkdirSync(directory);
    chmodSync(directory, 0o700);
    const run = await backup(directory, ['--mode', '0640', '--dry-run']);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(`${directory} cannot be entered by its group`);
  });

  test('any other mode is refused', async () => {
    const directory = await newDirectory();
    for (const mode of ['0644', '640', '0660', 'u=rw,g=r', ''])
      expectError(await backup(directory, ['--mode', mode]), 2, `--mode: invalid mode "${mode}"`, '0640');
    expect(names(directory)).toBeUndefined();
  });
});
