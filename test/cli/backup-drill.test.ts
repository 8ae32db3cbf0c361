import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import type { Drill } from '../../src/features/backup/drill/records.js';
import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { startCli, type CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

describeOnServer('aisec backup drill', () => {
  const fixture = useBackupFixture();
  let directory = '';
  beforeAll(async () => {
    directory = await fixture.newDirectory();
    await fixture.backup(directory);
  });
  const environment = (): Record<string, string> => ({ DATABASE_URL: fixture.database().url });
  const drill = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['backup', 'drill', '--dir', directory, ...args], { env: environment() });
  const check = (...args: readonly string[]): Promise<CliResult> =>
    fixture.local(['check', '--dir', directory, ...args]);
  const recorded = (): readonly Drill[] =>
    readFileSync(path.join(directory, 'drills.ndjson'), 'utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Drill]));
  const scratchDatabases = async (): Promise<readonly unknown[]> => {
    const { rows } = await fixture
      .database()
      .admin.query("select datname from pg_database where datname = 'aisec_drill_' || current_database()");
    return rows;
  };
  function checksDirectory(checks: Readonly<Record<string, string>>): string {
    const made = path.join(directory, '..', `checks-${Object.keys(checks).join('-')}`);
    mkdirSync(made);
    for (const [name, text] of Object.entries(checks)) writeFileSync(path.join(made, `${name}.sql`), text);
    return made;
  }

  test('measures the recovery of the newest backup, records it and renders a page', async () => {
    const never = await check('--max-drill-age', '1h');
    expect(never).toMatchObject({ exitCode: 3 });
    expect(never.stdout).toContain('has passed yet');
    const page = path.join(directory, '..', 'drill.html');
    const checks = checksDirectory({
      a: "select from messages where content = 'none'; -- as it should be",
      b: 'do $$ begin end $$',
    });
    const run = await drill('--check-sql', checks, '--html', page, '--json');
    expect(run).toMatchObject({ exitCode: 0 });
    const [result] = (JSON.parse(run.stdout) as { readonly drills: readonly Drill[] }).drills;
    expect(result).toMatchObject({
      isPassed: true,
      verdict: 'good',
      checks: [
        { name: 'a.sql', verdict: 'passed', rows: 0 },
        { name: 'b.sql', verdict: 'passed' },
      ],
    });
    expect(result!.phases.map(({ phase }) => phase)).toEqual([
      'read',
      'create',
      'rows',
      'indexes',
      'vector-indexes',
      'analyze',
      'compare',
      'checks',
    ]);
    expect(result!.recoveryTimeMs).toBeGreaterThan(0);
    expect(result!.recoveryTimeMs).toBeLessThanOrEqual(result!.durationMs);
    expect(Date.parse(result!.startedAt) - Date.parse(result!.recoveryPointAt)).toBe(result!.recoveryPointAgeMs);
    expect(recorded()).toEqual([result]);
    for (const file of [page, path.join(directory, 'drills.ndjson')]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(page, 'utf8')).toMatch(/Recovery time[\s\S]*a\.sql[\s\S]*Drills so far/);
    expect(await scratchDatabases()).toEqual([]);
    // As good as `verify --deep`.
    expect(await check('--max-drill-age', '1h', '--max-deep-age', '1h')).toMatchObject({ exitCode: 0 });
  });

  test('of a backup in another directory is recorded beside it, and makes no directory', async () => {
    const [file = ''] = (fixture.names(directory) ?? []).filter((name) => name.endsWith('.dump'));
    const before = recorded().length;
    const run = await runInProcess(['backup', 'drill', path.join(directory, file)], { env: environment() });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(`recorded in ${path.join(directory, 'drills.ndjson')}`);
    expect(recorded()).toHaveLength(before + 1);
    const elsewhere = await runInProcess(['backup', 'drill', file, '--dir', directory], { env: environment() });
    expect(elsewhere.stderr).toContain(`recorded in ${path.join(directory, 'drills.ndjson')}`);
  });

  test('fails with a check that returns rows or an error, and records no value of a row', async () => {
    const checks = checksDirectory({ rows: 'select content from messages limit 2', wrong: 'select 1 / 0' });
    // What a killed run left of its line does not take the next one along.
    appendFileSync(path.join(directory, 'drills.ndjson'), '{"startedAt":"20');
    const run = await drill('--check-sql', checks);
    expect(run).toMatchObject({ exitCode: 3 });
    expect(run.stdout).toContain('rows.sql: It returned 2 rows.');
    const lines = readFileSync(path.join(directory, 'drills.ndjson'), 'utf8').trimEnd().split('\n');
    const last = JSON.parse(lines.at(-1) ?? '') as Drill;
    expect(last).toMatchObject({
      isPassed: false,
      verdict: 'good',
      checks: [
        { rows: 2, reason: 'It returned 2 rows.' },
        { rows: null, reason: 'division by zero (22012).' },
      ],
    });
    expect(lines.at(-1)).not.toContain('message 1');
    const found = await check('--max-drill-age', '1ms');
    expect(found).toMatchObject({ exitCode: 3 });
    expect(found.stdout).toContain('critical\tbackup-no-drill:');
    expect(found.stdout).toContain('the last one failed');
  });

  test('what a killed drill has left is dropped by the next one', async () => {
    const checks = checksDirectory({ slow: 'select from pg_sleep(60)' });
    const killed = startCli(['backup', 'drill', '--dir', directory, '--check-sql', checks], { env: environment() });
    await waitFor(async () => {
      const { rows } = await fixture
        .database()
        .admin.query(
          "select from pg_stat_activity where datname = 'aisec_drill_' || current_database() and query like '%pg_sleep(60)%'",
        );
      return rows.length > 0;
    });
    killed.child.kill('SIGKILL');
    await killed.finished;
    expect(await scratchDatabases()).toHaveLength(1);
    expect(await drill()).toMatchObject({ exitCode: 0 });
    expect(await scratchDatabases()).toEqual([]);
  });

  test('is refused before anything is restored when a file that it needs is not there', async () => {
    const none = path.join(directory, 'none');
    expectError(await drill('--check-sql', none), 2, 'could not read the checks');
    expectError(
      await drill('--check-sql', checksDirectory({ empty: '-- later\n;' })),
      2,
      'the check "empty.sql" has no statement',
    );
    expectError(await drill('--html', path.join(none, 'page.html')), 2, 'cannot write to the directory');
    expectError(await drill('--drills', directory), 2, 'could not write the records');
    expectError(await drill('none.dump'), 2, 'there is no backup');
    expectError(await check('--drills', 'x'), 2, '--drills requires --max-drill-age');
  });
});
