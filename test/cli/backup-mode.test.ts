import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { quoteIdentifier } from '../../src/base/identifier.js';
import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { runInProcess } from '../support/run-in-process.js';
import { withoutVersionWarning } from '../support/take-backup.js';

describeOnServer('aisec backup --mode', () => {
  const { backup, database, local, names, newDirectory, start, holdDump, untilHeld } = useBackupFixture();
  const modes = (directory: string): readonly string[] => [
    ...new Set((names(directory) ?? []).map((name) => (statSync(path.join(directory, name)).mode & 0o777).toString(8))),
  ];

  test('0640 lets a group read every file of it, whatever the umask, and later stamps keep that', async () => {
    const directory = await newDirectory();
    const umask = process.umask(0o077);
    try {
      const run = await backup(directory, ['--mode', '0640', '--json']);
      expect(run).toMatchObject({ exitCode: 0 });
      expect(withoutVersionWarning(run.stderr)).not.toContain('warning');
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
    for (const mode of ['0644', '640', '0660', 'u=rw,g=r'])
      expectError(await backup(directory, ['--mode', mode]), 2, `--mode: invalid mode "${mode}"`, '0640');
    expect(names(directory)).toBeUndefined();
  });

  test('what belongs to a backup and cannot be read here is named: no fault of the backup, and none of aisec', async () => {
    const { url, name } = database();
    const run = async (lost: (file: string) => string, ...args: readonly string[]): Promise<void> => {
      const directory = await newDirectory();
      const made = await backup(directory, ['--json']);
      const { file } = JSON.parse(made.stdout) as { readonly file: string };
      const beside = lost(file);
      // What a file of another user is to an ordinary user, a directory is to root, too.
      rmSync(beside, { force: true });
      mkdirSync(beside);
      const failed = await runInProcess(
        args.map((arg) => (arg === 'FILE' ? file : arg)),
        {
          env: { DATABASE_URL: url },
        },
      );
      expectError(failed, 2, `could not read "${beside}"`, 'EISDIR');
    };
    const manifest = (file: string): string => `${file}.json`;
    await run(manifest, 'restore', 'FILE', '--create', `${name}_x`);
    await run(manifest, 'restore', 'FILE', '--table', 'users', '--dry-run');
    await run(manifest, 'backup', 'verify', 'FILE');
    await run(manifest, 'backup', 'pin', 'FILE');
    const roles = (file: string): string => file.replace(/dump$/, 'globals.sql');
    await run(roles, 'restore', 'FILE', '--create', `${name}_x`, '--globals');
    const erasures = (file: string): string => path.join(path.dirname(file), 'erasures.jsonl');
    await run(erasures, 'restore', 'FILE', '--create', `${name}_x`);
  });

  test('a directory that all users may write to, or that git would commit, is warned of', async () => {
    const directory = await newDirectory();
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    execFileSync('git', ['init', '--quiet', path.dirname(directory)]);
    const run = await backup(directory, ['--dry-run']);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(`every user of this machine may delete or replace the backups in ${directory}`);
    expect(run.stderr).toContain(`${directory} is in a git work tree that does not ignore it`);
    chmodSync(directory, 0o1777);
    writeFileSync(path.join(path.dirname(directory), '.gitignore'), 'backups/\n');
    expect(withoutVersionWarning((await backup(directory, ['--dry-run'])).stderr)).not.toContain('warning');
  });

  test('a database whose name looks like a connection string has its roles beside it', async () => {
    const { admin, url, name } = database();
    for (const odd of [`${name}=b 'c\\`, `postgres://${name}`]) {
      await admin.query(`create database ${quoteIdentifier(odd)}`);
      try {
        const directory = await newDirectory();
        const env = { DATABASE_URL: Object.assign(new URL(url), { pathname: encodeURIComponent(odd) }).href };
        const run = await backup(directory, [], { env });
        expect(run).toMatchObject({ exitCode: 0 });
        expect(withoutVersionWarning(run.stderr)).not.toContain('warning');
        expect(names(directory)).toHaveLength(3);
      } finally {
        await admin.query(`drop database ${quoteIdentifier(odd)}`);
      }
    }
  });
});
