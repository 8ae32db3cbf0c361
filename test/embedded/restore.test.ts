import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { tryDirectoryLock } from '../../src/adapters/files/directory-lock.js';
import { AS_BACKED_UP, CONTENTS, namesIn, useEmbeddedBackupFixture } from '../support/embedded-backup-fixture.js';
import { expectError } from '../support/expect-error.js';
import { queryEmbedded } from '../support/migrated-embedded.js';
import type { InProcessOptions } from '../support/run-in-process.js';
import { stopWhile } from '../support/stop-while.js';
import { waitFor } from '../support/wait-for.js';

describe('aisec restore of the embedded database', () => {
  const { dataDir, file, newDirectory, aisec, start } = useEmbeddedBackupFixture();
  const at = (directory: string): InProcessOptions => ({ env: { AISEC_DATA_DIR: directory } });
  /** A copy of the database with one message less, which a restore brings back. */
  const changed = async (): Promise<string> => {
    const copy = path.join(await newDirectory(), 'pgdata');
    cpSync(dataDir(), copy, { recursive: true });
    await queryEmbedded(copy, "delete from messages where content = 'message 1'");
    return copy;
  };
  const names = (directory: string): readonly string[] => namesIn(directory).filter((name) => !name.endsWith('.lock'));

  test('a new directory has all of it; one that is there is refused', async () => {
    const directory = await newDirectory();
    const run = await aisec(['restore', file(), '--create', 'new/pgdata'], { cwd: directory });
    expect(run.stderr).toMatch(/\d+ tables with \d+ rows, as the manifest has them\. To use it: AISEC_DATA_DIR=/);
    expect(run.exitCode).toBe(0);
    const made = path.join(directory, 'new', 'pgdata');
    // It has everybody's rows and the passwords of the roles in it.
    expect(statSync(made).mode & 0o777).toBe(0o700);
    expect(await queryEmbedded(made, CONTENTS)).toEqual(AS_BACKED_UP);
    expect(names(path.dirname(made))).toEqual(['pgdata']);
    expect(await aisec(['migrate', 'check'], at(made))).toMatchObject({ exitCode: 0 });
    expectError(await aisec(['restore', file(), '--create', made]), 3, '', `"${made}" exists`);
  });

  test('--replace keeps the database that was there, and asks for its name', async () => {
    const live = await changed();
    const [parent, options] = [path.dirname(live), at(live)];
    expectError(await aisec(['restore', file(), '--replace'], options), 6, 'a confirmation is required');
    expectError(await aisec(['restore', file(), '--replace', '--confirm', 'x'], options), 6, '', 'It is "pgdata"');
    const dry = await aisec(['restore', file(), '--replace', '--dry-run'], options);
    expect(dry.stdout).toContain(`rename ${live} to ${live}_before_`);
    expect(names(parent)).toEqual(['pgdata']);
    expect(await aisec(['restore', file(), '--replace', '--confirm', 'pgdata'], options)).toMatchObject({
      exitCode: 0,
    });
    expect(await queryEmbedded(live, CONTENTS)).toEqual(AS_BACKED_UP);
    const [, before = ''] = names(parent);
    expect(before).toMatch(/^pgdata_before_\d{8}_\d{6}$/);
    expect(await queryEmbedded(path.join(parent, before), 'select count(*)::int as n from messages')).toEqual([
      { n: 299 },
    ]);
  });

  test('killed at the start and while it loads, it leaves the old database', async () => {
    const live = await changed();
    for (const moment of [`${live}.lock`, `${live}.restoring/PG_VERSION`]) {
      const run = start(['restore', file(), '--replace', '--confirm', 'pgdata'], at(live));
      await waitFor(() => Promise.resolve(existsSync(moment) || run.child.exitCode !== null));
      run.child.kill('SIGKILL');
      await run.finished;
      if (names(path.dirname(live)).some((name) => name.includes('_before_'))) break;
      expect(await queryEmbedded(live, 'select count(*)::int as n from messages'), moment).toEqual([{ n: 299 }]);
    }
    await aisec(['restore', file(), '--replace', '--confirm', 'pgdata'], at(live));
    expect(await queryEmbedded(live, CONTENTS)).toEqual(AS_BACKED_UP);
    expect(names(path.dirname(live)).filter((name) => !name.includes('_before_'))).toEqual(['pgdata']);
  });

  test('killed between the two renames, the next command finds the restored database', async () => {
    const live = await changed();
    const restored = path.join(await newDirectory(), 'pgdata');
    cpSync(dataDir(), restored, { recursive: true });
    renameSync(restored, `${live}.restored`);
    // Before the first one: the old database stays, also when it is moved away later.
    const status = ['migrate', 'status'];
    expect(await aisec(status, at(live))).toMatchObject({ exitCode: 0 });
    expect(names(path.dirname(live))).toEqual(['pgdata', 'pgdata.restoring']);
    renameSync(`${live}.restoring`, `${live}.restored`);
    renameSync(live, `${live}_before_20261125_120000`);
    expect(await aisec(status, at(live))).toMatchObject({ exitCode: 0 });
    expect(await queryEmbedded(live, CONTENTS)).toEqual(AS_BACKED_UP);
  });

  test('a damaged or truncated one, and one without its manifest, touch nothing', async () => {
    const directory = await newDirectory();
    const damaged = path.join(directory, path.basename(file()));
    cpSync(`${file()}.json`, `${damaged}.json`);
    const target = path.join(directory, 'target', 'pgdata');
    const whole = readFileSync(file());
    for (const position of [20, Math.floor(whole.length / 2), whole.length - 1]) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(position) ^ 1, position);
      writeFileSync(damaged, bytes);
      expectError(await aisec(['restore', damaged, '--create', target]), 3, '', 'is damaged');
    }
    truncateSync(damaged, whole.length >> 1);
    expectError(await aisec(['restore', damaged, '--create', target]), 3, '', 'is damaged');
    rmSync(`${damaged}.json`);
    expectError(await aisec(['restore', damaged, '--create', target]), 3, `the backup ${damaged} has no manifest`);
    const without = await aisec(['restore', damaged, '--create', target, '--without-manifest']);
    expectError(without, 3, '', 'cannot be unpacked to its end');
    expect(existsSync(target)).toBe(false);
    writeFileSync(damaged, whole);
    expect(await aisec(['restore', damaged, '--create', target, '--without-manifest'])).toMatchObject({ exitCode: 0 });
    expect(await queryEmbedded(target, CONTENTS)).toEqual(AS_BACKED_UP);
  });

  test('what cannot go there is told before anything is touched', async () => {
    const directory = await newDirectory();
    const target = path.join(directory, 'pgdata');
    const older = path.join(directory, path.basename(file()));
    cpSync(file(), older);
    const manifest = JSON.parse(readFileSync(`${file()}.json`, 'utf8'));
    writeFileSync(`${older}.json`, JSON.stringify({ ...manifest, serverMajor: 17, toolVersion: '0.4.6' }));
    expectError(await aisec(['restore', older, '--create', target]), 2, '', 'PostgreSQL 17 (PGlite 0.4.6)');
    const dump = path.join(directory, 'app_20261125_060000.dump');
    writeFileSync(dump, 'PGDMP');
    expectError(await aisec(['restore', dump, '--create', target]), 2, '', 'which only a server can restore');
    const server = { env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' } };
    expectError(await aisec(['restore', file(), '--create', 'x'], server), 2, '', 'which no server can read');
    expectError(await aisec(['restore', file(), '--create', target, '--globals']), 2, '--globals is for a server');
    expectError(await aisec(['restore', file(), '--table', 'users']), 2, '--table is for a server', '--create DIR');
    const none = path.join(directory, 'none.pgdata.tgz');
    expectError(await aisec(['restore', none, '--create', target]), 2, `there is no backup ${none}`, 'backup list');
    const lock = await tryDirectoryLock(`${target}.lock`, 'aisec seed');
    expectError(await aisec(['restore', file(), '--create', target]), 5, '', '(aisec seed)');
    if (lock.isHeld) lock.release();
    expect(existsSync(target)).toBe(false);
  });

  test.skipIf(process.getuid?.() !== 0 && process.env['CI'] === undefined)(
    'on a full disk nothing is left (needs a tmpfs)',
    async () => {
      const disk = await newDirectory();
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=120m', 'tmpfs', disk]).status).toBe(0);
      try {
        const target = path.join(disk, 'target', 'pgdata');
        mkdirSync(path.dirname(target));
        let run = start(['restore', file(), '--create', target]);
        while (!(await stopWhile(run, () => existsSync(`${target}.restoring`)))) {
          rmSync(target, { recursive: true });
          run = start(['restore', file(), '--create', target]);
        }
        spawnSync('dd', ['if=/dev/zero', `of=${path.join(disk, 'filler')}`, 'bs=64k']);
        run.child.kill('SIGCONT');
        const ended = await run.finished;
        expect(ended.exitCode).toBe(1);
        expect(ended.stderr).toMatch(/no space|RESTORE_FAILED|could not be loaded/);
        expect(readdirSync(path.dirname(target))).toEqual(['pgdata.lock']);
        expectError(await aisec(['restore', file(), '--create', target]), 1, '', 'left, and the database takes');
      } finally {
        spawnSync('umount', ['--lazy', disk]);
      }
    },
  );
});
