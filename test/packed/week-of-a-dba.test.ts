import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { buildDocument, fillDocument } from '../support/document-database.js';
import { installPacked } from '../support/packed-package.js';

const page = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'week-of-a-dba.md'), 'utf8');

/** What the release of Thursday has and the one before has not; what came later is in none of the two. */
const NEWEST = '0021_size_records.sql';

interface Step {
  readonly command: string;
  readonly exitCode: number;
  readonly shown: string;
}

/** The `console` blocks: each `$ ` line is a command, `> ` lines belong to it, `# exit 3` is how it ends; then what it prints. */
function steps(): readonly Step[] {
  const blocks = [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((part) => {
      const [first = '', ...lines] = part.trimEnd().split('\n');
      const more = lines.findIndex((line) => !line.startsWith('> '));
      const typed = lines.slice(0, more === -1 ? lines.length : more);
      return {
        command: [first.replace(/\s+#.*$/, ''), ...typed.map((line) => line.slice(2))].join('\n'),
        exitCode: Number(/# exit (\d+)/.exec(first)?.[1] ?? 0),
        shown: lines.slice(typed.length).join('\n'),
      };
    });
}

/** Times, sizes, places and how often a slow step reports itself differ from run to run; what is said does not. */
function steady(text: string, name: string): string {
  return (
    stripVTControlCharacters(text)
      .replaceAll('\r', '')
      // Who waits stands on a line of its own where the time is long.
      .replaceAll(/(until the commit:)\n +/g, '$1 ')
      .replaceAll(/^(?:.* \.\.\.|npm notice.*)\n/gm, '')
      .replaceAll(name, 'shop')
      .replaceAll(/database "shop" at [\w.:-]+/g, 'database "shop"')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z| UTC)?/g, 'TIME')
      .replaceAll(/\d{8}_\d{6}/g, 'TIME')
      .replaceAll(/\d{4}-\d\d(-\d\d)?/g, 'DATE')
      .replaceAll(/y\d{4}m\d\d/g, 'MONTH')
      .replaceAll(/\d+ min( \d+ s)?|[\d.]+ (ms|s)\b/g, 'TIME')
      .replaceAll(/[\d.]+ (bytes|[kMG]B)/g, 'SIZE')
      .replaceAll(/, SIZE of WAL/g, '')
      .replaceAll(/aisec \d+\.\d+\.\d+/g, 'aisec VERSION')
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'SHA256')
      .replaceAll(/\/\S*\/(?=backups|db)/g, '')
      .replaceAll(/(about )[\d,]+( rows)/g, '$1N$2')
      .replaceAll(/-{3,}/g, '---')
      .replaceAll(/[ \t]+/g, ' ')
      .split('\n')
      .map((line) => line.trim())
      .join('\n')
      .trim()
  );
}

describeOnServer('docs/week-of-a-dba.md', () => {
  let project = '';
  let database: ServerDatabase;
  let backups = '';

  beforeAll(async () => {
    project = mkdtempSync(path.join(tmpdir(), 'aisec-week-'));
    writeFileSync(path.join(project, 'package.json'), '{ "name": "shop", "version": "1.0.0", "private": true }\n');
    await installPacked(project);
    const installed = path.join(project, 'node_modules', 'aisec');
    for (const name of readdirSync(path.join(installed, 'migrations')).filter((file) => file > NEWEST))
      rmSync(path.join(installed, 'migrations', name));
    cpSync(installed, path.join(project, 'releases', 'newer'), { recursive: true });
    rmSync(path.join(installed, 'migrations', NEWEST));
    cpSync(installed, path.join(project, 'releases', 'older'), { recursive: true });
    backups = path.join(project, 'backups');
    mkdirSync(path.join(project, 'bin'));
    writeFileSync(
      path.join(project, 'bin', 'aisec'),
      `#!/bin/sh\nexec '${process.execPath}' '${path.join(installed, 'bin', 'aisec.js')}' "$@"\n`,
      { mode: 0o755 },
    );
    database = await createServerDatabase();
    await buildDocument((sql) => database.admin.query(sql));
    await fillDocument((sql) => database.admin.query(sql), 2000);
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  /** There is no release to install: the two that the page speaks of lie beside. */
  function install(command: string): void {
    const wanted = command === 'npm install aisec@0.1.0' ? 'older' : 'newer';
    const installed = path.join(project, 'node_modules', 'aisec');
    renameSync(installed, `${installed}-before-${Date.now()}`);
    cpSync(path.join(project, 'releases', wanted), installed, { recursive: true });
  }

  /** On a terminal of 100 columns, as the page shows it. */
  function run(command: string): Promise<{ readonly printed: string; readonly exitCode: number }> {
    const env = {
      PATH: `${path.join(project, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: project,
      TERM: 'dumb',
      NO_COLOR: '1',
      DATABASE_URL: database.url,
      AISEC_BACKUP_DIR: backups,
    };
    return new Promise((resolve) => {
      execFile('script', ['-qec', command, '/dev/null'], { cwd: project, env }, (error, printed) => {
        resolve({ printed, exitCode: error === null ? 0 : Number(error.code) });
      });
    });
  }

  test('is what its commands print, run in their order', { timeout: 900_000 }, async () => {
    expect(steps().length).toBeGreaterThan(20);
    for (const { command, exitCode, shown } of steps()) {
      if (command.startsWith('npm install ')) {
        install(command);
        continue;
      }
      const found = await run(command);
      expect({ command, exitCode: found.exitCode, shown: steady(found.printed, database.name) }).toEqual({
        command,
        exitCode,
        shown: steady(shown, database.name),
      });
    }
  });
});
