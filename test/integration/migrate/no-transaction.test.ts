import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import { startCli, type CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';

const NO_TRANSACTION = '-- aisec: no-transaction';
const TABLE = migration(
  'create table t (a int, b int, c int); insert into t select i, i % 7, 1 from generate_series(1, 1000) i;',
  'drop table t;',
);
const FIVE = (third: string): string =>
  migration(
    `create index concurrently t_a on t (a);
-- a semicolon in a comment; and a body
create function f() returns int language sql as $$ select 1; $$;
${third}
create index concurrently t_c on t (c);
create index concurrently t_ab on t (a, b);`,
    `drop index concurrently t_ab;
drop index concurrently t_c;
drop index concurrently if exists t_b;
drop function f();
drop index concurrently t_a;`,
    NO_TRANSACTION,
  );

describeOnServer('a migration without a transaction', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({
      '0001_table.sql': TABLE,
      '0002_indexes.sql': FIVE('create index concurrently t_b on t (b);'),
    });
  });

  const env = (): { readonly DATABASE_URL: string } => ({ DATABASE_URL: database.url });
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${folder.dir}`], { env: env() });
  const indexes = async (): Promise<string> => {
    const { rows } = await database.admin.query(
      `select coalesce(string_agg(c.relname || case when indisvalid then '' else ' INVALID' end, ', ' order by c.relname), '') as names from pg_index join pg_class c on c.oid = indexrelid where indrelid = 't'::regclass`,
    );
    return (rows[0] as { names: string }).names;
  };
  const journal = async (): Promise<Record<string, unknown> | undefined> => {
    const { rows } = await database.admin.query(
      `select state, statements_done, statements_total, error from aisec_migrations where name = '0002_indexes'`,
    );
    return rows[0] as Record<string, unknown> | undefined;
  };
  const isRecorded = async (): Promise<boolean> =>
    (await database.admin.query(`select from pgmigrations where name = '0002_indexes'`)).rowCount === 1;

  test('may have any number of statements, split as PostgreSQL splits them, and goes down again', async () => {
    const result = await aisec('migrate', 'up');
    expect(result.stderr).not.toContain('error');
    expect(await indexes()).toBe('t_a, t_ab, t_b, t_c');
    expect(await journal()).toMatchObject({ state: 'applied', statements_done: 5, statements_total: 5 });
    expect((await aisec('migrate', 'down')).exitCode).toBe(0);
    expect(await indexes()).toBe('');
    expect(await journal()).toBeUndefined();
    expect(await isRecorded()).toBe(false);
  });

  test('that fails in the middle says how far it came, and resumes there when the rest is mended', async () => {
    folder.write({ '0002_indexes.sql': FIVE('create index concurrently t_b on t (nothing);') });
    const failed = await aisec('migrate', 'up');
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain('stopped at statement 3 of 5');
    expect(failed.stderr).toMatch(/0002_indexes\.sql:6/);
    expect(failed.stderr).toContain('Statements 1 to 2 are done and stay.');
    expect(await journal()).toMatchObject({
      state: 'applying',
      statements_done: 2,
      error: expect.stringContaining('nothing') as unknown,
    });
    const status = await aisec('migrate', 'status');
    expect(status.stdout).toContain('incomplete (2 of 5 statements)');
    folder.write({ '0002_indexes.sql': FIVE('create index concurrently t_b on t (b);') });
    const resumed = await aisec('migrate', 'up');
    expect(resumed.exitCode).toBe(0);
    expect(resumed.stderr).toContain('continuing at statement 3 of 5');
    expect(await indexes()).toBe('t_a, t_ab, t_b, t_c');
    expect(await isRecorded()).toBe(true);
  });

  test('whose finished statements were edited is not resumed: exit 3', async () => {
    folder.write({ '0002_indexes.sql': FIVE('create index concurrently t_b on t (nothing);') });
    await aisec('migrate', 'up');
    folder.write({
      '0002_indexes.sql': FIVE('create index concurrently t_b on t (b);').replace('t_a on t (a)', 't_a on t (a, c)'),
    });
    const result = await aisec('migrate', 'up');
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('was edited in statement 1, which is already done');
  });

  test('waits for an unrelated old transaction instead of leaving an INVALID index', async () => {
    const reader = new pg.Client({ connectionString: database.url });
    await reader.connect();
    await reader.query('begin isolation level repeatable read; select 1 from pg_class limit 1');
    const running = startCli(['migrate', 'up', '--lock-timeout', '200ms', '--migrations-dir', `aisec=${folder.dir}`], {
      env: env(),
    });
    // Longer than the lock timeout by far.
    await waitFor(async () => {
      const { rowCount } = await database.admin.query(
        `select from pg_stat_progress_create_index p join pg_stat_activity using (pid)
         where p.datname = current_database() and phase ^@ 'waiting' and clock_timestamp() - query_start > interval '1 second'`,
      );
      return rowCount === 1;
    });
    await reader.query('commit');
    await reader.end();
    expect((await running.finished).exitCode).toBe(0);
    expect(await indexes()).toBe('t_a, t_ab, t_b, t_c');
  });

  test('killed with SIGKILL while it builds an index heals the INVALID index on the next run', async () => {
    const reader = new pg.Client({ connectionString: database.url });
    await reader.connect();
    await aisec('migrate', 'up', '--to', '0001_table');
    await reader.query('begin isolation level repeatable read; select from t limit 1');
    const running = startCli(['migrate', 'up', '--migrations-dir', `aisec=${folder.dir}`], { env: env() });
    await waitFor(async () => (await indexes()) === 't_a INVALID');
    running.child.kill('SIGKILL');
    await running.finished;
    await waitFor(
      async () =>
        (
          await database.admin.query(
            `select from pg_stat_activity where application_name = 'aisec migrate up' and datname = current_database()`,
          )
        ).rowCount === 0,
    );
    const status = await aisec('migrate', 'check');
    expect(status.exitCode).toBe(3);
    expect(status.stdout).toContain('index t_a on t is INVALID');
    await reader.query('commit');
    await reader.end();
    const result = await aisec('migrate', 'up');
    expect(result.exitCode).toBe(0);
    expect(await indexes()).toBe('t_a, t_ab, t_b, t_c');
  });

  test('does not take an INVALID index for a finished one because of IF NOT EXISTS', async () => {
    folder.write({
      '0002_indexes.sql': migration(
        'create unique index concurrently if not exists t_unique on t (b);',
        'drop index concurrently t_unique;',
        NO_TRANSACTION,
      ),
    });
    expect((await aisec('migrate', 'up')).exitCode).toBe(1);
    expect(await indexes()).toBe('t_unique INVALID');
    expect((await aisec('migrate', 'up')).exitCode).toBe(1);
    await database.admin.query('delete from t where a > 6');
    const healed = await aisec('migrate', 'up');
    expect(healed.stderr).not.toContain('error');
    expect(await indexes()).toBe('t_unique');
  });

  test('an INVALID index that a broken build left is shown by status, and check has its fix', async () => {
    await database.admin.query('create table twins (id int); insert into twins values (1), (1)');
    await expect(database.admin.query('create unique index concurrently twins_id on twins (id)')).rejects.toThrow();
    const env = { env: { DATABASE_URL: database.url } };
    const { dir } = migrationsFolder({ '0001_one.sql': migration('select 1;') });
    const migrate = (...args: readonly string[]): Promise<CliResult> =>
      runInProcess(['migrate', ...args, '--migrations-dir', `aisec=${dir}`], env);
    expect(await migrate('up')).toMatchObject({ exitCode: 0 });
    const status = await migrate('status');
    expect(status.stdout + status.stderr).toMatch(/twins_id/);
    const check = await migrate('check', '--json');
    expect(check).toMatchObject({ exitCode: 3 });
    const { findings } = JSON.parse(check.stdout) as { findings: { id: string; fix: string }[] };
    expect(findings.map(({ id }) => id)).toEqual(['invalid-index:twins_id']);
    await database.admin.query('delete from twins');
    await database.admin.query(findings[0]?.fix ?? '');
    expect(await migrate('check')).toMatchObject({ exitCode: 0 });
  });

  test('does not take a statement for done that names what is not there, when the run was killed at it', async () => {
    folder.write({ '0002_indexes.sql': FIVE('create index concurrently t_b on t (missing);') });
    expect((await aisec('migrate', 'up')).exitCode).not.toBe(0);
    await database.admin.query(`update aisec_migrations set statements_started = 3 where name = '0002_indexes'`);
    const again = await aisec('migrate', 'up');
    expect(again.stderr).toContain('column "missing" does not exist');
    expect(again.exitCode).not.toBe(0);
    expect(await journal()).toMatchObject({ state: 'applying', statements_done: 2 });
    expect(await isRecorded()).toBe(false);
  });

  test('whose INSERT was carried out when the connection broke inserts no row twice', async () => {
    folder.write({
      '0002_indexes.sql': migration(
        'create index concurrently t_a on t (a); insert into t values (-1, 1, 1); delete from t where a = 1000;',
        'drop index t_a;',
        NO_TRANSACTION,
      ),
    });
    await database.admin.query(`
      create function end_session() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); return new; end'`);
    await aisec('migrate', 'up', '--to', '0001_table');
    await database.admin.query(`
      create trigger end_session before update on aisec_migrations for each row
      when (new.statements_done = 2) execute function end_session()`);
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 4 });
    await database.admin.query('drop trigger end_session on aisec_migrations');
    const again = await aisec('migrate', 'up');
    expect(again.stderr).toContain('continuing at statement 2 of 3');
    expect(again.stderr).not.toContain('runs again');
    expect((await database.admin.query('select from t where a = -1')).rowCount).toBe(1);
    expect(await isRecorded()).toBe(true);
  });

  test('of which a statement may have been carried out when the run was stopped says that it runs again', async () => {
    const block = 'do $$ begin insert into t values (-1, 1, 1); end $$;';
    folder.write({ '0002_indexes.sql': migration(block, 'select 1;', NO_TRANSACTION) });
    await aisec('migrate', 'up');
    await database.admin.query(`
      delete from pgmigrations where name = '0002_indexes';
      update aisec_migrations set state = 'applying', statements_done = 0, statements_started = 1 where name = '0002_indexes'`);
    const again = await aisec('migrate', 'up');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stderr).toContain(
      'continuing at statement 1 of 1, which the last run may have carried out before it was stopped: it runs again',
    );
  });

  test('takes a statement for done that was carried out but not journaled before the run was killed', async () => {
    await aisec('migrate', 'up');
    await database.admin.query(`delete from pgmigrations where name = '0002_indexes'`);
    await database.admin.query(
      `update aisec_migrations set state = 'applying', statements_done = 3, statements_started = 4 where name = '0002_indexes'`,
    );
    await database.admin.query('drop index t_ab');
    const result = await aisec('migrate', 'up');
    expect(result.exitCode).toBe(0);
    expect(await indexes()).toBe('t_a, t_ab, t_b, t_c');
    expect(await isRecorded()).toBe(true);
  });
});
