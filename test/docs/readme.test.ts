import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { expect, test } from 'vitest';

import { createEmbeddedDirectory } from '../support/database.js';

const root = path.join(import.meta.dirname, '..', '..');

/** The `console` block of README.md: each `$ ` line is a command, the lines below it what a terminal shows. */
function session(): readonly { readonly command: string; readonly shown: string }[] {
  const [, block = ''] = /```console\n([\s\S]*?)```/.exec(readFileSync(path.join(root, 'README.md'), 'utf8')) ?? [];
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...lines] = part.trimEnd().split('\n');
      return { command, shown: lines.join('\n') };
    });
}

/** Times, dates and passwords differ from run to run, and how often a slow step says that it goes on (`… ...`). */
function steady(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\r', '')
    .replaceAll(/^.* \.\.\.\n/gm, '')
    .replaceAll(/\d{4}-\d\d(-\d\d)?/g, 'DATE')
    .replaceAll(/\d\d:\d\d:\d\d/g, 'TIME')
    .replaceAll(/(\d+ min )?[\d.]+ (ms|s)\b/g, 'N s')
    .replaceAll(/(only this once\): )\S+/g, '$1SECRET')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();
}

test('the terminal session of README.md shows what its commands print on a terminal', async () => {
  const cwd = await createEmbeddedDirectory();
  const env = {
    PATH: `${path.join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
    HOME: cwd,
    TERM: 'dumb',
  };
  const steps = session();
  expect(steps.length).toBeGreaterThan(1);
  for (const { command, shown } of steps) {
    const aisec = command.replace(/^npx aisec/, `'${process.execPath}' '${path.join(root, 'bin', 'aisec.js')}'`);
    const printed = execFileSync('script', ['-qec', aisec, '/dev/null'], { cwd, env, encoding: 'utf8' });
    expect(steady(printed)).toBe(steady(shown));
  }
});
