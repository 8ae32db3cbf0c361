import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { withBackupDirectory } from '../../src/features/backup/catalog/backup-lock.js';
import { tryDirectoryLock } from '../../src/adapters/files/directory-lock.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { namesIn, useEmbeddedBackupFixture } from '../support/embedded-backup-fixture.js';
import { expectError } from '../support/expect-error.js';
import type { RunningCli } from '../support/run-cli.js';
import { stopWhile } from '../support/stop-while.js';

const POSITIONS = 9;

/** There is no whole file yet. */
function isWriting(directory: string): boolean {
  const names = namesIn(directory);
  return names.length > 0 && names.every((name) => name.endsWith('.partial'));
}

describe('aisec backup of the embedded database', () => {
  const { dataDir, file, newDirectory, aisec, start } = useEmbeddedBackupFixture();
  /** The backup in a directory of its own, where a test may damage it. */
  const copy = async (): Promise<string> => {
    const copied = path.join(await newDirectory(), path.basename(file()));
    copyFileSync(file(), copied);
    copyFileSync(`${file()}.json`, `${copied}.json`);
    return copied;
  };

  test('has a data directory and a manifest, which only the owner can read, and was loaded to try it', async () => {
    const directory = path.dirname(file());
    const name = path.basename(file());
    expect(name).toMatch(/^postgres_\d{8}_\d{6}-[0-9a-f]{6}\.pgdata\.tgz$/);
    expect(namesIn(directory)).toEqual([name, `${name}.json`]);
    for (const each of namesIn(directory)) expect(statSync(path.join(directory, each)).mode & 0o777, each).toBe(0o600);
    const manifest = JSON.parse(readFileSync(`${file()}.json`, 'utf8'));
    expect(manifest).toMatchObject({
      format: 'embedded',
      serverMajor: 18,
      toolVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      migration: expect.stringMatching(/^\d{4}_/),
      roles: ['authenticated'],
      globals: null,
      verifications: [{ level: 'read' }, { level: 'deep' }],
    });
    expect(manifest.rows).toContainEqual({ schema: 'public', table: 'Odd "Name', rows: 3 });
    expect(manifest.extensions.map((each: { name: string }) => each.name)).toEqual(['pgcrypto', 'vector']);
  });

  test('is listed, checked, pinned and verified like any other one, without a server', async () => {
    const directory = path.dirname(await copy());
    const list = await aisec(['backup', 'list', '--dir', directory, '--json']);
    expect(JSON.parse(list.stdout).backups).toMatchObject([{ state: 'verified', format: 'embedded' }]);
    expect(await aisec(['backup', 'check', '--dir', directory, '--max-deep-age', '1h'])).toMatchObject({ exitCode: 0 });
    expect(await aisec(['backup', 'pin', '--dir', directory, path.basename(file())])).toMatchObject({ exitCode: 0 });
    const prune = await aisec(['backup', 'prune', '--dir', directory, '--keep', '0d', '--json']);
    expect(JSON.parse(prune.stdout)).toMatchObject({ removed: [], kept: [{ reason: 'pinned' }] });
    const deep = await aisec(['backup', 'verify', '--dir', directory, '--deep', '--json']);
    expect(deep).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(deep.stdout).results).toMatchObject([{ level: 'deep', verdict: 'good' }]);
    const checks = await createEmbeddedDirectory();
    writeFileSync(path.join(checks, 'odd.sql'), 'select from "Odd ""Name"');
    const drill = await aisec(['backup', 'drill', '--dir', directory, '--check-sql', checks, '--json']);
    expect(drill).toMatchObject({ exitCode: 3 });
    expect(JSON.parse(drill.stdout).drills).toMatchObject([
      { isPassed: false, verdict: 'good', host: 'embedded', checks: [{ name: 'odd.sql', rows: 3 }] },
    ]);
  });

  test('one flipped byte anywhere is found', async () => {
    const damaged = await copy();
    const whole = readFileSync(file());
    for (let n = 0; n < POSITIONS; n += 1) {
      const bytes = Buffer.from(whole);
      const at = Math.floor(((whole.length - 1) * n) / (POSITIONS - 1));
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(damaged, bytes);
      const run = await aisec(['backup', 'verify', damaged, '--json']);
      expect(run.exitCode, `byte ${at}`).toBe(3);
      expect(JSON.parse(run.stdout).results[0].reason).toContain('was changed');
    }
    expect(await aisec(['backup', 'verify', damaged, '--deep'])).toMatchObject({ exitCode: 3 });
  });

  test('a truncated one, and one whose manifest says something else, are damaged', async () => {
    const truncated = await copy();
    truncateSync(truncated, 1000);
    expect(await aisec(['backup', 'verify', truncated])).toMatchObject({ exitCode: 3 });
    const other = await copy();
    const manifest = JSON.parse(readFileSync(`${other}.json`, 'utf8'));
    const rows = manifest.rows.map((row: { table: string; rows: number }) =>
      row.table === 'users' ? { ...row, rows: row.rows + 1 } : row,
    );
    writeFileSync(`${other}.json`, JSON.stringify({ ...manifest, rows }));
    const run = await aisec(['backup', 'verify', other, '--deep']);
    expect(run.stdout).toMatch(/users.* has \d+ rows, the backup had \d+/);
    expect(run.exitCode).toBe(3);
  });

  test('one without its manifest counts for nothing', async () => {
    const alone = await copy();
    rmSync(`${alone}.json`);
    expectError(
      await aisec(['backup', 'verify', alone]),
      3,
      `the backup ${alone} has no manifest`,
      '--without-manifest',
    );
    expect((await aisec(['backup', 'list', '--dir', path.dirname(alone)])).stderr).toContain('.json is missing');
    const run = await aisec(['backup', 'check', '--dir', path.dirname(alone), '--database', 'postgres']);
    expect(run).toMatchObject({ exitCode: 3 });
  });

  test('of another major version is told from its manifest', async () => {
    const older = await copy();
    const manifest = JSON.parse(readFileSync(`${older}.json`, 'utf8'));
    writeFileSync(`${older}.json`, JSON.stringify({ ...manifest, serverMajor: 17, toolVersion: '0.4.6' }));
    expectError(await aisec(['backup', 'verify', older, '--deep']), 2, '', 'was made by PostgreSQL 17 (PGlite 0.4.6)');
  });

  test('without a database nothing is written', async () => {
    const directory = await newDirectory();
    const run = await aisec(['backup', '--dir', directory], { env: { AISEC_DATA_DIR: path.join(directory, 'none') } });
    expectError(run, 2, 'no database is configured');
    expect(await aisec(['backup', '--dir', path.join(directory, 'new'), '--dry-run'])).toMatchObject({ exitCode: 0 });
    expect(namesIn(directory)).toEqual([]);
  });

  test('killed while it writes leaves a partial file alone, which the next run removes', async () => {
    let [directory, run] = ['', undefined as RunningCli | undefined];
    do {
      directory = await newDirectory();
      run = start(['backup', '--dir', directory]);
    } while (!(await stopWhile(run, () => isWriting(directory))));
    run.child.kill('SIGKILL');
    await run.finished;
    expect(namesIn(directory).filter((name) => !name.endsWith('.partial'))).toEqual([]);
    const again = await aisec(['backup', '--dir', directory]);
    expect(again.stderr).toContain('which a stopped run had left');
    expect(again.exitCode).toBe(0);
    expect(namesIn(directory)).toHaveLength(2);
  });

  test('two at once: each backup is whole, and whoever does not get the database is told who has it', async () => {
    const directory = await newDirectory();
    const runs = await Promise.all([1, 2].map(() => aisec(['backup', '--dir', directory])));
    const codes = runs.map(({ exitCode }) => exitCode ?? -1).toSorted((a, b) => a - b);
    // Both, when the second one came after the first one had read the database.
    expect([
      [0, 0],
      [0, 5],
    ]).toContainEqual(codes);
    expect(namesIn(directory)).toHaveLength(2 * codes.filter((code) => code === 0).length);
  });

  test('a database that is open elsewhere, and a directory at work, are busy; --wait waits', async () => {
    const directory = await newDirectory();
    const lock = await tryDirectoryLock(`${dataDir()}.lock`, 'aisec seed');
    expectError(await aisec(['backup', '--dir', directory]), 5, '', `Process ${process.pid} (aisec seed)`);
    const waiting = start(['backup', '--dir', directory, '--wait', '1m']);
    await waiting.waitForOutput('waiting for another process');
    if (lock.isHeld) lock.release();
    expect(await waiting.finished).toMatchObject({ exitCode: 0 });
    const options = { command: 'aisec backup prune', signal: new AbortController().signal };
    const busy = await withBackupDirectory(directory, 'postgres', options, () => aisec(['backup', '--dir', directory]));
    expectError(busy, 5, `directory "${directory}" is in use by another run`);
    expect(namesIn(directory)).toHaveLength(2);
  });

  test.skipIf(process.getuid?.() !== 0 && process.env['CI'] === undefined)(
    'on a full disk nothing is left (needs a tmpfs)',
    async () => {
      const disk = await newDirectory();
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', disk]).status).toBe(0);
      try {
        const directory = path.join(disk, 'backups');
        let run = start(['backup', '--dir', directory]);
        while (!(await stopWhile(run, () => isWriting(directory)))) {
          rmSync(directory, { recursive: true });
          run = start(['backup', '--dir', directory]);
        }
        spawnSync('dd', ['if=/dev/zero', `of=${path.join(disk, 'filler')}`, 'bs=64k']);
        run.child.kill('SIGCONT');
        expectError(await run.finished, 1, 'no space is left');
        expect(namesIn(directory)).toEqual([]);
        expectError(await aisec(['backup', '--dir', directory]), 1, `"${directory}" has `, 'Nothing was written.');
      } finally {
        spawnSync('umount', ['--lazy', disk]);
      }
    },
  );
});
