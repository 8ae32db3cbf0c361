import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { runCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const nouns = [...new Set(COMMANDS.map((command) => command.name.split(' ')[0] ?? ''))];
const names = [...new Set(['', ...nouns, ...COMMANDS.map((command) => command.name)])];

/** The files of the package that a command line loads, by name. */
async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const loader = 'export async function load(url, context, next) { console.error(url); return next(url, context); }';
  const source = `import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(loader)}));`;
  const run = await runCli(args, {
    env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(source)}` },
  });
  expect(run.exitCode).toBe(0);
  const files = run.stderr.split('\n').filter((url) => url.startsWith('file:'));
  return files.map((url) => path.basename(url)).toSorted();
}

describe('the help', () => {
  it.each(names)('of "aisec %s" fits 80 columns and is as recorded', async (name) => {
    const words = name.split(' ').filter(Boolean);
    const run = await runInProcess([...words, '--help']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).not.toContain('\u001B');
    expect(run.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const file = `${['help', ...words].join('-')}.txt`;
    await expect(run.stdout).toMatchFileSnapshot(path.join(import.meta.dirname, 'snapshots', file));
  });

  it.each(COMMANDS.map((command) => command.name))('of "aisec %s" has examples of that very command', (name) => {
    const command = COMMANDS.find((each) => each.name === name)!;
    expect(command.examples.length).toBeGreaterThanOrEqual(2);
    for (const [line] of command.examples) expect(line).toContain(`aisec ${name}`);
  });

  it('is the same however it is asked for', async () => {
    const [short, long, word] = await Promise.all([['-h'], ['--help'], ['help']].map((args) => runInProcess(args)));
    expect(long).toMatchObject({ exitCode: 0, stderr: '' });
    for (const other of [short, word]) expect(other).toMatchObject({ exitCode: 0, stdout: long!.stdout, stderr: '' });
    const [asked, askedDeep, flag, flagDeep] = await Promise.all(
      [
        ['help', 'migrate'],
        ['help', 'migrate', 'up'],
        ['migrate', '--help'],
        ['migrate', 'up', '-h'],
      ].map((args) => runInProcess(args)),
    );
    expect(asked!.stdout).toBe(flag!.stdout);
    expect(askedDeep!.stdout).toBe(flagDeep!.stdout);
  });

  it('comes on stderr, with exit code 2, for a noun without a verb', async () => {
    const run = await runInProcess(['migrate']);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain('Usage: aisec migrate');
  });

  it('has the exit codes', async () => {
    const run = await runInProcess(['help', 'exit-codes']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('130  interrupted');
  });

  it.each(['--version', '-V'])('tells the version of package.json with %s, and nothing else', async (flag) => {
    expect(await runCli([flag])).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('is rendered by the build: it is shown without loading anything but what finds it', async () => {
    expect(await loadedBy(['migrate', 'up', '--help'])).toEqual(['aisec.js', 'start.js']);
  });

  it('that the build has rendered is what the command line renders', async () => {
    const file = path.join(import.meta.dirname, '..', '..', 'dist', 'bundle', 'help.json');
    const built = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    expect(Object.keys(built).toSorted()).toEqual(names.toSorted());
    for (const name of names) {
      const rendered = await runInProcess([...name.split(' ').filter(Boolean), '--help', '--no-color']);
      expect(rendered, name).toMatchObject({ exitCode: 0, stdout: built[name], stderr: '' });
    }
  });

  it.each(['', 'migrate up'])('of a process of its own is the same: aisec %s', async (name) => {
    const words = name.split(' ').filter(Boolean);
    const [built, rendered] = await Promise.all([
      runCli([...words, '--help']),
      runCli([...words, '--help', '--no-color']),
    ]);
    expect(rendered).toMatchObject({ exitCode: 0, stdout: built.stdout, stderr: '' });
  });

  it('rendered again loads no driver, no engine and no colours', async () => {
    const loaded = await loadedBy(['migrate', 'up', '--help', '--no-color']);
    expect(loaded).toEqual(['aisec.js', 'core.js', 'rolldown-runtime.js', 'start.js']);
    // pg is in the bundle, in a file of its own: the login it speaks gives it away.
    const bundle = path.join(import.meta.dirname, '..', '..', 'dist', 'bundle');
    const withDriver = readdirSync(bundle).filter(
      (file) => file.endsWith('.js') && readFileSync(path.join(bundle, file), 'utf8').includes('SASLInitialResponse'),
    );
    expect(withDriver).toHaveLength(1);
    expect(loaded).not.toContain(withDriver[0]);
  });
});

describe('a wrong command line', () => {
  it.each([
    [['migrat', 'up'], 'unknown command "migrat"', 'Did you mean "migrate"?'],
    [['migrate', 'upp'], 'unknown command "upp"', 'Did you mean "up"?'],
    [['migrate', 'status', '--check'], 'unknown option "--check"', 'Did you mean "aisec migrate check"?'],
    [['migrate', 'up', '--dryrun'], 'unknown option "--dryrun"', 'Did you mean "--dry-run"?'],
    [['migrate', 'up', 'extra'], 'unexpected argument "extra"', 'See: aisec migrate up --help'],
    [
      ['migrate', 'up', '--lock-timeout', '6'],
      '--lock-timeout: invalid duration "6"',
      'Give a number with a unit: 500ms, 2s, 5m (minutes), 1h, 30d, 2w.',
    ],
    [
      ['cache', 'warm', '--users', '-1'],
      '--users: invalid value "-1": expected a whole number from 0 on',
      'See --help.',
    ],
    [['migrate', 'up', '--to'], 'option "--to <name>" argument missing', 'See: aisec migrate up --help'],
    [['migrate', 'new'], 'missing required argument "name"', 'See: aisec migrate new --help'],
    [
      ['migrate', 'up', '--sql', '--dry-run'],
      '--sql and --dry-run cannot be used together',
      '--sql needs no database; --dry-run runs on one.',
    ],
    [
      ['migrate', 'status', '--schema', ''],
      '--schema is empty',
      'Give a value, or leave the option out. Is a shell variable not set?',
    ],
    [['schedule', 'systemd', '--out', ''], '--out is empty', 'Is a shell variable not set?'],
    [['archive', 'import', ''], 'an argument of aisec archive import is empty', 'Is a shell variable not set?'],
    [['help', 'migrate', 'upp'], 'there is no command "migrate upp"', 'Did you mean "up"?'],
  ])('%j is told in one line with a hint, in JSON as well', async (args, message, hint) => {
    const [text, json] = await Promise.all([runInProcess(args), runInProcess([...args, '--json'])]);
    expect(text).toMatchObject({ exitCode: 2, stdout: '' });
    expect(text.stderr.split('\n')[0]).toContain(`error: ${message}`);
    expect(text.stderr).toContain(`hint: ${hint}\n`);
    expect(json).toMatchObject({ exitCode: 2, stdout: '' });
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'USAGE', hint } });
  });

  it('without a command is an error in JSON too', async () => {
    const run = await runInProcess(['migrate', '--json']);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(JSON.parse(run.stderr)).toMatchObject({ error: { code: 'USAGE', message: 'no command was given' } });
  });
});
