import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import { monitorIndexes } from '../../../src/features/monitor/indexes/indexes.js';
import { monitorLocks } from '../../../src/features/monitor/locks.js';
import { monitorQueries } from '../../../src/features/monitor/queries.js';
import { describeOnPrivateServer, startPrivateServer, type PrivateServer } from '../../support/private-server.js';
import { openTestSession } from '../catalog/catalog-session.js';

const DAY_MS = 86_400_000;

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
    const without = await monitorQueries(watcher, 'public', 5);
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
      await monitorQueries(watcher, 'public', 1000),
      await monitorQueries(plain, 'public', 1000),
    ];
    expect(seen.queries?.filter(({ query }) => query.includes('marked_query'))).toMatchObject([{ calls: 3, rows: 3 }]);
    expect(seen).toMatchObject({ skipped: [], evictions: 0, queriesSince: expect.stringMatching(/Z$/) });
    expect(refused.queries).toBeNull();
    expect(refused.skipped).toMatchObject([
      { fix: expect.stringContaining('grant usage on schema "Stat s" to "plain";') },
    ]);
    await admin.query('grant usage on schema "Stat s" to plain');
    const half = await monitorQueries(plain, 'public', 1000);
    expect(half.queries?.some(({ query }) => query.includes('marked_query'))).toBe(false);
    expect(half.skipped).toMatchObject([{ object: 'queries', fix: 'grant pg_read_all_stats to "plain";' }]);
    await Promise.all([admin.close(), watcher.close(), plain.close()]);
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
