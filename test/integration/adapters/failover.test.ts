import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';

import { databaseAddress } from '../../support/database-address.js';
import { expectError } from '../../support/expect-error.js';
import {
  describeOnPrivateServer,
  startPrivateServer,
  startStandby,
  type PrivateServer,
} from '../../support/private-server.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { writeMigrations } from '../../support/write-migrations.js';

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'test of failover' });
  // Its server goes.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describeOnPrivateServer('a failover in the middle of a command', () => {
  let primary: PrivateServer;
  let standby: PrivateServer;
  /** On the primary, as long as there is one: one that looks, and one that holds locks. */
  let admin: pg.Client;
  let holder: pg.Client;

  const hosts = (): string => [primary, standby].map(({ url }) => new URL(url).host).join(',');
  const both = (kind = 'read-write'): Readonly<Record<string, string>> => ({
    DATABASE_URL: `postgres://postgres@${hosts()}/app?target_session_attrs=${kind}`,
  });

  beforeEach(async () => {
    primary = await startPrivateServer({ fsync: 'off' });
    const url = await primary.createDatabase('app', { migrated: true });
    standby = await startStandby(primary, { fsync: 'off' });
    [admin, holder] = await Promise.all([connectTo(url), connectTo(url)]);
    // What is committed is on the standby, too.
    await admin.query("alter system set synchronous_standby_names = '*'");
    await admin.query('select pg_reload_conf()');
    await waitFor(async () => {
      const { rows } = await admin.query("select from pg_stat_replication where sync_state = 'sync'");
      return rows.length === 1;
    });
  });

  /** The primary crashes, and the standby is promoted. */
  const failOver = async (): Promise<pg.Client> => {
    await primary.stop('immediate');
    const there = await connectTo(databaseAddress(standby.url, 'app'));
    await there.query('select pg_promote()');
    return there;
  };
  /** Until a session of a command waits for a lock. */
  const untilSomethingWaits = (): Promise<void> =>
    waitFor(async () => {
      const { rows } = await admin.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'aisec %'",
      );
      return rows.length > 0;
    });

  test('migrate up begins again on the new primary, and what was applied is not applied twice', async () => {
    const directory = writeMigrations(
      {
        '0001_one': 'create table one (id int);',
        '0002_two': 'select pg_advisory_xact_lock(42); create table two (id int);',
        '0003_three': 'create table three (id int);',
      },
      path.join(mkdtempSync(path.join(tmpdir(), 'aisec-test-failover-')), 'migrations'),
    );
    const args = ['migrate', 'up', '--migrations-dir', `own=${directory}`, '--lock-timeout', '1min'];
    await holder.query('select pg_advisory_lock(42)');
    const running = runInProcess([...args, '--max-wait', '60s'], { env: both() });
    await untilSomethingWaits();
    const there = await failOver();
    const run = await running;
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(
      'lost the connection to the database; migrate up begins again on the server that is there',
    );
    const { rows } = await there.query(
      "select to_regclass('one') is not null and to_regclass('three') is not null as ok",
    );
    expect(rows).toEqual([{ ok: true }]);
    expect(await runInProcess([...args, '--quiet'], { env: both() })).toMatchObject({ exitCode: 0 });
    await there.end();
  });

  test('partitions ensure begins again; the last loss is exit 4 and nothing half-done', async () => {
    await admin.query(`insert into users (username, email, password_hash) values ('u', 'u@example.com', 'x')`);
    await holder.query('begin; lock table messages in share mode');
    const running = runInProcess(['partitions', 'ensure', '--ahead', '9', '--max-wait', '60s'], { env: both() });
    await untilSomethingWaits();
    const there = await failOver();
    const run = await running;
    expect(run).toMatchObject({ exitCode: 0 });
    const months = await there.query(
      "select from pg_inherits where inhparent = 'messages'::regclass and inhrelid::regclass::text ~ '_y'",
    );
    expect(months.rowCount).toBeGreaterThanOrEqual(10);
    expect((await there.query('select from users')).rowCount).toBe(1);

    // The other one is gone now: no server is left to begin again on.
    const holderThere = await connectTo(databaseAddress(standby.url, 'app'));
    await holderThere.query('begin; lock table messages in share mode');
    const last = runInProcess(['partitions', 'ensure', '--ahead', '12', '--max-wait', '3s'], { env: both() });
    await waitFor(async () => {
      const { rows } = await there.query("select from pg_stat_activity where wait_event_type = 'Lock'");
      return rows.length > 0;
    });
    await there.end();
    await standby.stop('immediate');
    expectError(await last, 4, 'none of the servers', 'Nothing listens there.');
  });

  test('a standby is refused with exit 5 where a command writes', async () => {
    const env = { DATABASE_URL: databaseAddress(standby.url, 'app') };
    const refused = async (...args: readonly string[]): Promise<void> => {
      const run = await runInProcess(args, { env });
      expect({ args, ...run }).toMatchObject({ args, exitCode: 5, stdout: '' });
      expect(run.stderr).toContain('hint: ');
    };
    const own = writeMigrations(
      { '0001_one': 'create table one (id int);' },
      path.join(mkdtempSync(path.join(tmpdir(), 'aisec-test-failover-')), 'migrations'),
    );
    await refused('migrate', 'up', '--migrations-dir', `own=${own}`);
    await refused('partitions', 'ensure', '--ahead', '9');
    await refused('monitor', 'record');
    await refused('seed');
    expect(await runInProcess(['doctor'], { env })).not.toMatchObject({ exitCode: 1 });
    expect(await runInProcess(['monitor', 'tables'], { env })).toMatchObject({ exitCode: 0 });
  });
});
