import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { formatBytes } from '../../../src/base/bytes.js';
import { BUSY_SERVER } from '../../support/busy-server.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { messagesFrom, monthFromNow, nameOf, ONE_CONVERSATION } from '../partitions/messages.js';
import { parseMarkup, type Markup } from './markup.js';

const NASTY = `<script>alert("1")</script>`;
const WEIRD = `we"ird\\\n'name' & {more="x"}`;

describeOnServer('aisec monitor report and export', () => {
  let database: ServerDatabase;
  let directory = '';
  const inDirectory = (name: string): string => path.join(directory, name);
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['monitor', ...args], { env: { DATABASE_URL: database.url, AISEC_THRESHOLDS: BUSY_SERVER } });
  const page = async (name = 'report.html', ...args: readonly string[]): Promise<Markup> => {
    const run = await aisec('report', '--out', inDirectory(name), ...args);
    expect(run).toMatchObject({ exitCode: 0, stdout: `${inDirectory(name)}\n` });
    return parseMarkup(await readFile(inDirectory(name), 'utf8'));
  };

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'aisec-report-'));
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(`${ONE_CONVERSATION}
      select ensure_message_partitions(3, '${monthFromNow(-9)}-01');
      ${[-9, -8, -7, -6, -5, -4, -3, -2, -1].map((offset) => messagesFrom(`${monthFromNow(offset)}-05 00:00+00`, 200)).join('')}
      create table ${pg.escapeIdentifier(NASTY)} (id int primary key);
      create table ${pg.escapeIdentifier(WEIRD)} (id int);`);
    await runInProcess(['archive', '--older-than', '7mo'], { env: { DATABASE_URL: database.url } });
    await database.admin.query(`
      drop table ${nameOf(monthFromNow(-3))};
      ${messagesFrom(`${monthFromNow(-3)}-05 00:00+00`, 7)}
      analyze`);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('is one page of well-formed markup that fetches nothing and runs nothing, whatever tables are called', async () => {
    const { elements, text } = await page('report.html', '--size-limit', '1GB');
    const names = new Set(elements.map(({ name }) => name));
    for (const name of ['script', 'link', 'img', 'iframe', 'object', 'embed', 'base', 'form'])
      expect(names).not.toContain(name);
    const references = elements.flatMap(({ attributes }) => [
      attributes['href'],
      attributes['src'],
      attributes['xlink:href'],
    ]);
    expect(references.filter((value) => value !== undefined && !value.startsWith('#'))).toEqual([]);
    expect(
      elements.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => name.startsWith('on')),
    ).toEqual([]);
    const style = (await readFile(inDirectory('report.html'), 'utf8')).match(/<style>[\s\S]*<\/style>/)?.[0] ?? '';
    expect(style.match(/@import|url\((?!#)/g)).toBeNull();
    expect(elements.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy')).toMatchObject({
      attributes: { content: expect.stringContaining("default-src 'none'") },
    });
    expect(text).toContain(pg.escapeIdentifier(NASTY));
    expect(text).toContain(pg.escapeIdentifier(WEIRD).replaceAll(/\s+/g, ' '));
  });

  test('shows each month in its state, the sizes of logical tables, the forecast and every finding with its fix', async () => {
    const { elements, text } = await page();
    const states = elements
      .filter(({ name }) => name === 'rect')
      .map(({ attributes }) => attributes['class']?.split(' ')[0]);
    const count = (state: string): number => states.filter((known) => known === state).length;
    expect(count('archived')).toBeGreaterThanOrEqual(1);
    expect([count('missing'), count('current'), count('ahead'), count('default')]).toEqual([1, 1, 3, 1]);
    expect(count('archived') + count('closed')).toBe(8);
    const sizes = await database.admin.query(
      `select sum(pg_total_relation_size(relid))::int as size from pg_partition_tree('messages') where isleaf`,
    );
    expect(text).toMatch(/messages \d+ partitions/);
    expect(text).toContain(formatBytes((sizes.rows as [{ size: number }])[0].size));
    expect(elements.some(({ attributes }) => attributes['class'] === 'band')).toBe(true);
    expect(text).toContain(`${monthFromNow(-3)}`);
    expect(text).toContain('partition-default-rows:messages');
    expect(text).toContain('aisec partitions ensure');
    expect(text).toContain('Everything else');
    expect(text).not.toMatch(/\bused:/);
  });

  test('with --dry-run report and export read everything and write no file', async () => {
    for (const args of [
      ['report', '--out', inDirectory('dry.html')],
      ['export', '--prometheus', inDirectory('dry.prom')],
    ]) {
      const run = await aisec(...args, '--dry-run');
      expect(run).toMatchObject({ exitCode: 0 });
      expect(run.stderr).toContain('not written (dry run)');
    }
    expect((await readdir(directory)).filter((name) => name.startsWith('dry'))).toEqual([]);
  });

  test('shows what vacuum has to do, and who waits for whom with the SQL for the root as text, without a query', async () => {
    const clients = ['a long ALTER', 'service'].map(
      (name) => new pg.Client({ connectionString: database.url, application_name: name }),
    );
    await Promise.all(clients.map((client) => client.connect()));
    const [holder, waiter] = clients as [pg.Client, pg.Client];
    try {
      // No autovacuum takes away what was deleted after it has begun.
      await waiter.query('begin isolation level repeatable read; select from users');
      let calm = '';
      // One that analyses the table at this very moment counts none of them, so there may have to be more.
      await waitFor(async () => {
        await database.admin.query(`insert into users (username, email, password_hash)
          select 'v' || g, 'v' || g || '@x', 'h' from generate_series(1, 300) as g`);
        await database.admin.query(`delete from users where username like 'v%';
          select pg_stat_force_next_flush()`);
        calm = (await page('calm.html')).text;
        // Sessions of other databases of the server wait, too, but not for ever.
        const isCalm = calm.includes('No session waited for a lock at that time.');
        return isCalm && /users \d*00 \d+ %.* vacuum due/.test(calm);
      });
      expect(calm).toMatch(/due for a vacuum; the oldest transaction id is at [\d.]+ % of the limit/);
      await waiter.query('rollback');
      await database.admin.query('vacuum users');
      await holder.query('begin; lock table voices in access exclusive mode');
      const waiting = waiter.query(`select 'a secret' from voices`).catch(() => undefined);
      await expect
        .poll(
          async () =>
            (await holder.query("select from pg_locks where relation = 'voices'::regclass and not granted")).rowCount,
        )
        .toBeGreaterThan(0);
      let text = '';
      await waitFor(async () => {
        ({ text } = await page('waits.html'));
        return /1 session waited for a lock/.test(text);
      });
      expect(text).toMatch(
        /pid (\d+) .*a long ALTER idle in transaction no session, and blocks others.*service.*behind pid \1/,
      );
      expect(text).toMatch(/select pg_terminate_backend\(\d+\);/);
      expect(text).not.toContain('a secret');
      await holder.query('rollback');
      await waiting;
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  });

  test('a table locked whole is estimated, a check that cannot look is listed as skipped, and nothing waits', async () => {
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    try {
      await holder.query('begin; lock table messages_default, files in access exclusive mode');
      const { text } = await page('locked.html');
      expect(text).toContain('Not looked at');
      expect(text).toMatch(/partition-default-rows: .*lock/);
      expect(text).toMatch(/estimated: a session has the table locked \(.*files by pid \d+/);
    } finally {
      await holder.end();
    }
  });

  test('metrics parse line by line, names are escaped, and more partitions make no more series', async () => {
    const file = inDirectory('aisec.prom');
    const umask = process.umask(0o077);
    const runs = await Promise.all([1, 2, 3].map(() => aisec('export', '--prometheus', file))).finally(() =>
      process.umask(umask),
    );
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    expect((await stat(inDirectory('report.html'))).mode & 0o777).toBe(0o600);
    expect((await readdir(directory)).filter((name) => name.includes('partial'))).toEqual([]);
    const series = async (): Promise<readonly string[]> =>
      (await readFile(file, 'utf8'))
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('#'));
    const before = await series();
    const sample = /^aisec_[a-z_]+\{[a-z]+="(?:[^"\\]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\]|\\["\\n])*")*\} -?[\d.]+$/;
    expect(before.filter((line) => !sample.test(line))).toEqual([]);
    expect(new Set(before.map((line) => line.replace(/ \S+$/, ''))).size).toBe(before.length);
    expect(before.some((line) => line.includes(`table="we\\"ird\\\\\\n'name' & {more=\\"x\\"}"`))).toBe(true);
    const total = before
      .filter((line) => line.startsWith('aisec_table_bytes') && line.includes('table="messages"'))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    const sizes = await database.admin.query(
      `select sum(pg_total_relation_size(relid))::int as bytes from pg_partition_tree('messages') where isleaf`,
    );
    expect(total).toBe((sizes.rows as [{ bytes: number }])[0].bytes);
    // The default partition that the first run replaced is a table until the second one.
    for (const ahead of ['24', '25'])
      await runInProcess(['partitions', 'ensure', '--ahead', ahead], { env: { DATABASE_URL: database.url } });
    expect((await aisec('export', '--prometheus', file)).exitCode).toBe(0);
    expect((await series()).length).toBe(before.length);
  });

  test('the plugin line tells the worst, with perfdata and the codes of a plugin', async () => {
    await database.admin.query(messagesFrom(`${monthFromNow(40)}-05 00:00+00`, 5));
    // Rows that a session has not reported yet are added to those that ANALYZE has counted.
    await database.admin.query('select pg_stat_force_next_flush()');
    await database.admin.query('analyze messages_default');
    const warning = await aisec('export', '--nagios');
    expect(warning).toMatchObject({ exitCode: 1, stderr: '' });
    expect(warning.stdout).toMatch(
      /^AISEC WARNING - .*about 5 messages in the default partition \| database=\d+B;; .*default_rows=5;0;9999 .*time=[\d.]+s;;\n$/,
    );
    expect(warning.stdout.length).toBeLessThan(4096);
    // https://www.monitoring-plugins.org/doc/guidelines.html#AEN201
    for (const figure of warning.stdout.trim().split(' | ')[1]!.split(' '))
      expect(figure).toMatch(/^[a-z_]+=-?[\d.]+(s|B|)(;(\d[\d.]*:?)?){2}$/);
    await database.admin.query(
      `delete from messages_default; drop table ${nameOf(monthFromNow(0))}; analyze messages_default`,
    );
    const critical = await aisec('export', '--nagios');
    expect(critical.exitCode).toBe(2);
    expect(critical.stdout).toMatch(/^AISEC CRITICAL - .*has no partition/);
    const gone = await runInProcess(['monitor', 'export', '--nagios'], {
      env: { DATABASE_URL: `${database.url}_gone` },
    });
    expect(gone).toMatchObject({ exitCode: 2, stderr: '' });
    expect(gone.stdout).toMatch(/^AISEC CRITICAL - /);
    const unknown = await runInProcess(['monitor', 'export', '--nagios', '--schema', 'nowhere'], {
      env: { DATABASE_URL: database.url },
    });
    expect(unknown).toMatchObject({ exitCode: 3 });
    expect(unknown.stdout).toMatch(/^AISEC UNKNOWN - /);
  });

  test.each([
    [['report'], 'no file was given'],
    [['report', '--out', 'nowhere/report.html'], 'cannot write to the directory'],
    [['export', '--prometheus', 'nowhere/x.prom'], 'cannot write to the directory'],
  ])('%j is refused before anything is opened, exit 2', async (args, message) => {
    const run = await runInProcess(['monitor', ...args]);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(message);
  });

  test.each([
    [['monitor', 'export', '--nagios', '--prometheus', '-'], 'both write to stdout'],
    [['monitor', 'export', '--nagios', '--json'], '--json goes with --prometheus FILE only'],
    [['monitor', 'export', '--nagios', '--size-limit', 'abc'], '--size-limit: '],
    [['monitor', 'export', '--nagios', '--thresholds', 'x=1:2'], 'unknown threshold "x"'],
    [['doctor', '--nagios', '--bogus'], 'unknown option "--bogus"'],
    [['doctor', '--nagios', '--fail-on', 'foo'], '--fail-on: '],
    [['doctor', '--nagios', '--json'], 'give --nagios or --json, not both'],
    [['doctor', '--nagios', 'more'], 'unexpected argument "more"'],
  ])(
    'a plugin that is called wrongly, %j, prints UNKNOWN with the reason on stdout and exits 3',
    async (args, message) => {
      const run = await runInProcess(args);
      expect(run).toMatchObject({ exitCode: 3, stderr: '' });
      expect(run.stdout).toMatch(/^AISEC UNKNOWN - [^\n]*\n$/);
      expect(run.stdout).toContain(message);
    },
  );
});
