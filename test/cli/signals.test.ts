import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { migration, migrationsFolder } from '../support/migrations-folder.js';
import { runCli, startCli, type RunningCli } from '../support/run-cli.js';
import { waitFor } from '../support/wait-for.js';

const slow = migrationsFolder({
  '0001_slow.sql': migration('create table slow_one (id int);\nselect pg_sleep(3600);'),
});
const quick = migrationsFolder({
  '0001_slow.sql': migration('create table slow_one (id int);', 'drop table slow_one;'),
});

describeOnServer('a signal', () => {
  let database: ServerDatabase;
  beforeAll(async () => {
    database = await createServerDatabase();
  });

  function up(directory: string, ...args: readonly string[]): RunningCli {
    return startCli(['migrate', 'up', '--migrations-dir', `aisec=${directory}`, ...args], {
      env: { DATABASE_URL: database.url },
    });
  }

  async function sessions(): Promise<number> {
    const { rows } = await database.admin.query(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name like 'aisec%'`,
    );
    return rows[0].count as number;
  }

  /** The server ends a session, and gives its lock back, a moment after its client. */
  async function gone(): Promise<void> {
    await waitFor(async () => (await sessions()) === 0);
  }
  afterEach(gone);

  async function sleeping(): Promise<boolean> {
    const { rowCount } = await database.admin.query(
      `select from pg_stat_activity where datname = current_database() and application_name = 'aisec migrate up'
         and query like '%pg_sleep(3600)%' and state = 'active'`,
    );
    return rowCount === 1;
  }

  /** Nothing of it is left, and the next run works. */
  async function expectUndone(): Promise<void> {
    expect(await sessions()).toBe(0);
    const { rows } = await database.admin.query(`select to_regclass('slow_one') as found`);
    expect(rows[0]).toEqual({ found: null });
    expect(await up(quick.dir).finished).toMatchObject({ exitCode: 0 });
    const down = await runCli(['migrate', 'down', '--migrations-dir', `aisec=${quick.dir}`], {
      env: { DATABASE_URL: database.url },
    });
    expect(down).toMatchObject({ exitCode: 0 });
  }

  it.each([
    ['SIGINT', 130, 'error: interrupted'],
    ['SIGTERM', 143, 'error: terminated'],
  ] as const)('%s cancels the statement on the server, rolls back and ends', async (signal, exitCode, line) => {
    const cli = up(slow.dir);
    await waitFor(sleeping);
    cli.child.kill(signal);
    const run = await cli.finished;
    expect(run).toMatchObject({ exitCode, signal: null, stdout: '' });
    const lines = run.stderr.trimEnd().split('\n');
    expect(lines.at(-1)).toBe(line);
    for (const other of lines.slice(0, -1)) expect(other).toMatch(/^(applying|stopping)/);
    await gone();
    await expectUndone();
  });

  it('is told as a JSON error with --json', async () => {
    const cli = up(slow.dir, '--json');
    await waitFor(sleeping);
    cli.child.kill('SIGINT');
    const run = await cli.finished;
    expect(run).toMatchObject({ exitCode: 130, stdout: '' });
    const last = run.stderr.trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ error: { code: 'INTERRUPTED' } });
  });

  it('given a second time ends the process at once', async () => {
    const cli = up(slow.dir);
    await waitFor(sleeping);
    cli.child.kill('SIGINT');
    cli.child.kill('SIGTERM');
    const run = await cli.finished;
    expect([130, 143]).toContain(run.exitCode);
    expect(run.stderr).not.toContain('at ');
    await gone();
    await expectUndone();
  });

  it('ends a run that waits for the lock of another', async () => {
    const holder = up(slow.dir);
    await waitFor(sleeping);
    const waiting = up(slow.dir, '--wait', '1h');
    await waitFor(async () => (await sessions()) >= 2);
    await waiting.waitForOutput('waiting for');
    waiting.child.kill('SIGINT');
    expect(await waiting.finished).toMatchObject({ exitCode: 130, stdout: '' });
    expect(holder.child.exitCode).toBeNull();
    holder.child.kill('SIGTERM');
    await holder.finished;
  });

  it('that kills the process is noticed by the server: the statement ends and the next run works', async () => {
    const cli = up(slow.dir);
    await waitFor(sleeping);
    cli.child.kill('SIGKILL');
    await cli.finished;
    await gone();
    await expectUndone();
  });

  it('that comes before anything is done ends it, without a stack', async () => {
    for (const delayMs of [20, 60, 100, 150, 200, 300]) {
      const cli = up(slow.dir);
      await sleep(delayMs);
      cli.child.kill('SIGINT');
      const run = await cli.finished;
      expect(run.signal === 'SIGINT' || run.exitCode === 130, `${delayMs} ms: ${run.stderr}`).toBe(true);
      expect(run.stderr).not.toMatch(/\n\s+at /);
      await gone();
    }
    await gone();
    await expectUndone();
  });

  it('finds no password in the command line of the process or of its children', async () => {
    const cli = startCli(['migrate', 'up', '--migrations-dir', `aisec=${slow.dir}`], {
      env: { DATABASE_URL: database.url, PGPASSWORD: 'S3cr3t-in-the-environment' },
    });
    await waitFor(sleeping);
    const { pid } = cli.child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    for (const each of [String(pid), ...children])
      expect(readFileSync(`/proc/${each}/cmdline`, 'utf8')).not.toContain('S3cr3t');
    cli.child.kill('SIGTERM');
    await cli.finished;
  });

  it('from the keyboard, at a question on a terminal, ends it with 130, and the end of input refuses', async () => {
    await up(quick.dir).finished;
    for (const [key, exitCode] of [
      ['\u0003', 130],
      ['\u0004', 6],
    ] as const) {
      const program = new URL('../../bin/aisec.js', import.meta.url).pathname;
      const line = `'${process.execPath}' '${program}' migrate down --all --migrations-dir 'aisec=${quick.dir}'`;
      const child = spawn('script', ['-qec', line, '/dev/null'], {
        env: {
          PATH: process.env['PATH'],
          TERM: 'xterm',
          SHELL: '/bin/sh',
          DATABASE_URL: database.url,
          AISEC_ENV: 'production',
        },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let screen = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
      const ended = new Promise((resolve) => child.once('close', resolve));
      await waitFor(() => Promise.resolve(screen.includes('to continue: ')));
      child.stdin.write(key);
      expect(await ended, screen).toBe(exitCode);
      expect(screen).not.toMatch(/unsettled|\n\s+at /);
    }
    const { rows } = await database.admin.query(`select to_regclass('slow_one') is not null as kept`);
    expect(rows[0]).toEqual({ kept: true });
  });
});
