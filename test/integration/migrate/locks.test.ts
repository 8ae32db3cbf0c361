import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { RUN_LOCK_KEY } from '../../../src/adapters/postgres/locks/advisory-lock.js';
import { makeBarrier, UNTIL_TOLD } from '../../support/barrier.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import { startCli, type CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';

describeOnServer('locks', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;
  const clients: pg.Client[] = [];

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({
      '0001_busy.sql': migration(
        'create table busy (id int); insert into busy select generate_series(1, 1000);',
        'drop table busy;',
      ),
    });
    await aisec('migrate', 'up');
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
  });

  const args = (...given: readonly string[]): readonly string[] => [
    ...given,
    '--migrations-dir',
    `aisec=${folder.dir}`,
  ];
  const env = (): { readonly DATABASE_URL: string } => ({ DATABASE_URL: database.url });
  const aisec = (...given: readonly string[]): Promise<CliResult> => runInProcess(args(...given), { env: env() });

  async function connect(name: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url, application_name: name });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  }

  test('a reader that holds the table is waited for in short turns: no other query ever waits longer than the lock timeout', async () => {
    folder.write({
      '0002_alter.sql': migration('alter table busy add column note text;', 'alter table busy drop column note;'),
    });
    const reader = await connect('a long report');
    await reader.query('begin; select count(*) from busy');
    const running = startCli(args('migrate', 'up', '--lock-timeout', '300ms', '--max-wait', '180s'), {
      env: env(),
    });
    const other = await connect('the application');
    // Many times the lock timeout of the migration: a wait for a lock, whatever else keeps the machine busy.
    await other.query(`set lock_timeout = '20s'`);
    const attempts = new Set<number>();
    while (attempts.size < 4) {
      const { rows } = await database.admin.query(
        `select extract(epoch from xact_start)::float8 as began from pg_stat_activity
         where datname = current_database() and application_name = 'aisec migrate up' and wait_event_type = 'Lock'`,
      );
      for (const { began } of rows) attempts.add(began);
      await other.query('select count(*) from busy');
      // The pace of the application.
      await sleep(20);
    }
    await reader.query('commit');
    const result = await running.finished;
    expect(result.exitCode).toBe(0);
  });

  test('a lock that is never had ends with exit 5, the blocker named, and nothing changed', async () => {
    folder.write({
      '0002_alter.sql': migration('create table fresh (id int); alter table busy add column note text;'),
    });
    const reader = await connect('a long report');
    await reader.query('begin; select count(*) from busy');
    const { rows } = await reader.query<{ pid: number }>('select pg_backend_pid() as pid');
    const result = await aisec('migrate', 'up', '--lock-timeout', '5s', '--max-wait', '6s');
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toMatch(/could not acquire its table locks in \d+ attempts?; no changes were made/);
    expect(result.stderr).toContain(`pid ${rows[0]?.pid ?? 0} "a long report"`);
    expect(result.stderr).toContain('idle in transaction');
    const { rows: tables } = await database.admin.query(`select to_regclass('fresh') as fresh`);
    expect(tables).toEqual([{ fresh: null }]);
  });

  test('of two runs at once one works and the other exits 5 naming the holder', async () => {
    folder.write({
      '0002_slow.sql': migration(`create table slow (id int); select ${UNTIL_TOLD};`),
    });
    const { tell } = await makeBarrier(database);
    const first = startCli(args('migrate', 'up'), { env: env() });
    await waitFor(
      async () =>
        (
          await database.admin.query(
            `select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
          )
        ).rowCount === 1,
    );
    const second = await aisec('migrate', 'up');
    expect(second.exitCode).toBe(5);
    expect(second.stderr).toContain('"aisec migrate up" of role "postgres"');
    await tell();
    expect((await first.finished).exitCode).toBe(0);
  });

  test('a run that waits with --wait while another builds an index concurrently neither deadlocks nor breaks it', async () => {
    folder.write({
      '0002_index.sql': migration(
        'create index concurrently busy_id on busy (id);',
        'drop index concurrently busy_id;',
        '-- aisec: no-transaction',
      ),
    });
    const reader = await connect('an old transaction');
    await reader.query('begin isolation level repeatable read; select 1 from pg_class limit 1');
    const first = startCli(args('migrate', 'up'), { env: env() });
    await waitFor(
      async () =>
        (await database.admin.query('select 1 from pg_stat_progress_create_index where datname = current_database()'))
          .rowCount === 1,
    );
    const second = startCli(args('migrate', 'up', '--wait', '120s'), { env: env() });
    await second.waitForOutput('waiting for');
    await reader.query('commit');
    const [one, two] = await Promise.all([first.finished, second.finished]);
    expect([one.exitCode, two.exitCode]).toEqual([0, 0]);
    expect(two.stderr).toContain('nothing to do');
    const { rows } = await database.admin.query(
      `select indisvalid from pg_index where indexrelid = 'busy_id'::regclass`,
    );
    expect(rows).toEqual([{ indisvalid: true }]);
  });

  test.each([
    ['migrate up', []],
    ['migrate up --dry-run', ['--dry-run']],
    ['migrate redo', ['--yes']],
  ])('%s with --wait says whom it waits for', async (command, options) => {
    const other = await connect('another run');
    await other.query('select pg_advisory_lock($1)', [RUN_LOCK_KEY]);
    const verb = command.split(' ').slice(0, 2);
    const run = await aisec(...verb, ...options, '--wait', '2s');
    expect(run).toMatchObject({ exitCode: 5, stdout: '' });
    expect(run.stderr).toContain('waiting for "another run" of role');
  });

  test('a killed connection gives the lock back, is reported with exit 4, and the next run goes on', async () => {
    folder.write({
      '0002_slow.sql': migration('create table slow (id int); do $$ begin perform pg_sleep(20); end $$;'),
    });
    const running = startCli(args('migrate', 'up'), { env: env() });
    await waitFor(
      async () =>
        (
          await database.admin.query(
            `select 1 from pg_stat_activity where query like '%pg_sleep(20)%' and application_name = 'aisec migrate up' and state = 'active' and datname = current_database()`,
          )
        ).rowCount === 1,
    );
    await database.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'aisec migrate up' and datname = current_database()`,
    );
    const result = await running.finished;
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('error: lost the connection to the database');
    folder.write({ '0002_slow.sql': migration('create table slow (id int);') });
    // The server may still be ending what was killed.
    expect((await aisec('migrate', 'up', '--wait', '120s')).exitCode).toBe(0);
  });
});
