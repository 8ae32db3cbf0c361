import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Session } from '../../../src/adapters/postgres/session.js';
import { monitorActivity } from '../../../src/features/monitor/activity.js';
import { monitorLocks } from '../../../src/features/monitor/locks.js';
import { monitorVacuum } from '../../../src/features/monitor/vacuum.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { openTestSession } from '../catalog/catalog-session.js';
import { rowsOf } from '../partitions/messages.js';

describeOnServer('monitor of sessions and vacuum', () => {
  let database: ServerDatabase;
  /** Of the superuser, of a role with only pg_monitor, and of one with nothing. */
  let session: Session;
  let watcher: Session;
  let plain: Session;
  const clients: pg.Client[] = [];

  async function client(name: string): Promise<pg.Client & { readonly pid: number }> {
    const opened = new pg.Client({ connectionString: database.url, application_name: name });
    opened.on('error', () => undefined);
    await opened.connect();
    clients.push(opened);
    const { rows } = await opened.query<{ pid: number }>('select pg_backend_pid() as pid');
    return Object.assign(opened, { pid: rows[0]!.pid });
  }
  const as = (role: string): string => Object.assign(new URL(database.url), { username: role, password: '' }).href;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    const [mon, no] = [`${database.name}_m`, `${database.name}_p`];
    await database.admin.query(`create role "${mon}" login in role pg_monitor; create role "${no}" login`);
    session = await openTestSession(database.url);
    [watcher, plain] = await Promise.all([openTestSession(as(mon)), openTestSession(as(no))]);
  });
  afterAll(async () => {
    await Promise.all([...clients.map((open) => open.end()), session.close(), watcher.close(), plain.close()]);
    await database.admin.query(`drop role "${database.name}_m", "${database.name}_p"`);
    await database.drop();
  });

  test('A before B before C is one tree with two edges and the SQL that would end A, which nobody runs', async () => {
    const [a, b, c] = [await client('first'), await client('second'), await client('third')];
    await a.query('begin');
    await a.query('select count(*) from voices');
    const altered = b.query('alter table voices add column extra int');
    const isWaiting = (pid: number) => async (): Promise<number> =>
      (await rowsOf(database, `select from pg_locks where not granted and pid = ${pid}`)).length;
    await expect.poll(isWaiting(b.pid)).toBe(1);
    const read = c.query('select count(*) from voices');
    await expect.poll(isWaiting(c.pid)).toBe(1);
    const [seen, hidden] = [await monitorLocks(watcher, 'public'), await monitorLocks(plain, 'public')];
    const { sessions: active } = await monitorActivity(session, 'public');
    await a.query('commit');
    await Promise.all([altered, read]);
    const own = seen.sessions.filter(({ pid }) => [a.pid, b.pid, c.pid].includes(pid));
    expect(own.map(({ pid, depth, blockedBy }) => [pid, depth, blockedBy])).toEqual([
      [a.pid, 0, []],
      [b.pid, 1, [a.pid]],
      [c.pid, 2, [b.pid]],
    ]);
    expect(own[0]).toMatchObject({
      state: 'idle in transaction',
      application: 'first',
      release: `select pg_terminate_backend(${a.pid});`,
    });
    expect(own[1]).toMatchObject({ lock: 'AccessExclusiveLock on public.voices', release: null });
    expect(own[1]!.waitingMs).toBeGreaterThan(0);
    expect(active.find(({ pid }) => pid === c.pid)?.blockedBy).toEqual([b.pid]);
    // Whoever may see nothing of the others still sees the tree, and is told what he does not see.
    expect(hidden.sessions.filter(({ pid }) => own.some((node) => node.pid === pid)).map(({ depth }) => depth)).toEqual(
      [0, 1, 2],
    );
    expect(hidden.skipped).toMatchObject([
      { object: 'sessions', fix: `grant pg_read_all_stats to "${database.name}_p";` },
    ]);
  });

  test('sessions are told with state and age; what a role may not see is skipped, never empty; no password is shown', async () => {
    const a = await client('open for long');
    await a.query('begin');
    await a.query(`select 1 as one /* alter role x password 'geheim' */`);
    const [seen, hidden] = [await monitorActivity(watcher, 'public'), await monitorActivity(plain, 'public')];
    await a.query('commit');
    const open = seen.sessions.find(({ pid }) => pid === a.pid)!;
    expect(open).toMatchObject({ state: 'idle in transaction', application: 'open for long', blockedBy: [] });
    expect(open.transactionMs).toBeGreaterThanOrEqual(0);
    expect(open.query).toContain(`password '***'`);
    expect(JSON.stringify(seen)).not.toContain('geheim');
    expect(seen.connections.idleInTransaction).toBeGreaterThanOrEqual(1);
    expect(seen.connections.usable).toBeGreaterThan(0);
    expect(seen.skipped).toEqual([]);
    expect(hidden.sessions.find(({ pid }) => pid === a.pid)).toMatchObject({ state: null, query: null });
    expect(hidden.skipped).toMatchObject([{ fix: `grant pg_read_all_stats to "${database.name}_p";` }]);
  });

  test('dead rows, what is due and the age of ids are told by table, a partitioned one never being 2147483647 old', async () => {
    await database.admin.query('create table churned (id int, note text) with (autovacuum_enabled = off)');
    await database.admin.query(`insert into churned select g, repeat('x', 200) from generate_series(1, 10000) as g`);
    await database.admin.query('delete from churned where id % 2 = 0');
    await database.admin.query('select pg_stat_force_next_flush()');
    await database.admin.query('select 1');
    const report = await monitorVacuum(watcher, 'public', false);
    expect(report.tables[0]).toMatchObject({
      table: 'churned',
      liveRows: 5000,
      deadRows: 5000,
      vacuumsDue: 1,
      bloat: null,
    });
    const messages = report.tables.find(({ table }) => table === 'messages')!;
    expect(messages.xidAge).toBeLessThan(2 ** 31 - 1);
    expect(messages.partitionCount).toBe(5);
    expect(report.skipped).toEqual([]);
  });

  test('bloat is within 5 points of pgstattuple, TOAST included, or not told at all', async () => {
    const before = await monitorVacuum(watcher, 'public', true);
    expect(before.tables.every(({ bloat }) => bloat === null)).toBe(true);
    expect(before.skipped).toMatchObject([{ object: 'bloat', fix: 'create extension pgstattuple;' }]);
    await database.admin.query('create extension pgstattuple');
    await database.admin.query(
      'create table toasted (id int, note text) with (autovacuum_enabled = off, toast.autovacuum_enabled = off)',
    );
    await database.admin.query(
      `insert into toasted select g, (select string_agg(md5(g::text || h), '') from generate_series(1, 200) as h) from generate_series(1, 300) as g`,
    );
    await database.admin.query('delete from toasted where id % 3 = 0');
    await database.admin.query('vacuum churned');
    const report = await monitorVacuum(watcher, 'public', true);
    expect(report.skipped).toEqual([]);
    for (const name of ['churned', 'toasted']) {
      const [truth] = await rowsOf(
        database,
        `select (sum(free_space + dead_tuple_len) / sum(table_len))::float8 as share
         from pg_class, lateral unnest(array[oid, nullif(reltoastrelid, 0)]) as part, lateral pgstattuple(part)
         where oid = '${name}'::regclass and part is not null`,
      );
      const share = report.tables.find(({ table }) => table === name)?.bloat?.share;
      expect(share).toBeGreaterThan(0.1);
      expect(Math.abs(Number(share) - Number(truth?.['share']))).toBeLessThan(0.05);
    }
    const refused = await monitorVacuum(plain, 'public', true);
    expect(refused.tables.length).toBeGreaterThan(10);
    for (const table of refused.tables) expect(table).toMatchObject({ bloat: null, bloatUnknown: 'no privilege' });
    expect(refused.skipped).toMatchObject([{ fix: `grant pg_stat_scan_tables to "${database.name}_p";` }]);
  });
});
