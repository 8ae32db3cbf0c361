import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import {
  describeOnPrivateServer,
  startPrivateServer,
  startStandby,
  type PrivateServer,
} from '../../support/private-server.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { aisecOn, type Finding, findingsOn, paste } from './doctor-on.js';

describeOnPrivateServer('what stops a server now', () => {
  let server: PrivateServer;
  let url = '';
  let admin: pg.Client;
  const clients: pg.Client[] = [];

  beforeAll(async () => {
    server = await startPrivateServer({
      fsync: 'off',
      wal_level: 'logical',
      max_prepared_transactions: '10',
      max_connections: '60',
      max_slot_wal_keep_size: '10GB',
      autovacuum_max_workers: '1',
      autovacuum_naptime: '1s',
    });
    url = await server.createDatabase('app', { migrated: true });
    admin = await connect('admin');
  });
  afterEach(async () => {
    await Promise.all(clients.splice(1).map((client) => client.end().catch(() => undefined)));
  });
  afterAll(() => admin.end());

  async function connect(name: string, to = url): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: to, application_name: name });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  }

  const blocked = "select from pg_stat_activity where wait_event_type = 'Lock'";
  const untilBlocked = (count: number) => waitFor(async () => (await admin.query(blocked)).rowCount === count);

  test('twenty sessions behind one lock are critical in doctor, Nagios, Prometheus and the overview, with the root of the chain; its fix frees them', async () => {
    const holder = await connect('migration by hand');
    await holder.query('begin; lock table messages in access exclusive mode');
    const readers = await Promise.all(Array.from({ length: 20 }, () => connect('reader')));
    const reads = readers.map((reader) => reader.query('select count(*) from messages').catch(() => undefined));
    await untilBlocked(20);
    const [finding, ...others] = await findingsOn(url, 'sessions-blocked');
    const { rows } = await admin.query("select pid from pg_stat_activity where application_name = 'migration by hand'");
    const { pid } = rows[0] as { pid: number };
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ id: `sessions-blocked:pid ${pid}`, severity: 'critical' });
    expect(finding!.message).toMatch(
      /^session \d+ of postgres \(migration by hand\), idle in transaction, in a transaction for .*, blocks 20 sessions for up to .*; the first waits for AccessShareLock on public\.messages$/,
    );
    const nagios = await aisecOn(url, 'monitor', 'export', '--nagios');
    expect(nagios).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(/^AISEC CRITICAL - .*blocks 20 sessions/),
    });
    expect(nagios.stdout).toMatch(/ sessions_blocked=20;5;20 /);
    expect((await aisecOn(url, 'monitor', 'export', '--prometheus', '-')).stdout).toMatch(
      /^aisec_sessions_blocked\{database="app",schema="public"\} 20$/m,
    );
    const overview = await aisecOn(url, 'monitor');
    expect(overview.stderr).toContain(`critical: ${finding!.message.slice(0, 40)}`);
    expect(overview.stderr).toContain(`  select pg_terminate_backend(${pid});`);
    await paste(url, finding!.fix!);
    for (const answer of await Promise.all(reads)) expect(answer).toBeDefined();
    expect(await findingsOn(url, 'sessions-blocked')).toEqual([]);
  });

  test('a chain behind a prepared transaction of another database names it, and the fix works from where doctor ran', async () => {
    const name = `it's "odd" \\ db`;
    const other = await server.createDatabase(name);
    const holder = await connect('two-phase', other);
    await holder.query('create table held (id int)');
    await holder.query(`begin; lock table held; prepare transaction 'left ''over'''`);
    const waiter = await connect('waiter', other);
    const read = waiter.query('select from held').catch((error: unknown) => error);
    await untilBlocked(1);
    const [found] = await findingsOn(url, 'sessions-blocked', 'blocked-time=0:1h');
    expect(found).toMatchObject({
      id: "sessions-blocked:left 'over'",
      severity: 'warning',
      message: expect.stringMatching(/^prepared transaction left 'over' blocks 1 session for up to /),
    });
    const [orphan] = await findingsOn(url, 'transaction-prepared', 'prepared-transaction=0:1h');
    expect(orphan).toMatchObject({ id: "transaction-prepared:left 'over'", fix: found!.fix });
    await paste(url, found!.fix!);
    expect(await read).toMatchObject({ rowCount: 0 });
    expect(await findingsOn(url, 'transaction-prepared', 'prepared-transaction=0:1h')).toEqual([]);
  });

  test('transactions that are old or idle are found by the thresholds given, on the command line or in the environment', async () => {
    const idle = await connect('forgotten');
    await idle.query('begin; select 1');
    const [finding] = await findingsOn(url, 'transaction-long', 'idle-transaction=0:1h');
    expect(finding).toMatchObject({
      severity: 'warning',
      message: expect.stringMatching(
        /^session \d+ of postgres \(forgotten\) has been in a transaction of database app for .*, idle for /,
      ),
    });
    expect(await findingsOn(url, 'transaction-long')).toEqual([]);
    const run = await runInProcess(['doctor', '--only', 'transaction-long'], {
      env: { DATABASE_URL: url, AISEC_THRESHOLDS: 'transaction=0:0' },
    });
    expect(run).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/^critical\tlive\ttransaction-long:pid/m) });
    await paste(url, finding!.fix!);
    await waitFor(async () => (await findingsOn(url, 'transaction-long', 'idle-transaction=0:1h')).length === 0);
  });

  test('of all that hold vacuum back the oldest is named, be it a prepared transaction, a slot or a session, and each fix frees the next', async () => {
    const session = await connect('reporting');
    // A slot waits for the transactions that are open when it is made.
    await admin.query("select pg_create_logical_replication_slot('gone', 'pgoutput')");
    await admin.query('select txid_current()');
    await admin.query("begin; select txid_current(); prepare transaction 'orphan'");
    await session.query('begin isolation level repeatable read; select txid_current()');
    for (let id = 0; id < 5; id += 1) await admin.query('select txid_current()');
    const expected = [
      /^replication slot gone, which no process uses, /,
      /^prepared transaction orphan of postgres in database app, open for /,
      /^session \d+ of postgres \(reporting\)/,
    ];
    for (const [position, pattern] of expected.entries()) {
      const [finding, ...others] = await findingsOn(url, 'vacuum-held-back', 'horizon-ids=1:1000');
      expect(others).toEqual([]);
      expect(finding).toMatchObject({ severity: 'warning', message: expect.stringMatching(pattern) });
      if (position === 0) expect(finding!.message).toMatch(/; after it come orphan, pid \d+$/);
      await paste(url, finding!.fix!);
    }
    await waitFor(async () => (await findingsOn(url, 'vacuum-held-back', 'horizon-ids=1:1000')).length === 0);
  });

  test('what holds vacuum back is named with the dead rows that it keeps, and ended by their fix before the vacuum', async () => {
    await admin.query('create table kept (id int) with (autovacuum_enabled = off)');
    await admin.query('insert into kept select generate_series(1, 5000)');
    await admin.query("begin; select txid_current(); prepare transaction 'left over'");
    await admin.query('update kept set id = id');
    await admin.query('select pg_stat_force_next_flush()');
    const [dead] = await findingsOn(url, 'vacuum-dead-rows', 'horizon-ids=1:1000');
    expect(dead!.message).toMatch(
      /^5,000 of 10,000 rows of kept are dead \(50 %\); autovacuum is off for it, and prepared transaction left over of postgres .* holds vacuum back$/,
    );
    await paste(url, dead!.fix!);
    await admin.query('select pg_stat_force_next_flush()');
    expect(await findingsOn(url, 'vacuum', 'horizon-ids=1:1000')).toEqual([]);
    await admin.query('drop table kept');
  });

  test('a standby that is behind, that has paused, and whose query holds vacuum back is found on either side', async () => {
    const standby = await startStandby(server, {
      fsync: 'off',
      hot_standby_feedback: 'on',
      max_prepared_transactions: '10',
      wal_receiver_status_interval: '1s',
    });
    const there = url.replace(new URL(url).host, new URL(standby.url).host);
    const reader = await connect('report on the standby', there);
    await reader.query('begin isolation level repeatable read; select count(*) from messages');
    await admin.query('select txid_current()');
    await waitFor(
      async () => (await admin.query('select from pg_stat_replication where age(backend_xmin) > 0')).rowCount === 1,
    );
    const [held] = await findingsOn(url, 'vacuum-held-back', 'horizon-ids=1:1000');
    expect(held!.message).toMatch(/^a query on standby walreceiver \(hot_standby_feedback\) holds vacuum back by /);
    await paste(there, held!.fix!);
    const onStandby = await connect('dba', there);
    await onStandby.query('select pg_wal_replay_pause()');
    await admin.query("create table filler as select repeat('x', 1000) as text from generate_series(1, 20000)");
    await waitFor(
      async () =>
        (await admin.query('select from pg_stat_replication where pg_wal_lsn_diff(write_lsn, replay_lsn) > 17e6'))
          .rowCount === 1,
    );
    const [lag] = await findingsOn(url, 'replica-lag');
    expect(lag).toMatchObject({
      id: 'replica-lag:walreceiver',
      severity: 'warning',
      message: expect.stringMatching(/^standby walreceiver at 127\.0\.0\.1 is \d+ MB of WAL.* behind \(streaming\)$/),
    });
    const [paused] = await findingsOn(there, 'standby-replay');
    expect(paused).toMatchObject({
      severity: 'critical',
      message: expect.stringMatching(/paused its replay, with \d+ MB/),
    });
    expect((await aisecOn(there, 'monitor', 'export', '--nagios')).exitCode).toBe(2);
    for (const { fix } of await findingsOn(there, 'settings,indexes,partitions'))
      if (fix !== null) expect(fix).toMatch(/^(alter system|(--|#) on the primary:\n)/);
    // Pasted into the wrong server it does nothing.
    await paste(url, paused!.fix!);
    await paste(there, paused!.fix!);
    await waitFor(
      async () =>
        (await admin.query('select from pg_stat_replication where pg_wal_lsn_diff(write_lsn, replay_lsn) < 1e6'))
          .rowCount === 1,
    );
    expect(await findingsOn(url, 'replica-lag')).toEqual([]);
    expect(await findingsOn(there, 'standby-replay')).toEqual([]);
    await server.stop('fast');
    await waitFor(
      async () => (await onStandby.query('select from pg_stat_wal_receiver where pid is not null')).rowCount === 0,
    );
    expect(await findingsOn(there, 'standby-replay')).toMatchObject([
      { id: 'standby-replay:receiver', severity: 'critical', fix: null },
    ]);
    await server.start();
    await admin.end().catch(() => undefined);
    clients.length = 0;
    admin = await connect('admin');
    await standby.remove();
  });

  test('a subscription that is disabled, and one whose worker fails, is found; enabling it ends the finding', async () => {
    const publisher = await server.createDatabase('publisher');
    const source = await connect('publisher', publisher);
    await source.query('create table t (id int primary key); create publication p for table t');
    await source.query("select pg_create_logical_replication_slot('sub', 'pgoutput')");
    await admin.query('create table t (id int primary key)');
    const address = new URL(publisher);
    await admin.query(
      `create subscription "Sub" connection 'host=127.0.0.1 port=${address.port} user=postgres dbname=publisher' publication p with (create_slot = false, enabled = false, slot_name = 'sub')`,
    );
    const [disabled] = await findingsOn(url, 'subscription');
    expect(disabled).toMatchObject({ id: 'subscription:Sub', severity: 'warning' });
    await paste(url, disabled!.fix!);
    await waitFor(
      async () => (await admin.query("select from pg_subscription_rel where srsubstate = 'r'")).rowCount === 1,
    );
    expect(await findingsOn(url, 'subscription')).toEqual([]);
    const disable = 'alter subscription "Sub" disable; alter subscription "Sub" set (slot_name = none)';
    for (const sql of [disable, 'drop subscription "Sub"; drop table t']) await admin.query(sql);
    const unused = "select from pg_replication_slots where slot_name = 'sub' and not active";
    await waitFor(async () => (await source.query(unused)).rowCount === 1);
    await source.query("select pg_drop_replication_slot('sub')");
  });

  test('temporary files, and locks that fill the lock table, are found with the session that has them', async () => {
    const sorter = await connect('sorter');
    await sorter.query(
      "set work_mem = '64kB'; begin; declare c cursor for select repeat('x', 500) || n from generate_series(1, 20000) as n order by 1; fetch 1 from c",
    );
    const [temporary] = await findingsOn(url, 'temporary-files', 'temporary-bytes=1MB:1GB');
    expect(temporary!.message).toMatch(/^\d+ temporary files? take \d+ MB of disk; session \d+ wrote /);
    expect(await findingsOn(url, 'temporary-files')).toEqual([]);
    const locker = await connect('locker');
    await locker.query('select pg_advisory_lock(n) from generate_series(1, 3600) as n');
    const [locks] = await findingsOn(url, 'lock-table');
    expect(locks).toMatchObject({
      id: 'lock-table:lock table',
      severity: 'warning',
      message: expect.stringMatching(/; session \d+ has 3,6\d\d of them$/),
    });
    await paste(url, locks!.fix!);
    await waitFor(async () => (await findingsOn(url, 'lock-table')).length === 0);
  });

  test('the one worker of autovacuum that crawls while another table waits is found; its fix makes it quick', async () => {
    await admin.query("alter system set autovacuum_vacuum_cost_delay = '100ms'");
    await admin.query('alter system set autovacuum_vacuum_cost_limit = 1');
    await admin.query('select pg_reload_conf()');
    for (const name of ['slow', 'waits']) {
      await admin.query(`create table ${name} as select repeat('x', 500) as text from generate_series(1, 5000)`);
      await admin.query(`delete from ${name}`);
    }
    let finding: Finding | undefined;
    await waitFor(async () => ([finding] = await findingsOn(url, 'autovacuum-workers'))[0] !== undefined);
    expect(finding!.message).toMatch(/^all 1 worker of autovacuum is at work, and \d+ tables? waits? for a vacuum$/);
    await paste(url, finding!.fix!);
    await admin.query('alter system set autovacuum_vacuum_cost_limit = 10000');
    await admin.query('select pg_reload_conf()');
    await waitFor(async () => (await findingsOn(url, 'autovacuum-workers')).length === 0);
  });

  test('a role that may only connect is told what it could not see, with the grant', async () => {
    await admin.query('create role plain login');
    const plain = url.replace('postgres@', 'plain@');
    const run = await aisecOn(plain, 'doctor', '--json', '--only', 'live,wraparound,replication');
    const { skipped } = JSON.parse(run.stdout) as { skipped: readonly { check: string; fix: string | null }[] };
    expect(skipped).toEqual([
      expect.objectContaining({ check: 'transaction-long', fix: 'grant pg_read_all_stats to "plain";' }),
      expect.objectContaining({ check: 'temporary-files', fix: 'grant pg_monitor to "plain";' }),
      expect.objectContaining({ check: 'disk-used', fix: 'grant pg_monitor to "plain";' }),
      expect.objectContaining({ check: 'vacuum-held-back', fix: 'grant pg_read_all_stats to "plain";' }),
      expect.objectContaining({ check: 'wal-size', fix: 'grant pg_monitor to "plain";' }),
    ]);
    for (const { fix } of skipped) await paste(url, fix!);
    const again = await aisecOn(plain, 'doctor', '--json', '--only', 'live,wraparound,replication');
    expect((JSON.parse(again.stdout) as { skipped: readonly unknown[] }).skipped).toEqual([]);
  });
});
