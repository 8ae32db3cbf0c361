import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { beforeAll, beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { runPsql } from '../../support/run-psql.js';

const TABLE = migration('create table t (a int); insert into t values (1), (1);', 'drop table t;');

describeOnServer('the checks of a migration, verify/NAME.sql', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;
  let bundled: MigrationsFolder;

  beforeAll(async () => {
    database = await createServerDatabase();
    bundled = migrationsFolder({ '0001_people.sql': migration('create table people (id int);', 'drop table people;') });
  });

  beforeEach(async () => {
    folder = migrationsFolder({ '0001_table.sql': TABLE });
    mkdirSync(path.join(folder.dir, 'verify'));
    await database.admin.query('drop schema if exists public cascade; create schema public');
  });

  const verify = (sql: string, name = '0001_table'): void =>
    writeFileSync(path.join(folder.dir, 'verify', `${name}.sql`), sql);
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(
      ['migrate', ...args, '--migrations-dir', `aisec=${bundled.dir}`, '--migrations-dir', `app=${folder.dir}`],
      { env: { DATABASE_URL: database.url } },
    );
  const applied = async (): Promise<readonly string[]> => {
    const { rows } = await database.admin.query(
      `select name from aisec_migrations_app where state = 'applied' order by 1`,
    );
    return rows.map((row) => (row as { name: string }).name);
  };

  test.each([
    ['select count(*) = 2 as has_two, false as is_unique from t;', 'is_unique is false', 1],
    ['-- rows\nselect true;\n\nselect 1 = 1, 1 = 2;', 'the check is false', 4],
    ['select true;\nselect 1 / (select count(*) from t where a = 7);', 'division by zero', 2],
    ["do $$ begin assert (select count(*) from t) = 3, 'three rows'; end $$;", 'three rows', 1],
    ['insert into t values (2);\nvalues (true), ((select count(*) from t) = 2);', 'column1 is false', 2],
    ['select from missing;', 'relation "missing" does not exist', 1],
  ])('%j rolls the migration back, exit 3, with its line', async (sql, message, line) => {
    verify(sql);
    const run = await aisec('up');
    expect(run).toMatchObject({ exitCode: 3, stdout: '' });
    expect(run.stderr).toContain(`error: migration app/0001_table is not verified: ${message}`);
    expect(run.stderr).toContain(`verify/0001_table.sql:${line}`);
    expect(await applied()).toEqual([]);
    expect((await database.admin.query("select to_regclass('t') as t")).rows).toEqual([{ t: null }]);
    expect((await aisec('up', '--dry-run')).stderr).toContain(`is not verified: ${message}`);
  });

  test('that hold let it through, also with NULL, the word false as a text and no row, and keep nothing that they write', async () => {
    verify(`select true, null::boolean, 'false', count(*) = 2 from t;
select false from t where a = 7;
insert into t values (9);
set local search_path to pg_catalog;
create temporary table scratch (id int);`);
    expect(await aisec('up')).toMatchObject({ exitCode: 0 });
    expect(await applied()).toEqual(['0001_table']);
    expect((await database.admin.query('select a from t')).rows).toEqual([{ a: 1 }, { a: 1 }]);
    // Later rows may be as they like: checks belong to the moment of their migration.
    await database.admin.query('insert into t values (3)');
    expect(await aisec('up')).toMatchObject({ exitCode: 0 });
    expect(await aisec('redo', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await aisec('test')).toMatchObject({ exitCode: 0 });
    expect(await aisec('drift')).toMatchObject({ exitCode: 0 });
    expect(await aisec('down', '--yes')).toMatchObject({ exitCode: 0 });
  });

  test('of a migration without a transaction: its statements stay, and the next run asks again', async () => {
    folder.write({
      '0002_index.sql': migration(
        'create index concurrently t_a on t (a);',
        'drop index concurrently t_a;',
        '-- aisec: no-transaction',
      ),
    });
    verify('select count(*) = 3 as has_three from t;', '0002_index');
    const run = await aisec('up');
    expect(run).toMatchObject({ exitCode: 3 });
    expect(run.stderr).toContain('migration app/0002_index is not verified: has_three is false');
    expect(run.stderr).toContain('Its statement is done and stays.');
    expect(await applied()).toEqual(['0001_table']);
    await database.admin.query('insert into t values (3)');
    expect(await aisec('up')).toMatchObject({ exitCode: 0 });
    expect(await applied()).toEqual(['0001_table', '0002_index']);
  });

  test('of a repeatable migration are asked each time that it is applied', async () => {
    folder.write({ 'R__totals.sql': 'create or replace view totals as select count(*) as rows from t;\n' });
    verify('select rows = 2 as has_two from totals;', 'R__totals');
    expect(await aisec('up')).toMatchObject({ exitCode: 0 });
    folder.write({ 'R__totals.sql': 'create or replace view totals as select count(*) + 1 as rows from t;\n' });
    expect(await aisec('up')).toMatchObject({ exitCode: 3 });
    expect((await database.admin.query('select rows::int from totals')).rows).toEqual([{ rows: 2 }]);
  });

  test('are in the script for psql, which stops at them as a run does', async () => {
    folder.write({
      '0002_index.sql': migration(
        'create index concurrently t_a on t (a);',
        'drop index concurrently t_a;',
        '-- aisec: no-transaction',
      ),
    });
    verify(String.raw`select count(*) = 3 as "it's \ so" from t;`);
    verify('select indisvalid from pg_index where indexrelid = to_regclass($$t_a$$);', '0002_index');
    const { stdout } = await aisec('up', '--sql');
    await expect(runPsql(database.url, stdout)).rejects.toThrow(
      String.raw`verify/0001_table.sql:1: it's \ so is false`,
    );
    expect(await applied()).toEqual([]);
    await database.admin.query('drop schema public cascade; create schema public');
    await runPsql(database.url, stdout.replace('count(*) = 3', 'count(*) = 2'));
    expect(await applied()).toEqual(['0001_table', '0002_index']);
  });

  test.each([
    ['select true;', '0001_tabel', 'there is no migration of this name to verify; did you mean "0001_table"?'],
    ['select true;\ncommit;', '0001_table', 'checks run in the transaction of their migration'],
    ['select from from t;', '0001_table', 'syntax error at or near "from"'],
    ['-- later\n', '0001_table', 'there is no check in this file'],
  ])('%j in verify/%s.sql is refused before anything runs, exit 2', async (sql, name, message) => {
    verify(sql, name);
    const run = await aisec('up');
    expect(run).toMatchObject({ exitCode: 2 });
    expect(run.stderr).toContain(message);
    expect(run.stderr).toContain(`verify/${name}.sql`);
    expect((await database.admin.query("select to_regclass('people') as t")).rows).toEqual([{ t: null }]);
  });
});
