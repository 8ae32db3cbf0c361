import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { GrowthReport } from '../../../src/features/monitor/growth/growth.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { messagesFrom, monthFromNow, ONE_CONVERSATION } from '../partitions/messages.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

describeOnServer('aisec monitor growth and record', () => {
  let database: ServerDatabase;
  let watcherUrl = '';
  const watcher = `watcher_${process.pid}_${Date.now()}`;
  const at = (url: string, ...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['monitor', ...args], { env: { DATABASE_URL: url } });
  const aisec = (...args: readonly string[]): Promise<CliResult> => at(database.url, ...args);
  const growth = async (url: string, ...args: readonly string[]): Promise<GrowthReport> =>
    JSON.parse((await at(url, 'growth', '--json', ...args)).stdout) as GrowthReport;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(`${ONE_CONVERSATION}
      select ensure_message_partitions(3, '${monthFromNow(-7)}-01');
      ${messagesFrom(`${monthFromNow(-7)}-05 00:00+00`, 300)}`);
    await database.admin.query(`create role ${watcher} login password 'watch' in role pg_monitor`);
    const address = new URL(database.url);
    address.username = watcher;
    address.password = 'watch';
    watcherUrl = address.href;
  });
  afterAll(async () => {
    await database.admin.query(`drop owned by ${watcher}; drop role ${watcher}`);
  });

  test('a single closed month is not enough data: a reason, and no number', async () => {
    const other = await createServerDatabase({ migrated: true });
    await other.admin.query(`${ONE_CONVERSATION}
      select ensure_message_partitions(3, '${monthFromNow(-1)}-01');
      ${messagesFrom(`${monthFromNow(-1)}-05 00:00+00`, 30)}`);
    const { exitCode, stdout, stderr } = await at(other.url, 'growth');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('warning: skipped: forecast: not enough data: 1 closed month with messages, 2 are needed');
    expect(stdout).not.toContain('to come');
    expect(stderr).not.toContain('a month');
  });

  test('on the first run, without history, the forecast is that of the closed months, wherever they are', async () => {
    for (const offset of [-6, -5, -4, -3, -2, -1])
      // A session reports its rows a second later, unless it is asked to: after an ANALYZE they would count twice.
      await database.admin.query(
        `${messagesFrom(`${monthFromNow(offset)}-05 00:00+00`, 300 - offset)}; select pg_stat_force_next_flush()`,
      );
    await database.admin.query('analyze');
    expect(
      (await runInProcess(['archive', '--older-than', '3mo'], { env: { DATABASE_URL: database.url } })).exitCode,
    ).toBe(0);
    // So do the sessions of the archive, when they end.
    await waitFor(async () => {
      const { rows } = await database.admin.query(
        `select count(*)::int as left from pg_stat_activity
         where datname = current_database() and application_name like 'aisec%'`,
      );
      return rows[0]?.['left'] === 0;
    });
    await database.admin.query('analyze');
    const sizeOfMessages = async (): Promise<number> => {
      const { rows } = await database.admin.query(`
        select (pg_total_relation_size('message_keys') + sum(pg_total_relation_size(relid)))::int as bytes
        from (values ('messages'::regclass), ('messages_archive')) as t (root), pg_partition_tree(root)
        where isleaf`);
      return (rows[0] as { bytes: number }).bytes;
    };
    // A vacuum of the server's own may add a page meanwhile.
    let bytes = 0;
    let report = await growth(database.url, '--size-limit', '10GB');
    await waitFor(async () => {
      bytes = await sizeOfMessages();
      report = await growth(database.url, '--size-limit', '10GB');
      return (await sizeOfMessages()) === bytes;
    });
    const closed = report.months.filter(({ state }) => state === 'closed');
    expect(closed.map(({ month }) => month)).toEqual([-7, -6, -5, -4, -3, -2, -1].map(monthFromNow));
    expect(closed[1]?.rows).toBe(306);
    expect(report.databaseBytes - report.othersBytes).toBe(bytes);
    expect(report).toMatchObject({ forecast: { method: 'level', monthsUsed: 7 }, skipped: [], records: [] });
    expect(report.forecast?.points.map(({ month }) => month)).toEqual([0, 1, 2, 3].map(monthFromNow));
    expect(report.limit).toMatchObject({ limitBytes: 10 * 1024 ** 3, earliest: null });
    const middle = closed.map(({ sizeBytes }) => sizeBytes).toSorted((a, b) => a - b)[3];
    expect(report.forecast?.monthlyBytes.expected).toBe(middle);
  });

  test('without records, everything else grows as created_at has it, and one import is no growth', async () => {
    await database.admin.query(`
      insert into api_usage (api_name, created_at)
      select 'steady', now() - n * interval '90 days' / 9000 from generate_series(1, 9000) as n;
      insert into files (user_id, file_name, created_at)
      select (select id from users limit 1), 'import', now() - interval '80 days' from generate_series(1, 9000);
      analyze api_usage, files`);
    const { othersBytesPerDay: rate, othersFrom } = await growth(database.url);
    expect(othersFrom).toEqual({ source: 'created_at', tables: ['api_usage', 'files'] });
    const { rows } = await database.admin.query(`select pg_total_relation_size('api_usage') / 90 as bytes`);
    const expected = Number(rows[0]?.['bytes']);
    expect(rate!.expected / expected).toBeCloseTo(1, 1);
    expect(rate!.low).toBeLessThanOrEqual(rate!.expected);
    expect(rate!.high).toBeGreaterThan(rate!.expected);
    const { stderr } = await aisec('growth', '--verbose', '--size-limit', '10GiB');
    expect(stderr).toMatch(/Everything else \(.*\): [\d.]+ kB a day more, by created_at of api_usage, files; the rest/);
    expect(stderr).toContain('10 GB will be reached in more than 14 months, if ever.');
    await database.admin.query('truncate api_usage, files cascade');
  });

  test('three runs at once write one record of a time slot; a later one adds the next and drops what is too old', async () => {
    await database.admin.query(`
      insert into size_records (slot, measured_at, database_bytes, tool_version)
      values (now() - interval '500 days', now() - interval '500 days', 1, 'old')`);
    // Not at the end of a slot.
    const left = DAY_MS - (Date.now() % DAY_MS);
    if (left < MINUTE_MS) await new Promise((resolve) => setTimeout(resolve, left + 1000));
    const runs = await Promise.all(Array.from({ length: 3 }, () => aisec('record', '--every', '1d')));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(runs.filter(({ stderr }) => stderr.includes('nothing to do')).length).toBe(2);
    const { rows } = await database.admin.query(`
      select r.slot = date_trunc('day', now(), 'UTC') as is_today, count(*)::int as tables,
        sum(total_bytes) filter (where table_name = 'messages')::int as messages_bytes,
        sum(heap_bytes + toast_bytes + index_bytes - total_bytes)::int as difference
      from size_records r join size_record_tables using (slot) group by r.slot`);
    const [record] = rows as [{ tables: number; messages_bytes: number }];
    expect(rows).toMatchObject([{ is_today: true, difference: 0 }]);
    expect(record.tables).toBeGreaterThan(15);
    expect(record.messages_bytes).toBeGreaterThan(0);
    const dry = await aisec('record', '--dry-run', '--every', '1m');
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(dry.stderr).toContain('dry run, nothing written');
    const count = await database.admin.query('select count(*)::int as records from size_records');
    expect(count.rows).toEqual([{ records: 1 }]);
  });

  test('with records, every table has a rate, and the forecast knows what everything else adds', async () => {
    await database.admin.query(`
      insert into size_records (slot, measured_at, database_bytes, tool_version)
      select slot - n * interval '1 day', measured_at - n * interval '1 day', database_bytes - n * 1000, 'test'
      from size_records, generate_series(1, 9) as n where tool_version <> 'old';
      insert into size_record_tables
      select s.slot, t.table_name, t.total_bytes - case when t.table_name = 'files' then n * 1000 else 0 end,
        t.heap_bytes, t.toast_bytes, t.index_bytes, t.row_estimate
      from size_record_tables t, generate_series(1, 9) as n
      join size_records s on s.slot = date_trunc('day', now(), 'UTC') - n * interval '1 day'`);
    const report = await growth(database.url);
    expect(report.othersBytesPerDay).toEqual({ low: 1000, expected: 1000, high: 1000 });
    expect(report.records.length).toBe(10);
    expect(report.tables[0]).toMatchObject({ table: 'files', grownBytes: 9000, bytesPerDay: { expected: 1000 } });
    const { stdout } = await aisec('growth', '--tables');
    expect(stdout.split('\n')[0]).toBe('table\tsize\tgrown\tsince\ta day\tat least\tat most');
    expect(stdout.split('\n')[1]).toMatch(/^files\t\d+\t9000\t.*\t1000\t1000\t1000$/);
    await database.admin
      .query(`insert into users (username, email, password_hash) select 'g' || g, 'g' || g || '@x', 'h'
      from generate_series(1, 500) as g`);
    const tables = JSON.parse((await aisec('tables', '--json')).stdout) as {
      readonly recordedAt: string;
      readonly tables: readonly Readonly<Record<'table' | 'bytesPerMonth' | 'grownBytes' | 'totalBytes', unknown>>[];
    };
    expect(tables.recordedAt.slice(0, 10)).toBe(new Date().toISOString().slice(0, 10));
    const of = (name: string): object | undefined => tables.tables.find(({ table }) => table === name);
    expect(of('files')).toMatchObject({ bytesPerMonth: 30_438, grownBytes: 0 });
    const grown = await database.admin.query(`select pg_total_relation_size('users') - total_bytes as bytes
      from size_record_tables where table_name = 'users' order by slot desc limit 1`);
    expect(of('users')).toMatchObject({ bytesPerMonth: 0, grownBytes: Number(grown.rows[0].bytes) });
    expect(Number(grown.rows[0].bytes)).toBeGreaterThan(0);
  });

  test('a role of pg_monitor is told the GRANT that shows it the records, and the GRANT works', async () => {
    const before = await growth(watcherUrl);
    expect(before.records).toEqual([]);
    expect(before.forecast).not.toBeNull();
    const [skip] = before.skipped;
    expect(skip).toMatchObject({ object: 'records of sizes', message: 'the role may not read them' });
    const refused = await at(watcherUrl, 'record');
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(`grant select, insert, delete on "public".size_records`);
    await database.admin.query(skip?.fix ?? '');
    expect((await growth(watcherUrl)).records.length).toBe(10);
  });

  test('a table that somebody has locked is left out of the record, and nothing waits', async () => {
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    try {
      await holder.query('begin; lock table files in access exclusive mode');
      const { exitCode, stderr } = await aisec('record', '--every', '1m');
      expect(exitCode).toBe(0);
      expect(stderr).toContain('warning: left out, since a session has them locked: files');
    } finally {
      await holder.end();
    }
  });

  test.each([
    [['growth', '--size-limit', '200'], '--size-limit: invalid size "200"'],
    [['record', '--every', '7h'], '--every: invalid interval "7h"'],
  ])('%j is refused before anything is opened, exit 2', async (args, message) => {
    const run = await runInProcess(['monitor', ...args]);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(message);
  });
});
