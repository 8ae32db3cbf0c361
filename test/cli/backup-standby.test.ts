import { readFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { expect, test } from 'vitest';

import { databaseAddress } from '../support/database-address.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { describeOnPrivateServer, startPrivateServer, startStandby } from '../support/private-server.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

/** Nothing is written there but what the tests write: autovacuum would be behind, or be a transaction that was replayed. */
const QUIET = { fsync: 'off', autovacuum: 'off' };

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // A test that fails leaves it open while the server goes.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describeOnPrivateServer('a backup of a standby', () => {
  test('says how far it was behind and which tables have no rows there, and is refused when it is too far', async () => {
    const primary = await startPrivateServer(QUIET);
    const url = await primary.createDatabase('app', { migrated: true });
    const writer = await connectTo(url);
    await writer.query(
      `create unlogged table scratch_pad (id int generated always as identity primary key, note text);
       insert into scratch_pad (note) values ('kept on the primary only');
       insert into users (username, email, password_hash) values ('u', 'u@example.com', 'x')`,
    );
    const standby = await startStandby(primary, { fsync: 'off' });
    const there = databaseAddress(standby.url, 'app');
    const reader = await connectTo(there);
    const usersThere = async (): Promise<number> =>
      (await reader.query<{ n: number }>('select count(*)::int as n from users')).rows[0]?.n ?? 0;
    // Something has to come from the primary, before it is known what that has.
    await writer.query("insert into users (username, email, password_hash) values ('w', 'w@example.com', 'x')");
    await waitFor(async () => {
      const { rows } = await reader.query(
        'select from pg_stat_wal_receiver where latest_end_lsn <= pg_last_wal_replay_lsn()',
      );
      return rows.length === 1 && (await usersThere()) === 2;
    });
    const directory = path.join(await createEmbeddedDirectory(), 'backups');
    const backup = (...args: readonly string[]) =>
      runInProcess(['backup', '--dir', directory, ...args], { env: { DATABASE_URL: there } });

    // What was replayed is all there is: an idle primary is no lag.
    const good = await backup('--max-lag', '5s', '--json');
    expect(good).toMatchObject({ exitCode: 0 });
    expect(good.stderr).toContain('a standby has no rows of unlogged tables');
    const byJobs = await backup('--jobs', '2', '--json');
    expect(JSON.parse(byJobs.stdout)).toMatchObject({ jobs: 2, rows: JSON.parse(good.stdout).rows });
    const file = String(JSON.parse(good.stdout).file);
    const manifest = JSON.parse(readFileSync(`${file}.json`, 'utf8'));
    expect(manifest.standby).toEqual({
      lagMs: 0,
      unloggedTables: [{ schema: 'public', table: 'scratch_pad' }],
    });
    expect(manifest.rows).toContainEqual({ schema: 'public', table: 'scratch_pad', rows: 0 });
    const env = { DATABASE_URL: url };
    expect(await runInProcess(['backup', 'verify', file, '--deep'], { env })).toMatchObject({ exitCode: 0 });

    await reader.query('select pg_wal_replay_pause()');
    await writer.query("insert into users (username, email, password_hash) values ('v', 'v@example.com', 'x')");
    const { rows } = await writer.query<{ at: string }>('select pg_current_wal_lsn() as at');
    await waitFor(async () => {
      const received = await reader.query<{ is_there: boolean }>(
        "select pg_last_wal_receive_lsn() >= $1 and now() - pg_last_xact_replay_timestamp() > '1500ms' as is_there",
        [rows[0]?.at],
      );
      return received.rows[0]?.is_there === true;
    });
    expect(await usersThere()).toBe(2);
    const before = (await runInProcess(['backup', 'list', '--dir', directory, '--json'])).stdout;
    for (const dry of [[], ['--dry-run']]) {
      const refused = await backup('--max-lag', '1s', ...dry);
      expectError(refused, 3, 'this standby is ', 'behind its primary, and at most 1.0 s were allowed');
    }
    expect((await runInProcess(['backup', 'list', '--dir', directory, '--json'])).stdout).toBe(before);

    // Without a limit it is made, and its rows are as old as they are.
    const late = JSON.parse((await backup('--json')).stdout) as { readonly file: string };
    const { standby: facts } = JSON.parse(readFileSync(`${late.file}.json`, 'utf8'));
    expect(facts.lagMs).toBeGreaterThan(1500);
    const check = await runInProcess(['backup', 'check', '--dir', directory, '--max-age', '1s']);
    expect(check.stdout).toContain('that its standby was behind');
    await Promise.all([reader.end(), writer.end()]);
  });

  test('that has replayed no transaction since its start is not taken for one that has all', async () => {
    const primary = await startPrivateServer(QUIET);
    const writer = await connectTo(await primary.createDatabase('app'));
    const standby = await startStandby(primary, { fsync: 'off' });
    const reader = await connectTo(databaseAddress(standby.url, 'app'));
    await reader.query('select pg_wal_replay_pause()');
    await writer.query('create table notes as select 1 as id');
    const { rows } = await writer.query<{ at: string }>('select pg_current_wal_lsn() as at');
    await waitFor(async () => {
      const sql = 'select pg_last_wal_receive_lsn() >= $1 as is_there';
      return (await reader.query<{ is_there: boolean }>(sql, [rows[0]?.at])).rows[0]?.is_there === true;
    });
    expect((await reader.query('select pg_last_xact_replay_timestamp() as at')).rows).toEqual([{ at: null }]);
    const directory = path.join(await createEmbeddedDirectory(), 'backups');
    const run = await runInProcess(['backup', '--dir', directory, '--max-lag', '1ms'], {
      env: { DATABASE_URL: databaseAddress(standby.url, 'app') },
    });
    expectError(run, 3, 'this standby is ', 'behind its primary, and at most 1 ms were allowed');
    await Promise.all([reader.end(), writer.end()]);
  });
});
