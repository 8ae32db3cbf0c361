import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import { COMMANDS } from '../../src/cli/commands.js';
import { runInProcess } from '../support/run-in-process.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

let directory: string;
const scriptOf = (shell: Shell): string => path.join(directory, `aisec.${shell}`);
const isThere = (shell: Shell): boolean => spawnSync(shell, ['-c', 'true']).status === 0;
const isWanted = (shell: Shell): boolean => isThere(shell) || process.env['CI'] !== undefined;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
  for (const shell of SHELLS) {
    const { stdout } = await runInProcess(['completion', shell]);
    writeFileSync(scriptOf(shell), stdout);
  }
  writeFileSync(path.join(directory, 'my dump.sql'), '');
  mkdirSync(path.join(directory, 'my dumps'));
  writeFileSync(
    path.join(directory, '.zshrc'),
    `autoload -Uz compinit; compinit -D -u; source ${scriptOf('zsh')}
aisec() { print -r -- "run with [$*]" }
PS1='ready> '
`,
  );
});

/** What bash offers for the last word; it cuts words at `=` before it asks. */
function bash(...words: readonly string[]): string[] {
  const script = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aisec; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ['--noprofile', '--norc', '-c', script, scriptOf('bash'), 'aisec', ...words];
  const { stdout, stderr } = spawnSync('bash', args, { cwd: directory, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter(Boolean).toSorted();
}

/** What fish offers for a line, without the descriptions. */
function fish(line: string): string[] {
  const { stdout, stderr } = spawnSync(
    'fish',
    ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', scriptOf('fish'), line],
    {
      cwd: directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: directory },
    },
  );
  expect(stderr).toBe('');
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((each) => each.split('\t')[0] ?? '')
    .toSorted();
}

/** What stands on zsh's command line after a TAB at the end of each line. In one session: most of one is its start. */
function zsh(lines: readonly string[]): Promise<readonly string[]> {
  const child = spawn('script', ['--quiet', '--return', '--command', 'zsh -d -i', '/dev/null'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, ZDOTDIR: directory, TERM: 'dumb' },
  });
  return new Promise((resolve, reject) => {
    /** Since the last line that was run. */
    let screen = '';
    let isSent = false;
    const found: string[] = [];
    const timer = setTimeout(() => {
      child.kill();
      reject(new Error(screen));
    }, 250_000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
      const shown = isSent ? /run with \[([^\]\n]*)\]/.exec(screen) : null;
      if (shown !== null) {
        found.push(shown[1]?.trim() ?? '');
        screen = screen.slice(shown.index + shown[0].length);
        isSent = false;
      }
      if (found.length === lines.length) {
        clearTimeout(timer);
        child.kill();
        resolve(found);
      } else if (!isSent && screen.includes('ready> ')) {
        isSent = true;
        child.stdin.write(`${lines[found.length]}\t\n`);
      }
    });
  });
}

describe('The completion of bash', () => {
  const nouns = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''))];

  test('offers the commands, and the verbs below them', () => {
    expect(bash('')).toEqual([...nouns, 'help'].toSorted());
    expect(bash('mig')).toEqual(['migrate']);
    expect(bash('migrate', 're')).toEqual(['redo', 'rehearse', 'repair']);
    expect(bash('help', 'vector', 're')).toEqual(['rebuild']);
    expect(bash('help', 'exit')).toEqual(['exit-codes']);
  });

  test('offers the options of the very command, with those of all', () => {
    expect(bash('migrate', 'up', '--lock')).toEqual(['--lock-timeout']);
    expect(bash('migrate', 'status', '--lock')).toEqual([]);
    expect(bash('migrate', 'status', '--js')).toEqual(['--json']);
    expect(bash('--da')).toEqual(['--database-url', '--database-url-file']);
  });

  test('offers the values of an option where these are few', () => {
    expect(bash('archive', 'export', '--format', '')).toEqual(['csv', 'ndjson']);
    expect(bash('archive', 'export', '--format', '=')).toEqual(['csv', 'ndjson']);
    expect(bash('archive', 'export', '--format', '=', 'c')).toEqual(['csv']);
    expect(bash('migrate', 'lint', '--format', 's')).toEqual(['sarif']);
    expect(bash('vector', 'rebuild', '--method', '')).toEqual(['hnsw', 'ivfflat']);
  });

  test('offers files and directories where an option or an argument takes one, and none elsewhere', () => {
    expect(bash('types', 'generate', '--out', 'my')).toEqual(['my dump.sql', 'my dumps']);
    expect(bash('types', 'generate', '--out', '=', 'my')).toEqual(['my dump.sql', 'my dumps']);
    expect(bash('backup', '--dir', 'my')).toEqual(['my dumps']);
    expect(bash('archive', 'import', 'my')).toEqual(['my dump.sql', 'my dumps']);
    expect(bash('migrate', 'up', '--lock-timeout', 'my')).toEqual([]);
  });

  test('does not take the value of an option for a command', () => {
    expect(bash('--schema', 'seed', 'migrate', 're')).toEqual(['redo', 'rehearse', 'repair']);
    expect(bash('--schema', '=', 'seed', 'migrate', 're')).toEqual(['redo', 'rehearse', 'repair']);
    expect(bash('migrate', '--json', 're')).toEqual(['redo', 'rehearse', 'repair']);
  });

  test('knows every command and every option', () => {
    for (const { name, options } of COMMANDS) {
      const offered = bash(...name.split(' '), '--');
      for (const { flags } of options)
        expect(offered, name).toContain(flags.split(' ').find((word) => word.startsWith('--')));
    }
  });

  test('is loaded by the line of its help', () => {
    const [line = ''] = COMMANDS.find(({ name }) => name === 'completion bash')?.examples[0] ?? [];
    const program = path.join(import.meta.dirname, '..', '..', 'bin', 'aisec.js');
    const script = `aisec() { '${process.execPath}' '${program}' "$@"; }\n${line}\ncomplete -p aisec`;
    const { stdout } = spawnSync('bash', ['--noprofile', '--norc', '-c', script], { encoding: 'utf8' });
    expect(stdout.trim()).toBe('complete -F _aisec aisec');
  });
});

describe.runIf(isWanted('fish'))('The completion of fish', () => {
  test('offers commands, options, values and files', () => {
    expect(fish('aisec mig')).toEqual(['migrate']);
    expect(fish('aisec migrate re')).toEqual(['redo', 'rehearse', 'repair']);
    expect(fish('aisec --schema seed migrate re')).toEqual(['redo', 'rehearse', 'repair']);
    expect(fish('aisec migrate up --lock')).toEqual(['--lock-timeout']);
    expect(fish('aisec archive export --format ')).toEqual(['csv', 'ndjson']);
    expect(fish('aisec archive export --format=c')).toEqual(['--format=csv']);
    expect(fish('aisec types generate --out my')).toEqual(['my dump.sql', 'my dumps/']);
    expect(fish('aisec backup --dir my')).toEqual(['my dumps/']);
    expect(fish('aisec migrate up --lock-timeout my')).toEqual([]);
  });
});

describe.runIf(isWanted('zsh'))('The completion of zsh', () => {
  const expected: readonly (readonly [line: string, completed: string])[] = [
    ['aisec mig', 'migrate'],
    ['aisec migrate reh', 'migrate rehearse'],
    ['aisec migrate up --lock', 'migrate up --lock-timeout'],
    ['aisec --schema seed migrate reh', '--schema seed migrate rehearse'],
    ['aisec archive export --format c', 'archive export --format csv'],
    ['aisec archive export --format=c', 'archive export --format=csv'],
    ['aisec types generate --out my\\ dump.', 'types generate --out my dump.sql'],
  ];
  let completed: readonly string[] = [];
  beforeAll(async () => {
    completed = await zsh(expected.map(([line]) => line));
  });

  test.each(expected.map((each, index) => [...each, index] as const))('makes of "%s" "%s"', (_, wanted, index) => {
    expect(completed[index]).toBe(wanted);
  });
});

test('each listed value of an option is one that it takes', () => {
  for (const { options } of COMMANDS)
    for (const { values = [], parse } of options) for (const value of values) expect(parse?.(value)).toBe(value);
});

test('the script of an unknown shell is exit 2, with the nearest name', async () => {
  const run = await runInProcess(['completion', 'bush']);
  expect(run).toMatchObject({ exitCode: 2, stdout: '' });
  expect(run.stderr).toContain('Did you mean "bash"?');
});
