import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { chance, rounds } from '../support/chance.js';
import { runCli, startCli, type CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';
import { writeMigrations } from '../support/migrations-folder.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'aisec-test-embedded-'));
const rowsEach = 500;
const KILLS = rounds(4, 20);
const AT_ONCE = rounds(3, 30);
const small = writeMigrations(
  Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => [
      `000${index + 1}_t${index}`,
      `create table t${index} (id int primary key, filler text);
insert into t${index} select n, repeat('x', 200) from generate_series(1, ${rowsEach}) as n;`,
    ]),
  ),
  path.join(scratch, 'small'),
);
const counting = {
  '0009_count': `do $$ begin raise warning 'rows %', (${Array.from({ length: 8 }, (_, n) => `(select count(*) from t${n})`).join(' + ')}); end $$;`,
};
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function newDirectory(): string {
  return mkdtempSync(path.join(scratch, 'cwd-'));
}

const upOf = (migrations: string): readonly string[] => [
  'migrate',
  'up',
  '--embedded',
  '--migrations-dir',
  `aisec=${migrations}`,
];

function up(cwd: string, migrations = small): Promise<CliResult> {
  return runInProcess(upOf(migrations), { cwd });
}

/** Kills a `migrate up` after a while; true when it was still at work. */
async function killAfter(cwd: string, delayMs: number): Promise<boolean> {
  const cli = startCli(upOf(small), { cwd });
  await Promise.race([sleep(delayMs), cli.finished]);
  cli.child.kill('SIGKILL');
  return (await cli.finished).signal === 'SIGKILL';
}

describe('the embedded database', () => {
  it('is made by migrate up alone: every command that would open it without one exits 2', async () => {
    const needNone = ['migrate up', 'migrate new', 'migrate lint', 'migrate test', 'migrate rehearse', 'seed list'];
    const names = COMMANDS.filter((command) => !needNone.includes(command.name)).map((command) => command.name);
    expect(names).toContain('migrate status');
    for (const name of names.filter((each) => each.startsWith('migrate'))) {
      const cwd = newDirectory();
      const run = await runInProcess([...name.split(' '), '--migrations-dir', `aisec=${small}`], { cwd });
      expect(run, name).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain('error: no database is configured');
      expect(run.stderr).toContain('aisec migrate up');
      expect(readdirSync(cwd)).toEqual([]);
    }
  });

  it('is never used in production', async () => {
    const cwd = newDirectory();
    const run = await runInProcess(['migrate', 'up', '--embedded', '--migrations-dir', `aisec=${small}`], {
      cwd,
      env: { AISEC_ENV: 'production' },
    });
    expect(run).toMatchObject({ exitCode: 6, stdout: '' });
    expect(run.stderr).toContain('error: the embedded database is never used in production');
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('is not left half-made by a kill, and the next run makes it', { timeout: 600_000 }, async () => {
    let [cwd, partial] = ['', ''];
    // On a busy machine a kill may come too late.
    while (!existsSync(partial)) {
      cwd = newDirectory();
      partial = path.join(cwd, '.aisec/pgdata.partial');
      const cli = startCli(['migrate', 'up', '--embedded', '--migrations-dir', `aisec=${small}`], { cwd });
      while (!existsSync(partial)) await nextTurn();
      cli.child.kill('SIGKILL');
      await cli.finished;
    }
    expect(existsSync(path.join(cwd, '.aisec/pgdata'))).toBe(false);
    expect(await runInProcess(['migrate', 'status'], { cwd })).toMatchObject({ exitCode: 2 });
    expect(await up(cwd)).toMatchObject({ exitCode: 0 });
    expect(existsSync(partial)).toBe(false);
  });

  it(
    'is opened by one process at a time; the others are told which, and a killed holder does not count',
    { timeout: 600_000 },
    async () => {
      const cwd = newDirectory();
      expect(await up(cwd)).toMatchObject({ exitCode: 0 });
      const holder = startCli(['migrate', 'up', '--embedded', '--migrations-dir', `aisec=${slowDirectory()}`], { cwd });
      const lock = path.join(cwd, '.aisec/pgdata.lock');
      await waitFor(() => Promise.resolve(readdirSync(lock).some((name) => name.startsWith('held-'))));
      const run = await runCli(['migrate', 'status', '--json'], { cwd });
      expect(run).toMatchObject({ exitCode: 5, stdout: '' });
      const { error } = JSON.parse(run.stderr) as { error: { code: string; detail: string } };
      expect(error.code).toBe('EMBEDDED_LOCKED');
      expect(error.detail).toContain(`Process ${holder.child.pid} (aisec migrate up)`);
      holder.child.kill('SIGKILL');
      await holder.finished;
      expect(await runCli(['migrate', 'status', '--migrations-dir', `aisec=${small}`], { cwd })).toMatchObject({
        exitCode: 0,
      });
    },
  );

  function slowDirectory(): string {
    const directory = path.join(scratch, 'small-and-slow');
    spawnSync('cp', ['-r', small, directory]);
    return writeMigrations({ '0009_slow': 'select pg_sleep(900);' }, directory);
  }

  it(
    `goes to one of ${AT_ONCE} processes started at once, at any time, and stays whole`,
    { timeout: 600_000 },
    async () => {
      const cwd = newDirectory();
      const runs = await Promise.all(Array.from({ length: AT_ONCE }, () => runCli(upOf(small), { cwd })));
      for (const run of runs) expect([0, 5], run.stderr).toContain(run.exitCode);
      const applied = runs.filter((run) => run.stdout.includes('0001_t0'));
      expect(applied).toHaveLength(1);
      expect(await countRows(cwd)).toBe(8 * rowsEach);
    },
  );

  async function countRows(cwd: string): Promise<number> {
    const directory = mkdtempSync(path.join(scratch, 'count-'));
    spawnSync('cp', ['-r', `${small}/.`, directory]);
    const run = await up(cwd, writeMigrations(counting, directory));
    expect(run, run.stderr).toMatchObject({ exitCode: 0 });
    return Number(/rows (\d+)/.exec(run.stderr)?.[1]);
  }

  it(
    `survives kill -9 at ${KILLS} moments of migrate up, and the next run completes`,
    { timeout: 600_000 },
    async () => {
      const cwd = newDirectory();
      const random = chance();
      let kills = 0;
      // On a fast machine each may come too late.
      for (let attempt = 0; attempt < KILLS || kills === 0; attempt += 1) {
        // Every fourth time from nothing, so that the creation is hit as well as the migrations.
        if (attempt % 4 === 0) rmSync(path.join(cwd, '.aisec'), { recursive: true, force: true });
        if (await killAfter(cwd, 200 + random() * (attempt % 4 === 0 ? 3000 : 1500))) kills += 1;
      }
      expect(await up(cwd)).toMatchObject({ exitCode: 0 });
      expect(await countRows(cwd)).toBe(8 * rowsEach);
    },
  );

  it('of another host is not taken: the lock file to look at is named', async () => {
    const cwd = newDirectory();
    const lock = path.join(cwd, '.aisec/pgdata.lock');
    mkdirSync(lock, { recursive: true });
    const file = path.join(lock, 'held-0000000007-x.json');
    const place = { host: 'elsewhere', boot: 'b', namespace: 'n' };
    const holder = { pid: 7, startTime: '1', ...place, command: 'aisec seed', since: '2026-01-01T00:00:00Z' };
    writeFileSync(file, JSON.stringify(holder));
    const run = await up(cwd);
    expect(run).toMatchObject({ exitCode: 5, stdout: '' });
    expect(run.stderr).toContain('Process 7 on host "elsewhere" (aisec seed)');
    expect(run.stderr).toContain(`rm "${file}"`);
  });

  it.each([
    ['a file', (dir: string) => writeFileSync(dir, 'x'), 'not a directory'],
    [
      'a directory of other things',
      (dir: string) => {
        mkdirSync(dir);
        writeFileSync(path.join(dir, 'x'), '');
      },
      'holds other files and no database',
    ],
    [
      'a database of another version',
      (dir: string) => {
        mkdirSync(dir);
        writeFileSync(path.join(dir, 'PG_VERSION'), '16\n');
      },
      'made by PostgreSQL 16',
    ],
    [
      'a damaged database',
      (dir: string) => {
        mkdirSync(dir);
        writeFileSync(path.join(dir, 'PG_VERSION'), '18\n');
      },
      'PGlite failed to initialize',
    ],
  ])('is refused where there is %s', async (_title, make, detail) => {
    const cwd = newDirectory();
    mkdirSync(path.join(cwd, '.aisec'));
    make(path.join(cwd, '.aisec/pgdata'));
    const status = ['migrate', 'status', '--migrations-dir', `aisec=${small}`];
    for (const args of [upOf(small), status]) {
      const run = await runInProcess(args, { cwd });
      expect(run).toMatchObject({ exitCode: 1, stdout: '' });
      expect(run.stderr).toContain(`error: could not open the embedded database ${cwd}/.aisec/pgdata\n`);
      expect(run.stderr).toContain(detail);
      expect(run.stderr).toContain('hint: ');
    }
    // Only a database that was opened has had a lock.
    if (detail !== 'PGlite failed to initialize') expect(existsSync(path.join(cwd, '.aisec/pgdata.lock'))).toBe(false);
  });

  it('is named without the working directory', async () => {
    const cwd = newDirectory();
    mkdirSync(path.join(cwd, '.aisec'));
    writeFileSync(path.join(cwd, '.aisec/pgdata'), '');
    const run = await runCli(upOf(small), { cwd });
    expect(run.stderr).toContain('error: could not open the embedded database .aisec/pgdata\n');
  });

  it('is made in an empty directory, which does not count as a database before', async () => {
    const cwd = newDirectory();
    mkdirSync(path.join(cwd, '.aisec/pgdata'), { recursive: true });
    expect(await runInProcess(['migrate', 'status'], { cwd })).toMatchObject({ exitCode: 2 });
    expect(await up(cwd)).toMatchObject({ exitCode: 0 });
  });

  it('cannot be made in a directory that may not be written', async () => {
    const run = await runInProcess(['migrate', 'up', '--embedded', '--migrations-dir', `aisec=${small}`], {
      env: { AISEC_DATA_DIR: '/proc/pgdata' },
    });
    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run.stderr).toContain('error: could not open the embedded database /proc/pgdata\n');
  });
});

const mountPoint = path.join(scratch, 'disk');
mkdirSync(mountPoint);
const mount = (options: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', mountPoint]).status === 0;
const canMount = mount('size=12m') && spawnSync('umount', [mountPoint]).status === 0;

// In CI a missing right fails the tests instead of leaving them out.
describe.skipIf(!canMount && process.env['CI'] === undefined)('a full disk (needs the right to mount a tmpfs)', () => {
  beforeAll(() => {
    mount('size=12m');
  });
  afterAll(() => {
    spawnSync('umount', [mountPoint]);
  });

  it(
    'is told in one line while the embedded database is made and while it is migrated, and nothing is lost',
    { timeout: 600_000 },
    async () => {
      const env = { AISEC_DATA_DIR: path.join(mountPoint, 'pgdata') };
      const files = Object.fromEntries(
        Array.from({ length: 8 }, (_, index) => [
          `000${index + 1}_t${index}`,
          `create table t${index} (id int, filler text);
insert into t${index} select n, repeat(md5(n::text), 30) from generate_series(1, 6000) as n;`,
        ]),
      );
      const directory = writeMigrations({ ...files, ...counting }, path.join(scratch, 'big'));
      const args = ['migrate', 'up', '--embedded', '--migrations-dir', `aisec=${directory}`];

      const making = await runCli(args, { env });
      expect(making).toMatchObject({ exitCode: 1, stdout: '' });
      expect(making.stderr).toMatch(/^error: no space left to open the embedded database/m);
      expect(readdirSync(mountPoint)).toEqual(['pgdata.lock']);

      mount('remount,size=65m');
      const migrating = await runCli([...args, '--json'], { env });
      expect(migrating).toMatchObject({ exitCode: 1, stdout: '' });
      const last = migrating.stderr.trim().split('\n').at(-1) ?? '';
      expect(JSON.parse(last), migrating.stderr).toMatchObject({ error: { code: 'DISK_FULL' } });

      mount('remount,size=400m');
      const again = await runCli(args, { env });
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      expect(again.stderr).toContain(`rows ${8 * 6000}`);
      expect(again.stdout).not.toContain('0001_t0');
    },
  );
});
