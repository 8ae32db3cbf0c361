import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

describeOnServer('migrations and what is in the database', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({
      '0001_one.sql': migration('create table one (id int, note text);', 'drop table one;'),
      '0002_note.sql': migration('alter table one add more text;', 'alter table one drop column more;'),
      '0003_two.sql': migration('create table two (id int);', 'drop table two;'),
    });
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${folder.dir}`], { env: { DATABASE_URL: database.url } });
  const relations = async (): Promise<string> => {
    const { rows } = await database.admin.query(
      `select coalesce(string_agg(relname, ' ' order by relname), '') as names from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
    );
    return (rows[0] as { names: string }).names;
  };

  test.each(['down', 'redo'])('%s counts the rows that it would delete, and needs --yes', async (verb) => {
    await aisec('migrate', 'up');
    await database.admin.query('insert into two select generate_series(1, 3)');
    const refused = await aisec('migrate', verb);
    expect(refused).toMatchObject({ exitCode: 6, stdout: '' });
    expect(refused.stderr).toContain('table two: 3 rows');
    expect(refused.stderr).toContain('--yes');
    expect((await database.admin.query('select from two')).rowCount).toBe(3);
    expect(await aisec('migrate', verb, '--yes')).toMatchObject({ exitCode: 0 });
  });

  test('down counts the rows of a column, and asks nothing where none has a value', async () => {
    await aisec('migrate', 'up', '--to', '0002_note');
    await database.admin.query(`insert into one values (1), (2)`);
    expect((await aisec('migrate', 'down')).exitCode).toBe(0);
    await aisec('migrate', 'up', '--to', '0002_note');
    await database.admin.query(`update one set more = 'x' where id = 1`);
    const refused = await aisec('migrate', 'down');
    expect(refused.exitCode).toBe(6);
    expect(refused.stderr).toContain('column one.more: 1 row');
  });

  test('down --dry-run tells it all, fails where the real run would, and changes nothing', async () => {
    await aisec('migrate', 'up');
    await database.admin.query('insert into two select generate_series(1, 20000)');
    const dry = await aisec('migrate', 'down', '--to', '0001_one', '--dry-run');
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(dry.stdout.split('\n').slice(0, 3)).toEqual(['would revert', '0003_two', '0002_note']);
    expect(dry.stderr).toContain('table two: more than 10,000 rows');
    expect((await database.admin.query('select from two')).rowCount).toBe(20_000);
    folder.write({ '0004_bad.sql': migration('create table bad (id int);', 'drop table bad;\ndrop table nothing;') });
    await aisec('migrate', 'up');
    const failing = await aisec('migrate', 'down', '--dry-run');
    expect(failing.exitCode).toBe(1);
    expect(failing.stderr).toContain('0004_bad.sql:5');
    expect(await relations()).toContain('bad');
  });

  test('up refuses a database that has what the files would create, before anything is changed', async () => {
    await database.admin.query('create table two (theirs text); create view one as select 1 as x');
    const refused = await aisec('migrate', 'up');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain('has a view "one" already, which 0001_one would create');
    expect(refused.stderr).toContain('a table "two", which 0003_two would create');
    expect(refused.stderr).toContain('--schema');
    expect(await relations()).toBe('two');
  });

  test('up refuses functions, procedures and types that are there, and takes one of other parameters for another', async () => {
    folder.write({
      '0004_code.sql': migration(`create type mood as enum ('calm');
        create domain "Short" as text;
        create function odds(a int, out b text, moods text[]) language sql as 'select 1';
        create function odds(a "Short") returns int language sql as 'select 1';
        create procedure tidy() language sql as '';`),
    });
    await database.admin.query(`create type mood as enum ('wild'); create domain "Short" as int;
      create function odds(integer, text[]) returns int language sql as 'select 1'; create procedure tidy() language sql as ''`);
    const refused = await aisec('migrate', 'up');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    for (const object of ['a type "mood"', 'a type "Short"', 'a function "odds"', 'a procedure "tidy"'])
      expect(refused.stderr.match(new RegExp(object, 'g'))).toHaveLength(1);
    expect(await relations()).toBe('');
    await database.admin.query('drop type mood; drop function odds; drop procedure tidy; drop domain "Short"');
    await database.admin.query('create function odds(text) returns int language sql as $$select 1$$');
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
  });

  test('up of an older version on a newer history says so, and goes on with --allow-newer', async () => {
    await aisec('migrate', 'up');
    folder.remove('0003_two.sql');
    const refused = await aisec('migrate', 'up');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain('0003_two was applied by a newer version');
    expect(refused.stderr).toContain('--allow-newer');
    expect(await aisec('migrate', 'up', '--allow-newer')).toMatchObject({ exitCode: 0 });
    expect((await aisec('migrate', 'check')).exitCode).toBe(3);
    expect((await aisec('migrate', 'check', '--allow-newer')).exitCode).toBe(0);
    expect((await aisec('migrate', 'status')).stdout).toMatch(/0003_two\tnewer/);
    // One that is missing in the middle is no newer version.
    folder.remove('0001_one.sql');
    expect((await aisec('migrate', 'up', '--allow-newer')).stderr).toContain(
      '0001_one was applied, and its file is missing',
    );
  });

  test('up beside the history of another program says whose it is, and what helps', async () => {
    await database.admin.query(
      `create table pgmigrations (id serial primary key, name varchar(255) not null, run_on timestamp not null);
       insert into pgmigrations (name, run_on) values ('1700000000000_init', now())`,
    );
    const refused = await aisec('migrate', 'up');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain('1700000000000_init was recorded by another program');
    expect(refused.stderr).toContain('--schema');
    expect(refused.stderr).not.toContain('--allow-late');
    const { stdout } = await aisec('migrate', 'check');
    expect(stdout.indexOf('migration-foreign')).toBeGreaterThan(0);
    expect(stdout.indexOf('migration-foreign')).toBeLessThan(stdout.indexOf('migration-pending'));
    expect(await relations()).toBe('pgmigrations');
  });

  test('up on a history that lost pgmigrations names the command that restores it', async () => {
    await aisec('migrate', 'up');
    await database.admin.query('drop table pgmigrations');
    const refused = await aisec('migrate', 'up');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain('pgmigrations lacks 3 migrations that aisec_migrations records');
    expect(refused.stderr).toContain('Restore what is lost: aisec migrate repair');
    expect(await aisec('migrate', 'repair', '--yes')).toMatchObject({ exitCode: 0 });
    const again = await aisec('migrate', 'up');
    expect(again.exitCode).toBe(0);
    expect(again.stderr).toContain('nothing to do');
  });
});
