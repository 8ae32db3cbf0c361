import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { COMMANDS } from '../../src/cli/commands.js';
import { manifestText } from '../../src/features/backup/catalog/manifest.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { runInProcess } from '../support/run-in-process.js';

/** What only reads, works on a copy of its own, or checks a backup, whose manifest keeps the result. */
const READERS =
  /^schedule (crontab|kubernetes)$|^completion |(status|check|list|start|verify|tune|drift|lint|test|rehearse|drill|diagram)$|^(doctor|monitor)( (?!record|report|export)|$)/;

test('every command that writes takes --dry-run', () => {
  const without = COMMANDS.filter(({ options }) => !options.some(({ flags }) => flags === '--dry-run'));
  expect(without.map(({ name }) => name).filter((name) => !READERS.test(name))).toEqual([]);
});

test('no option is called --check, and each flag has one kind of value', () => {
  const kinds = new Map<string, Set<string>>();
  for (const { flags } of COMMANDS.flatMap(({ options }) => options)) {
    // What --out writes is a file or a directory; what --confirm repeats is the name of what is lost.
    const [name = '', kind = ''] = flags
      .replace('--out <dir>', '--out <file>')
      .replace('--confirm <username>', '--confirm <database>')
      .split(' ');
    kinds.set(name, (kinds.get(name) ?? new Set()).add(kind));
  }
  expect([...kinds.keys()]).not.toContain('--check');
  const several = [...kinds].filter(([, values]) => values.size > 1).map(([name]) => name);
  expect(several).toEqual([]);
});

test('migrate new --dry-run prints the name of the file and makes nothing', async () => {
  const cwd = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
  const args = ['migrate', 'new', 'add_notes', '--migrations-dir', './db', '--dry-run'];
  const run = await runInProcess(args, { cwd });
  expect(run).toMatchObject({ exitCode: 0, stdout: `${path.join(cwd, 'db', '0001_add_notes.sql')}\n` });
  expect(existsSync(path.join(cwd, 'db'))).toBe(false);
});

test('backup pin --dry-run leaves the manifest as it is, and exits 2 for a name that is unknown', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
  const file = path.join(directory, 'app_20261125_021500.dump');
  writeFileSync(file, 'PGDM');
  writeFileSync(`${file}.json`, manifestText(backupManifest()));
  const before = readFileSync(`${file}.json`, 'utf8');
  const run = await runInProcess(['backup', 'pin', path.basename(file), '--dir', directory, '--dry-run', '--json']);
  expect(run).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(run.stdout)).toMatchObject({ isPinned: true, isDryRun: true });
  expect(readFileSync(`${file}.json`, 'utf8')).toBe(before);
  const unknown = await runInProcess(['backup', 'pin', 'other.dump', '--dir', directory, '--dry-run']);
  expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
});
