import { beforeEach, expect, test } from 'vitest';

import { findLeftBehind } from '../../../src/adapters/postgres/left-behind.js';
import { migrationPlaces } from '../../../src/config/migration-places.js';
import { readMigrations } from '../../../src/features/migrate/files/read-migrations.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { withSession } from '../catalog/catalog-session.js';

describeOnServer('what a migration leaves in its session', () => {
  let database: ServerDatabase;

  beforeEach(async () => {
    database = await createServerDatabase();
  });

  const up = (files: Readonly<Record<string, string>>): Promise<CliResult> =>
    runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${migrationsFolder(files).dir}`], {
      env: { DATABASE_URL: database.url },
    });

  test.each([
    ["select set_config('statement_timeout', '100s', false);", 'setting "statement_timeout"'],
    ["do $$ begin execute 'set work_mem = 1024'; end $$;", 'setting "work_mem"'],
    ["select set_config('search_path', '', false);", 'setting "search_path"'],
    ['create temporary table scratch (id int);', 'temporary relation "scratch"'],
    ['select pg_advisory_lock(7), pg_advisory_lock(7);', 'advisory lock "7"'],
    ['listen news;', 'channel "news"'],
    ['prepare one as select 1;', 'prepared statement "one"'],
    ['declare rows cursor with hold for select 1;', 'cursor "rows"'],
  ])('%s is told, and the next one does not see it', async (left, told) => {
    const run = await up({
      '0001_left.sql': migration(left),
      '0002_next.sql': migration(
        `do $$ begin
           assert current_setting('statement_timeout') = '0' and current_setting('work_mem') <> '1MB';
           assert current_setting('search_path') <> '';
           assert to_regclass('pg_temp.scratch') is null;
           assert not exists (select from pg_prepared_statements where from_sql);
           assert not exists (select from pg_cursors where is_holdable);
           assert not exists (select from pg_listening_channels());
           assert (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) = 2;
         end $$;`,
      ),
    });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(`migration 0001_left left in its session: ${told}`);
    expect(run.stderr).not.toContain('migration 0002_next left');
  });

  test('what a function leaves of which the file says nothing does not reach the next one either', async () => {
    // What RESET ALL goes back to, and no session of a run has.
    await database.admin.query(`alter database "${database.name}" set timezone = 'Asia/Tokyo'`);
    await database.admin.query(`create function hides() returns void language plpgsql as $$
      begin
        perform pg_advisory_lock(7), pg_advisory_lock(7), pg_advisory_lock_shared(8, 9);
        perform set_config('statement_timeout', '100ms', false);
      end $$`);
    const run = await up({
      '0001_hides.sql': migration('select hides();'),
      '0002_next.sql': migration(
        `do $$ begin
           assert current_setting('statement_timeout') = '0' and current_setting('timezone') = 'UTC';
           assert (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) = 2;
         end $$;`,
      ),
    });
    expect(run).toMatchObject({ exitCode: 0 });
  });

  test('SET LOCAL, a function with settings and a temporary table that is dropped again leave nothing to tell', async () => {
    const run = await up({
      '0001_tidy.sql': migration(
        `set local statement_timeout = '10s';
         create temporary table scratch (id int) on commit drop;
         create function f() returns int language sql set search_path = pg_catalog as 'select 1';
         select pg_advisory_xact_lock(7);`,
        'drop function f();',
      ),
      '0002_more.sql': migration('create table one (id int); set local lock_timeout = 5;'),
    });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).not.toContain('left in its session');
  });

  test('the bundled migrations leave nothing, for which a run does not look again', async () => {
    const files = await readMigrations(migrationPlaces(undefined, '/'), '/');
    const sections = [...files.map(({ up }) => up), ...files.toReversed().flatMap(({ down }) => down ?? [])];
    await withSession(database.url, async (session) => {
      for (const { sql } of sections) {
        await session.query(`begin; ${sql}\n; commit`);
        expect(await findLeftBehind(session, session.settings), sql).toEqual([]);
      }
    });
  });

  test('a server whose own settings differ makes no migration look untidy', async () => {
    await database.admin.query(`alter database "${database.name}" set work_mem = '5MB'`);
    await database.admin.query(`alter database "${database.name}" set datestyle = 'German'`);
    await database.admin.query(`alter database "${database.name}" set synchronous_commit = off`);
    const run = await up({ '0001_one.sql': migration('set local x.y = 1;'), '0002_two.sql': migration('select 1;') });
    expect(run.stderr).not.toContain('left in its session');
  });
});
