import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import { monitorIndexes } from '../../../src/features/monitor/indexes/indexes.js';
import { monitorLocks } from '../../../src/features/monitor/locks.js';
import { monitorQueries, type MonitoredQuery } from '../../../src/features/monitor/queries/queries.js';
import { describeOnPrivateServer, startPrivateServer, type PrivateServer } from '../../support/private-server.js';
import { runInProcess } from '../../support/run-in-process.js';
import { openTestSession } from '../catalog/catalog-session.js';

const DAY_MS = 86_400_000;
/** Two of these that differ in the last character are one name once something is added and cut off. */
const LONG_NAME = 'v'.repeat(62);

describeOnPrivateServer('monitor of a server of its own', () => {
  let server: PrivateServer;
  let url = '';
  beforeAll(async () => {
    server = await startPrivateServer({
      fsync: 'off',
      max_prepared_transactions: '2',
      shared_preload_libraries: 'pg_stat_statements',
    });
    url = await server.createDatabase('crashed', { migrated: true });
  });

  test('a session that waits for a prepared transaction names it', async () => {
    const [a, b] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
    await Promise.all([a.connect(), b.connect()]);
    await a.query(`begin; lock table avatars in access exclusive mode; prepare transaction 'left over'`);
    const session = await openTestSession(url);
    const read = b.query('select count(*) from avatars');
    await expect.poll(async () => (await monitorLocks(session, 'public')).waiting).toBe(1);
    const report = await monitorLocks(session, 'public');
    await a.query(`rollback prepared 'left over'`);
    await read;
    await Promise.all([a.end(), b.end(), session.close()]);
    expect(report.sessions).toMatchObject([
      { blockedBy: [], blockedByPrepared: ['left over'], depth: 0, release: null },
    ]);
    expect(report.preparedTransactions).toMatchObject([{ name: 'left over', database: 'crashed' }]);
  });

  test('queries without the extension are skipped with what to do; with it, they are added up by query', async () => {
    const admin = await openTestSession(url);
    await admin.query('create role watcher login in role pg_monitor; create role plain login');
    const as = (role: string): string => Object.assign(new URL(url), { username: role, password: '' }).href;
    const [watcher, plain] = await Promise.all([openTestSession(as('watcher')), openTestSession(as('plain'))]);
    const without = await monitorQueries(watcher, 'public', { limit: 5 });
    expect(without.queries).toBeNull();
    expect(without.skipped).toEqual([
      {
        id: 'not-seen:queries',
        severity: 'notice',
        object: 'queries',
        message: 'the extension pg_stat_statements is not installed in this database',
        impact: 'this report leaves it out',
        fix: 'create extension pg_stat_statements;',
      },
    ]);
    await admin.query('create schema "Stat s"; create extension pg_stat_statements schema "Stat s"');
    await admin.query('grant usage on schema "Stat s" to watcher');
    for (const role of [admin, watcher, admin]) await role.query('select 1 as marked_query');
    const [seen, refused] = [
      await monitorQueries(watcher, 'public', { limit: 1000 }),
      await monitorQueries(plain, 'public', { limit: 1000 }),
    ];
    expect(seen.queries?.filter(({ query }) => query.includes('marked_query'))).toMatchObject([{ calls: 3, rows: 3 }]);
    expect(seen).toMatchObject({ skipped: [], evictions: 0, queriesSince: expect.stringMatching(/Z$/) });
    expect(refused.queries).toBeNull();
    expect(refused.skipped).toMatchObject([
      { fix: expect.stringContaining('grant usage on schema "Stat s" to "plain";') },
    ]);
    await admin.query('grant usage on schema "Stat s" to plain');
    const half = await monitorQueries(plain, 'public', { limit: 1000 });
    expect(half.queries?.some(({ query }) => query.includes('marked_query'))).toBe(false);
    expect(half.skipped).toMatchObject([{ object: 'queries', fix: 'grant pg_read_all_stats to "plain";' }]);
    await Promise.all([admin.close(), watcher.close(), plain.close()]);
  });

  test('slow queries are shown with their plan, as their role, and with the index that HypoPG finds; without it, or when none helps, with none', async () => {
    const session = await openTestSession(url);
    await session.query(
      `create table "Events" (id int, kind int, at timestamptz, note json);
       insert into "Events" select n, n % 1000, now() - n * interval '1 min', '{}' from generate_series(1, 50000) as n;
       analyze "Events"; alter table "Events" enable row level security;
       create policy own on "Events" using (id > 0); grant select on "Events" to authenticated;
       create role sender login; grant authenticated to sender`,
    );
    const sender = await openTestSession(Object.assign(new URL(url), { username: 'sender', password: '' }).href);
    await sender.query('select count(*) from "Events" where kind = $1 and at > $2', [7, '2020-01-01']);
    await session.query('select count(*) from "Events"');
    await session.query("select pg_sleep(0), interval '1 day'");
    await session.query("create role with_password login password 'secret word'");
    const explained = async (): Promise<ReadonlyMap<string, MonitoredQuery>> => {
      const { queries } = await monitorQueries(session, 'public', { limit: 1000, explains: true });
      return new Map(queries!.map((query) => [query.query, query]));
    };
    const filtered = 'select count(*) from "Events" where kind = $1 and at > $2';
    const before = await explained();
    // Its policy is in the plan: it is that of the role which sends it.
    expect(before.get(filtered)).toMatchObject({
      plan: expect.stringMatching(/Seq Scan on "Events"[^]*Filter: \(\(id > 0\) AND /),
      planProblem: null,
      index: null,
    });
    expect(before.get('select pg_sleep($1), interval $2')).toMatchObject({
      plan: null,
      planProblem: 'with $1 in place of its constants it cannot be read',
    });
    const role = [...before.values()].find(({ query }) => query.includes('with_password'));
    expect(role).toMatchObject({ plan: null, planProblem: 'it is no query that has a plan' });
    await session.query('create extension hypopg');
    const after = await explained();
    const { index } = after.get(filtered)!;
    expect(index!.sql).toBe('create index concurrently on "public"."Events" ("kind");');
    expect(index!.costAfter).toBeLessThan(index!.costBefore / 2);
    expect(after.get('select count(*) from "Events"')).toMatchObject({ plan: expect.any(String), index: null });
    const shown = await runInProcess(['monitor', 'queries', '--explain', '--limit', '1000'], {
      env: { DATABASE_URL: url },
    });
    expect(shown.stdout).toMatch(
      /\n {2}with an index of about [\d.]+ [kM]B the planner expects \d+ instead of \d+:\n {4}create index concurrently on "public"\."Events" \("kind"\);\n/,
    );
    await session.query(index!.sql);
    expect((await explained()).get(filtered)).toMatchObject({ plan: expect.stringContaining('Index'), index: null });
    await session.query(
      `create table visits (id bigint, at timestamptz not null, guest integer) partition by range (at);
       create table visits_1 partition of visits for values from ('2026-01-01') to ('2026-02-01');
       create table "${LONG_NAME}1" partition of visits for values from ('2026-02-01') to ('2026-03-01');
       create table "${LONG_NAME}2" partition of visits for values from ('2026-03-01') to ('2026-04-01');
       insert into visits select n, timestamptz '2026-01-02' + n % 80 * interval '1 day', n % 5000 from generate_series(1, 60000) n;
       analyze visits`,
    );
    await session.query('select count(*) from visits where guest = $1', [7]);
    const partitioned = (await explained()).get('select count(*) from visits where guest = $1')!.index!;
    expect(partitioned.sql.split('\n')).toHaveLength(1 + 3 + 3);
    expect(partitioned.sql).toContain('create index "visits_guest_idx" on only "public"."visits" ("guest");');
    for (const statement of partitioned.sql.split('\n')) await session.query(statement);
    expect((await session.query("select indisvalid from pg_index where indexrelid = 'visits_guest_idx'::regclass")).rows).toEqual([{ indisvalid: true }]); // prettier-ignore
    expect((await explained()).get('select count(*) from visits where guest = $1')).toMatchObject({ index: null });
    await session.query('drop table visits');
    await sender.close();
    await session.query('drop extension hypopg; drop table "Events"; drop role sender, with_password');
    await session.close();
  });

  test('after a crash counts since the recovery, although the database knows of no reset, and calls no index unused', async () => {
    const crashedAt = new Date().toISOString();
    await server.stop('immediate');
    await server.start();
    const session = await openTestSession(url);
    const { rows } = await session.query('select stats_reset from pg_stat_database where datname = current_database()');
    const report = await monitorIndexes(session, 'public', { unusedAfterMs: 14 * DAY_MS });
    await session.close();
    expect(rows).toEqual([{ stats_reset: null }]);
    expect(report.countersSinceEvent).toBe('server');
    expect(report.countersSince! > crashedAt).toBe(true);
    expect(report.indexes.filter(({ verdict }) => verdict === 'unused')).toEqual([]);
    expect(report.indexes.some(({ reason }) => reason.startsWith('too early'))).toBe(true);
  });
});
