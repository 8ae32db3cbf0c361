import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, test } from 'vitest';

import { BAD_INVOICES, INVOICES } from '../fixtures/invoices.js';
import { migration, teamDirectory } from '../support/migrations-folder.js';
import { runInProcess } from '../support/run-in-process.js';
import type { CliResult } from '../support/run-cli.js';

let cwd: string;
beforeAll(() => {
  cwd = teamDirectory({ '0001_invoices.sql': INVOICES, '0002_status.sql': BAD_INVOICES });
});

const lint = async (...args: readonly string[]): Promise<CliResult> =>
  runInProcess(['migrate', 'lint', '--migrations-dir', 'db', '--exclude', 'comment-missing', ...args], { cwd });

interface Document {
  readonly formatVersion: number;
  readonly files: number;
  readonly findings: readonly { readonly rule: string; readonly line: number; readonly fix: string }[];
  readonly ignored: readonly unknown[];
}

describe('aisec migrate lint', () => {
  test('exits 3 on a finding, with place, rule, why and fix', async () => {
    const result = await lint();
    expect(result.exitCode).toBe(3);
    expect(result.stdout).toContain('db/0002_status.sql:3:1\twarning\tindex-not-concurrent');
    expect(result.stdout).toContain('create index concurrently idx_invoices_status on invoices (status);');
    expect(result.stderr).toContain('2 files, 5 statements analysed, 0 not (100%): 1 warning; 1 ignored.');
  });

  test('prints a fix of two lines as two lines in a pipe, so that it can be pasted', async () => {
    const { stdout } = await lint('0002_status');
    expect(stdout.split('\n')).toContain('create index concurrently idx_invoices_status on invoices (status);');
  });

  test('exits 0 without a finding', async () => {
    const result = await lint('0001_invoices');
    expect(result.stdout).toBe('');
    expect(result.exitCode).toBe(0);
  });

  test('takes names and paths, and runs the files before them', async () => {
    for (const name of ['0002_status', 'app/0002_status', 'db/0002_status.sql']) {
      const result = await lint(name);
      expect(result.exitCode).toBe(3);
      expect(result.stderr).toContain('1 file, 3 statements analysed');
    }
  });

  test('takes a file of a directory of its own, after the bundled ones', async () => {
    const own = teamDirectory({ '0001_index.sql': migration('create index idx_users_name on users (last_name);') });
    const result = await runInProcess(['migrate', 'lint', 'db/0001_index.sql'], { cwd: own });
    expect(result.exitCode).toBe(3);
    expect(result.stdout).toContain('db/0001_index.sql:2:1\twarning\tindex-not-concurrent');
  });

  test('prints one document with --json and with --format json', async () => {
    const [flag, format] = [await lint('--json'), await lint('--format', 'json')];
    const document = JSON.parse(flag.stdout) as Document;
    expect(document).toMatchObject({ formatVersion: 1, files: 2, statements: 5, notAnalysed: [] });
    expect(document.findings).toEqual([
      expect.objectContaining({
        id: 'index-not-concurrent:idx_invoices_status',
        severity: 'warning',
        rule: 'index-not-concurrent',
        file: 'db/0002_status.sql',
        line: 3,
        column: 1,
        endLine: 3,
        endColumn: 54,
      }),
    ]);
    expect(document.ignored).toHaveLength(1);
    expect(format.stdout).toBe(flag.stdout);
    expect(format.exitCode).toBe(3);
  });

  test('prints SARIF 2.1.0 that its schema accepts, at the same place', async () => {
    const { stdout, exitCode } = await lint('--format', 'sarif');
    const log = JSON.parse(stdout) as {
      runs: [
        {
          tool: { driver: { rules: readonly { help: { markdown: string } }[] } };
          results: { ruleId: string; level: string; locations: unknown[]; suppressions?: unknown[] }[];
        },
      ];
    };
    const { id, $schema, ...schema } = JSON.parse(
      readFileSync(path.join(import.meta.dirname, '../fixtures/sarif-2.1.0-rtm.5.json'), 'utf8'),
    ) as Record<string, unknown>;
    expect([id, $schema]).toHaveLength(2);
    const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
    addFormats.default(ajv);
    const validate = ajv.compile(schema);
    validate(log);
    expect(validate.errors).toBeNull();
    // No page of a rule has a public address for helpUri: what viewers show is the text of the page, examples included.
    const { rules } = log.runs[0].tool.driver;
    for (const { help } of rules)
      expect(help.markdown).toMatch(/^.+\n\nBad:\n\n```sql\n[^]+```\n\nGood:\n\n```sql\n[^]+```$/);
    expect(rules.length).toBeGreaterThan(40);
    const [found, ignored] = log.runs[0].results;
    expect(found).toMatchObject({
      ruleId: 'index-not-concurrent',
      level: 'warning',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'db/0002_status.sql', uriBaseId: '%SRCROOT%' },
            region: { startLine: 3, startColumn: 1, endLine: 3, endColumn: 54 },
          },
        },
      ],
    });
    expect(ignored).toMatchObject({ ruleId: 'drop', suppressions: [{ kind: 'inSource' }] });
    expect(exitCode).toBe(3);
  });

  test('prints annotations of GitHub, a line each', async () => {
    const { stdout } = await lint('--format', 'github');
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stdout).toMatch(
      /^::warning file=db\/0002_status\.sql,line=3,endLine=3,col=1,endColumn=54,title=index-not-concurrent::index idx_invoices_status is built/,
    );
    expect(stdout).toContain('%0AFix:%0A-- aisec: no-transaction%0Acreate index concurrently');
  });

  test('prints a Code Quality report of GitLab, whose fingerprints stay when lines move', async () => {
    const report = (result: CliResult): { fingerprint: string; location: unknown }[] =>
      JSON.parse(result.stdout) as { fingerprint: string; location: unknown }[];
    const [first] = report(await lint('--format', 'gitlab'));
    expect(first).toMatchObject({
      check_name: 'index-not-concurrent',
      severity: 'major',
      location: { path: 'db/0002_status.sql', lines: { begin: 3, end: 3 } },
    });
    const moved = teamDirectory({ '0001_invoices.sql': INVOICES, '0002_status.sql': `-- A title.\n\n${BAD_INVOICES}` });
    const args = ['migrate', 'lint', '--migrations-dir', 'db', '--exclude', 'comment-missing', '--format', 'gitlab'];
    const [second] = report(await runInProcess(args, { cwd: moved }));
    expect(second?.location).toEqual({ path: 'db/0002_status.sql', lines: { begin: 5, end: 5 } });
    expect(second?.fingerprint).toBe(first?.fingerprint);
  });

  test('says what MERGE PARTITIONS of PostgreSQL 19 does, that no other rule has read it, and reads the rest', async () => {
    const own = teamDirectory({
      '0001_events.sql': migration(
        'create table events (id bigint);\nalter table events merge partitions (events_a, events_b) into events_c;\ncreate table more (id bigint);',
      ),
    });
    const result = await runInProcess(
      ['migrate', 'lint', '--migrations-dir', 'db', '--rule', 'partition-merge-split'],
      {
        cwd: own,
      },
    );
    expect(result.stdout).toContain('db/0001_events.sql:3:1\twarning\tpartition-merge-split');
    expect(result.stderr).toContain(
      'not analysed: db/0001_events.sql:3:1: MERGE and SPLIT of partitions are of PostgreSQL 19',
    );
    expect(result.exitCode).toBe(3);
  });

  test('runs the rules that are named, and not those that are excluded', async () => {
    expect((await lint('--rule', 'index-not-concurrent')).exitCode).toBe(3);
    expect((await lint('--rule', 'truncate')).exitCode).toBe(0);
    expect((await lint('--exclude', 'index-not-concurrent,comment-missing')).exitCode).toBe(0);
  });

  test.each([
    [['--rule', 'index-not-concurent'], '--rule: there is no rule "index-not-concurent"', 'index-not-concurrent'],
    [['--format', 'xml'], 'invalid format "xml", expected text, json, sarif, github, gitlab', 'See'],
    [['0002_statu'], 'there is no migration "0002_statu"', '0002_status'],
    [['--json', '--format', 'github'], '--json and --format github cannot be used together', 'format'],
    [['--server-version', '15'], 'whole number from 16 on', 'See'],
  ])('exits 2 on %j, with a hint', async (args, error, hint) => {
    const result = await lint(...args);
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain(error);
    expect(result.stderr).toContain(hint);
  });

  test('finds nothing in the bundled migrations, and writes nothing but the archive of the replay', async () => {
    const result = await runInProcess(['migrate', 'lint']);
    expect(result.stderr).toContain('no findings; 0 ignored');
    expect(result.exitCode).toBe(0);
  });
});
