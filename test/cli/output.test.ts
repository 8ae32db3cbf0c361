import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { migration, migrationsFolder } from '../support/migrations-folder.js';
import { onTerminal, type TerminalResult } from '../support/on-terminal.js';
import { runCli, startCli } from '../support/run-cli.js';

const ESCAPE = '\u001B';
const CONTROL = new RegExp(`[\r${ESCAPE}]`);
const program = path.join(import.meta.dirname, '..', '..', 'bin', 'aisec.js');
const directory = migrationsFolder({
  '0001_a.sql': migration('create table a (id int);'),
  '0002_b.sql': migration('create table b (id int);'),
});
/** As long as the table `released` is empty. */
const slow = migrationsFolder({
  '0001_slow.sql': migration(
    'do $$ begin while not exists (select from public.released) loop perform pg_sleep(0.05); end loop; end $$;',
  ),
});
const long = migrationsFolder({ '0001_long.sql': migration('select pg_sleep(2.5);') });
const home = mkdtempSync(path.join(tmpdir(), 'aisec-test-output-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

describeOnServer('what is written', () => {
  let database: ServerDatabase;
  let env: Record<string, string> = {};
  beforeAll(async () => {
    database = await createServerDatabase();
    await database.admin.query('create table released ()');
    env = { DATABASE_URL: database.url, HOME: home, AISEC_MIGRATIONS_DIR: `aisec=${directory.dir}` };
  });

  it('to a pipe is tab-separated, without colour, times in RFC 3339, and only the result on stdout', async () => {
    expect((await runCli(['migrate', 'up', '--to', '0001_a'], { env })).exitCode).toBe(0);
    const run = await runCli(['migrate', 'status'], { env });
    const [header, first, second] = run.stdout.split('\n').map((line) => line.split('\t'));
    expect(header).toEqual(['migration', 'state', 'applied at', 'by', 'time']);
    expect(first?.slice(0, 2)).toEqual(['0001_a', 'applied']);
    expect(first?.[2]).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    expect(second?.slice(0, 2)).toEqual(['0002_b', 'pending']);
    expect(`${run.stdout}${run.stderr}`).not.toMatch(CONTROL);
    expect(run.stderr).toContain('1 applied, 1 pending.');
  });

  it('is coloured on a terminal and with FORCE_COLOR, and not with NO_COLOR, --no-color or TERM=dumb', async () => {
    const colored = new RegExp(String.raw`${ESCAPE}\[3[0-9]m`);
    const [terminal, noColor, flag, dumb] = await Promise.all([
      onTerminal('aisec migrate status', env),
      onTerminal('aisec migrate status', { ...env, NO_COLOR: '1' }),
      onTerminal('aisec migrate status --no-color', env),
      onTerminal('aisec migrate status', { ...env, TERM: 'dumb' }),
    ]);
    expect(terminal.screen).toMatch(colored);
    for (const plain of [noColor, flag, dumb]) {
      expect(plain.exitCode).toBe(0);
      expect(plain.screen).toContain('0001_a');
      expect(plain.screen).not.toMatch(colored);
    }
    expect((await runCli(['migrate', 'status'], { env: { ...env, FORCE_COLOR: '1' } })).stdout).toMatch(colored);
    expect((await onTerminal('aisec migrate status | cat', env)).screen).not.toMatch(new RegExp(`0001_a.*${ESCAPE}`));
  });

  it('with --json is one document, with --quiet nothing on stderr, wherever the options stand', async () => {
    const [before, after] = await Promise.all([
      runCli(['--json', '--quiet', 'migrate', 'status'], { env }),
      runCli(['migrate', 'status', '--quiet', '--json'], { env }),
    ]);
    expect(JSON.parse(before.stdout)).toMatchObject({ schema: 'public', isCurrent: false });
    expect(after.stdout).toBe(before.stdout);
    expect(before).toMatchObject({ exitCode: 0, stderr: '' });
    expect(after).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('to a reader that goes away, a closed stream or a full device ends quietly or says so', () => {
    const shell = (line: string) =>
      spawnSync('bash', ['-c', `aisec() { '${process.execPath}' '${program}' "$@"; }; ${line}`], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], ...env },
      });
    const head = shell('aisec migrate status --quiet | head -1; echo "${PIPESTATUS[0]}"');
    expect(head).toMatchObject({ stdout: 'migration\tstate\tapplied at\tby\ttime\n0\n', stderr: '' });
    expect(shell('aisec migrate status --quiet | true; echo "${PIPESTATUS[0]}"')).toMatchObject({
      stdout: '0\n',
      stderr: '',
    });
    expect(shell('aisec migrate status >&-').status).toBe(0);
    expect(shell('aisec migrate status 2>&-').status).toBe(0);
    const full = shell('aisec migrate status --quiet > /dev/full');
    expect(full.status).toBe(1);
    expect(full.stderr).toContain('error: could not write the output\ndetail: ENOSPC');
    expect(full.stderr).not.toMatch(/\n\s+at /);
  });

  it('about a long step is one live line on a terminal, gone at the end, and a whole line in a pipe', async () => {
    const args = `--migrations-dir aisec=${slow.dir}`;
    const release = (): Promise<unknown> => database.admin.query('insert into released default values');
    const untilShown = async (line: string): Promise<TerminalResult> => {
      await database.admin.query('delete from released');
      let released: Promise<unknown> | undefined;
      const shown = await onTerminal(line, env, (screen) => {
        if (screen.includes('applying 0001_slow (1 of 1)')) released ??= release();
      });
      await released;
      return shown;
    };
    const terminal = await untilShown(`stty cols 80 && aisec migrate up ${args} --schema on_terminal`);
    expect(terminal.exitCode).toBe(0);
    expect(terminal.screen).toContain('applying 0001_slow (1 of 1)');
    expect(terminal.screen).toContain('\u001B[?25h');
    const rest = terminal.screen.slice(terminal.screen.lastIndexOf('\u001B[?25h'));
    expect(rest).not.toContain('applying');
    const sizeless = await untilShown(`aisec migrate up ${args} --schema sizeless`);
    expect(sizeless.exitCode).toBe(0);
    expect(sizeless.screen).toContain('applying 0001_slow (1 of 1) ...');
    await database.admin.query('delete from released');
    const running = startCli(['migrate', 'up', ...args.split(' '), '--schema', 'in_pipe'], { env });
    await running.waitForOutput('applying 0001_slow (1 of 1) ...\n');
    await release();
    const piped = await running.finished;
    // Once more where it lasts for ten seconds.
    expect(new Set(piped.stderr.split('\n').filter((line) => line.startsWith('applying')))).toEqual(
      new Set(['applying 0001_slow (1 of 1) ...']),
    );
    expect(piped.stderr).not.toMatch(CONTROL);
    const silently = ['--migrations-dir', `aisec=${long.dir}`, '--schema', 'quietly', '--quiet'];
    const quiet = await runCli(['migrate', 'up', ...silently], { env });
    expect(quiet).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('never is a question with --no-input or without a terminal: the command is refused', async () => {
    const production = { ...env, AISEC_ENV: 'production' };
    const cli = startCli(['migrate', 'down'], { env: production });
    const run = await cli.finished;
    expect(run).toMatchObject({ exitCode: 6, stdout: '' });
    const asked = await onTerminal('aisec migrate down --no-input', production);
    expect(asked.exitCode).toBe(6);
    expect(asked.screen).not.toContain('to continue');
  });
});

describe('an empty environment, as cron gives it', () => {
  it('without HOME, in a directory that may not be written, is enough', () => {
    const run = (args: readonly string[], cwd: string, identity: { uid?: number; gid?: number } = {}) =>
      spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env: {}, cwd, ...identity });
    expect(run(['--version'], '/proc')).toMatchObject({ status: 0, stderr: '' });
    expect(run(['help', 'migrate'], '/proc')).toMatchObject({ status: 0, stderr: '' });
    const status = run(['migrate', 'status'], '/proc');
    expect(status).toMatchObject({ status: 2, stdout: '' });
    expect(status.stderr).toContain('error: no database is configured');
    const up = run(['migrate', 'up', '--embedded', '--migrations-dir', `aisec=${directory.dir}`], '/proc');
    expect(up).toMatchObject({ status: 1, stdout: '' });
    expect(up.stderr).toContain('error: could not open the embedded database');
    expect(up.stderr).not.toMatch(/\n\s+at /);
    const remote = run(['migrate', 'status', '--database-url', 'postgres://127.0.0.1:1/db'], '/proc');
    expect(remote.status).toBe(4);
  });

  it('in a directory that is gone is told', () => {
    const gone = mkdtempSync(path.join(home, 'gone-'));
    const line = `cd '${gone}' && rmdir '${gone}' && '${process.execPath}' '${program}' migrate status`;
    const run = spawnSync('bash', ['-c', line], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('error: the current directory does not exist any more');
  });
});
