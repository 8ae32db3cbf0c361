import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Session } from '../../../src/adapters/postgres/session.js';
import { monitorPartitions } from '../../../src/features/monitor/partitions.js';
import { monitorTables, type TablesReport } from '../../../src/features/monitor/tables.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { openTestSession } from '../catalog/catalog-session.js';
import { messagesFrom, monthFromNow, nameOf, ONE_CONVERSATION, rowsOf } from '../partitions/messages.js';

describeOnServer('monitor of tables and months', () => {
  let database: ServerDatabase;
  let session: Session;
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
    await database.admin.query(`select ensure_message_partitions(3, '${monthFromNow(-4)}-01')`);
    await database.admin.query(messagesFrom(`${monthFromNow(-2)}-07 00:00+00`, 300));
    await database.admin.query(messagesFrom(`${monthFromNow(0)}-01 00:00+00`, 200));
    await database.admin.query('create table "Audit Log" (id int primary key, note text)');
    await database.admin.query('create table "we""ird" (id int)');
    await database.admin.query('create table "AuditLog" (id int)');
    await database.admin.query(`insert into "Audit Log" select g, repeat('x', 100) from generate_series(1, 500) as g`);
    // Counters that this session still has in hand would be added to those that vacuum sets.
    await database.admin.query('select pg_stat_force_next_flush()');
    await database.admin.query('vacuum (analyze)');
    session = await openTestSession(database.url);
  });
  afterAll(async () => {
    await session.close();
    await database.drop();
  });

  const find = (report: TablesReport, name: string): TablesReport['tables'][number] =>
    report.tables.find(({ table }) => table === name)!;

  async function other(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    return client;
  }

  test('one row a logical table, equal to the byte to the sum of its partitions, and part by part to its total', async () => {
    const report = await monitorTables(session, 'public');
    const truth = await rowsOf(
      database,
      `select root.relname as name, sum(pg_total_relation_size(leaf.relid))::bigint::text as bytes, count(*)::int as leaves
       from pg_class root, pg_partition_tree(root.oid) leaf
       where root.relnamespace = 'public'::regnamespace and root.relkind = 'p' and not root.relispartition and leaf.isleaf
       group by 1
       union all
       select relname, pg_total_relation_size(oid)::text, 0 from pg_class
       where relnamespace = 'public'::regnamespace and relkind = 'r' and not relispartition`,
    );
    const measured = report.tables.map(({ table, totalBytes }) => [table, String(totalBytes)]);
    const partitioned = truth.filter(({ name }) => name !== 'messages_archive');
    expect(Object.fromEntries(measured)).toMatchObject(
      Object.fromEntries(partitioned.map(({ name, bytes }) => [name, bytes])),
    );
    expect(report.tables.length).toBe(partitioned.length + 1);
    for (const { totalBytes, heapBytes, mapBytes, toastBytes, indexBytes } of report.tables)
      expect(heapBytes + mapBytes + toastBytes + indexBytes).toBe(totalBytes);
    const messages = find(report, 'messages');
    expect(messages.partitions.length).toBe(truth.find(({ name }) => name === 'messages')?.['leaves']);
    expect(messages).toMatchObject({ rows: 500, deadRows: 0, isPartitioned: true, isEstimated: false });
    expect(messages.totalBytes).toBeGreaterThan(0);
    expect(report.totalBytes).toBe(report.tables.reduce((sum, table) => sum + table.totalBytes, 0));
  });

  test('any name is reported as SQL takes it, while tables appear and vanish', async () => {
    const client = await other();
    let isOver = false;
    const churn = (async () => {
      while (!isOver) {
        await client.query('create table "Come; go" (id int primary key, t text); insert into "Come; go" values (1)');
        await client.query('drop table "Come; go"');
      }
    })();
    try {
      for (let round = 0; round < 200; round += 1) {
        const { tables } = await monitorTables(session, 'public');
        const names = tables.map(({ identifier }) => identifier);
        expect(names).toEqual(expect.arrayContaining(['"Audit Log"', '"AuditLog"', '"we""ird"', 'messages']));
      }
    } finally {
      isOver = true;
      await churn;
      await client.end();
    }
    const { tables } = await monitorTables(session, 'public');
    for (const { identifier } of tables) await database.admin.query(`select from public.${identifier} limit 1`);
  });

  describe('beside a session that has, or waits for, an ACCESS EXCLUSIVE lock', () => {
    test.each(['held', 'waited for'])('%s: only that table is estimated, and the report does not wait', async (how) => {
      const [holder, waiter] = await Promise.all([other(), other()]);
      const whole = await monitorTables(session, 'public');
      await holder.query('begin');
      const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
      let pid = rows[0]?.pid;
      let waiting: Promise<unknown> = Promise.resolve();
      if (how === 'held') await holder.query('lock table "Audit Log" in access exclusive mode');
      else {
        await holder.query('select from "Audit Log"');
        pid = (await waiter.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
        waiting = waiter.query('begin; lock table "Audit Log" in access exclusive mode; rollback');
        await expect
          .poll(
            async () =>
              (await rowsOf(database, `select from pg_locks where not granted and relation = '"Audit Log"'::regclass`))
                .length,
          )
          .toBe(1);
      }
      const report = await monitorTables(session, 'public');
      await holder.query('rollback');
      await waiting;
      await Promise.all([holder.end(), waiter.end()]);
      expect(report.tables.filter(({ isEstimated }) => isEstimated).map(({ table }) => table)).toEqual(['Audit Log']);
      expect(find(report, 'Audit Log')).toMatchObject({
        lockedBy: pid,
        heapBytes: find(whole, 'Audit Log').heapBytes,
        rows: 500,
      });
      for (const { table, totalBytes } of whole.tables)
        if (table !== 'Audit Log') expect([table, find(report, table).totalBytes]).toEqual([table, totalBytes]);
    });

    test('a month of it is marked in the calendar, which does not wait either', async () => {
      const holder = await other();
      await holder.query(`begin; lock table ${nameOf(monthFromNow(-2))} in access exclusive mode`);
      const { months } = await monitorPartitions(session, 'public');
      await holder.query('rollback');
      await holder.end();
      expect(months.filter(({ isEstimated }) => isEstimated).map(({ month }) => month)).toEqual([monthFromNow(-2)]);
    });
  });

  test('the calendar has every month with its state, and names those that are missing', async () => {
    await database.admin.query(`drop table ${nameOf(monthFromNow(-1))}`);
    await database.admin.query(`select * from archive_old_messages(interval '3 months')`);
    const report = await monitorPartitions(session, 'public');
    expect(report.months.map(({ month, state, rows }) => [month, state, rows])).toEqual([
      [monthFromNow(-4), 'archived', 0],
      [monthFromNow(-3), 'closed', 0],
      [monthFromNow(-2), 'closed', 300],
      [monthFromNow(-1), 'missing', null],
      [monthFromNow(0), 'current', 200],
      [monthFromNow(1), 'ahead', 0],
      [monthFromNow(2), 'ahead', 0],
      [monthFromNow(3), 'ahead', 0],
      [null, 'default', 0],
    ]);
    expect(report).toMatchObject({ currentMonth: monthFromNow(0), monthsAhead: 3 });
  });

  test('a role with no privilege on any table gets the same sizes', async () => {
    await database.admin.query(`create role "${database.name}" login`);
    const url = Object.assign(new URL(database.url), { username: database.name, password: '' }).href;
    const plain = await openTestSession(url);
    const [mine, all] = [await monitorTables(plain, 'public'), await monitorTables(session, 'public')];
    await plain.close();
    await database.admin.query(`drop role "${database.name}"`);
    expect(mine.tables).toEqual(all.tables);
    expect(mine).toMatchObject({ role: database.name, isSuperuser: false, readsAllStatistics: false });
  });

  test('a schema without a table is no empty report', async () => {
    await expect(monitorTables(session, 'nowhere')).rejects.toMatchObject({ code: 'MIGRATION_PENDING' });
  });
});
