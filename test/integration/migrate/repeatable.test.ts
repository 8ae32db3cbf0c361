import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { runPsql } from '../../support/run-psql.js';

const VIEW = 'create or replace view totals as select 1 as total;\n';

describeOnServer('repeatable migrations and hooks', () => {
  let database: ServerDatabase;
  let bundled: MigrationsFolder;
  let own: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    bundled = migrationsFolder({ '0001_users.sql': migration('create table users (id int);', 'drop table users;') });
    own = migrationsFolder({
      '0001_invoices.sql': migration('create table invoices (id int);', 'drop table invoices;'),
      'R__totals.sql': VIEW,
    });
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${bundled.dir}`, '--migrations-dir', own.dir], {
      env: { DATABASE_URL: database.url },
    });
  const applied = async (...args: readonly string[]): Promise<readonly string[]> => {
    const run = await aisec('migrate', 'up', '--json', ...args);
    expect(run).toMatchObject({ exitCode: 0 });
    return (JSON.parse(run.stdout) as { applied: { name: string }[] }).applied.map(({ name }) => name);
  };
  const column = async (sql: string): Promise<readonly unknown[]> =>
    (await database.admin.query(sql)).rows.map((row: object) => Object.values(row)[0] as unknown);

  test('a repeatable file runs after the numbered ones, and again when its text changes, not when its comments do', async () => {
    expect(await applied()).toEqual(['0001_users', '0001_invoices', 'R__totals']);
    expect(await applied()).toEqual([]);
    own.write({ 'R__totals.sql': `-- what is owed\n${VIEW}` });
    expect(await applied()).toEqual([]);
    own.write({ 'R__totals.sql': VIEW.replace('1 as', '2 as'), '0002_more.sql': migration('select 1;') });
    expect((await aisec('migrate', 'status')).stdout).toMatch(/app\/R__totals\tpending/);
    expect(await aisec('migrate', 'check')).toMatchObject({ exitCode: 3 });
    expect(await applied()).toEqual(['0002_more', 'R__totals']);
    expect(await column('select total from totals')).toEqual([2]);
    expect(await aisec('migrate', 'verify')).toMatchObject({ exitCode: 0 });
  });

  test('one that fails leaves what was there, and names the line', async () => {
    await applied();
    own.write({ 'R__totals.sql': `${VIEW}\nselect 1 / 0;\n` });
    const failed = await aisec('migrate', 'up');
    expect(failed).toMatchObject({ exitCode: 1 });
    expect(failed.stderr).toContain('migration app/R__totals: division by zero');
    expect(failed.stderr).toMatch(/R__totals\.sql:3/);
    expect((await aisec('migrate', 'status')).stdout).toMatch(/app\/R__totals\tpending/);
  });

  test('down reverts numbered migrations only; --all needs the Down section of a repeatable one', async () => {
    await applied();
    expect((await aisec('migrate', 'down')).stdout).toContain('app/0001_invoices');
    const refused = await aisec('migrate', 'down', '--all', '--yes');
    expect(refused).toMatchObject({ exitCode: 6 });
    expect(refused.stderr).toContain('migration app/R__totals cannot be reverted');
    own.write({ 'R__totals.sql': migration(VIEW, 'drop view totals;') });
    await applied();
    expect((await aisec('migrate', 'down', '--all', '--yes')).stderr).toContain('Nothing is left.');
    expect(await column(`select relname from pg_class where relnamespace = 'public'::regnamespace`)).toEqual([]);
  });

  test('node-pg-migrate does not see a repeatable migration in the history', async () => {
    await applied();
    expect(await column('select name from pgmigrations_app')).toEqual(['0001_invoices']);
  });

  test('drift compares a repeatable file by the text that was applied, and its fix brings that back', async () => {
    await applied();
    own.write({ 'R__totals.sql': VIEW.replace('1 as', '2 as') });
    expect(await aisec('migrate', 'drift')).toMatchObject({ exitCode: 0, stdout: '' });
    await database.admin.query('create or replace view totals as select 3 as total');
    const drifted = await aisec('migrate', 'drift', '--json');
    expect(drifted).toMatchObject({ exitCode: 3 });
    const { findings } = JSON.parse(drifted.stdout) as { findings: { object: string; fix: string }[] };
    expect(findings.map(({ object }) => object)).toEqual(['view totals']);
    await database.admin.query(findings[0]?.fix ?? '');
    expect(await column('select total from totals')).toEqual([1]);
    expect(await aisec('migrate', 'drift')).toMatchObject({ exitCode: 0, stdout: '' });
    own.remove('R__totals.sql');
    const orphan = await aisec('migrate', 'drift', '--json');
    expect(orphan).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(orphan.stdout)).toMatchObject({ findings: [{ object: 'view totals', severity: 'notice' }] });
  });

  test('baseline records a repeatable file as up does, and up applies it again when it changes', async () => {
    await database.admin.query(`create table users (id int); create table invoices (id int); ${VIEW}`);
    const wrong = VIEW.replace('as total', 'as sum');
    own.write({ 'R__totals.sql': wrong });
    expect(await aisec('migrate', 'baseline')).toMatchObject({ exitCode: 3 });
    own.write({ 'R__totals.sql': VIEW });
    const recorded = await aisec('migrate', 'baseline', '--json');
    expect(JSON.parse(recorded.stdout)).toMatchObject({
      recorded: ['0001_users', 'app/0001_invoices', 'app/R__totals'],
    });
    expect(await column('select name from pgmigrations_app')).toEqual(['0001_invoices']);
    expect(await applied()).toEqual([]);
    own.write({ 'R__totals.sql': VIEW.replace('1 as', '2 as') });
    expect(await applied()).toEqual(['R__totals']);
  });

  test('repair knows that a repeatable file is in one table of the history only', async () => {
    await applied();
    const plan = async (): Promise<unknown> =>
      (JSON.parse((await aisec('migrate', 'repair', '--dry-run', '--json')).stdout) as { actions: unknown }).actions;
    expect(await plan()).toEqual([]);
    await database.admin.query('truncate pgmigrations_app');
    expect(await plan()).toEqual([{ source: 'app', kind: 'restore pgmigrations', names: ['0001_invoices'] }]);
    expect(await aisec('migrate', 'repair', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await column('select name from pgmigrations_app')).toEqual(['0001_invoices']);
    await database.admin.query('drop table aisec_migrations_app');
    expect(await aisec('migrate', 'repair', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await applied()).toEqual(['R__totals']);
    own.remove('R__totals.sql');
    expect(await aisec('migrate', 'check')).toMatchObject({ exitCode: 0 });
    const forget = ['migrate', 'repair', 'app/R__totals', '--reason', 'a report has gone', '--yes'];
    expect(await aisec(...forget)).toMatchObject({ exitCode: 0 });
    expect(await column('select name from aisec_migrations_app')).toEqual(['0001_invoices']);
    expect(await column('select total from totals')).toEqual([1]);
  });

  test('hooks run before the first and after the last migration; the one after also when nothing was pending', async () => {
    await database.admin.query('create table told (at text)');
    own.write({
      'before_up.sql': `insert into told values ('before');\n`,
      'after_up.sql': `insert into told values ('after');\n`,
    });
    expect(await aisec('migrate', 'up', '--dry-run')).toMatchObject({ exitCode: 0 });
    expect(await column('select at from told')).toEqual([]);
    await applied();
    expect(await column('select at from told')).toEqual(['before', 'after']);
    await applied();
    expect(await column('select at from told')).toEqual(['before', 'after', 'after']);
    expect((await aisec('migrate', 'up', '--sql')).stdout).toMatch(
      /'before'[\s\S]*create table invoices[\s\S]*'after'/,
    );
  });

  test('a hook that fails stops up before the first migration, with its place', async () => {
    own.write({ 'before_up.sql': 'select 1;\nselect 1 / 0;\n' });
    const failed = await aisec('migrate', 'up');
    expect(failed).toMatchObject({ exitCode: 1 });
    expect(failed.stderr).toMatch(/before_up\.sql:2/);
    expect((await aisec('migrate', 'status')).stdout).toMatch(/0001_users\tpending/);
  });

  test.each([
    ['r__totals.sql', 'select 1;', 'a migration is named'],
    ['R__totals.sql', 'commit;', 'transaction control does not belong'],
    ['after_up.sql', '', 'the file is empty'],
    ['R__totals.sql', '-- aisec: no-transaction\nselect 1;', 'run in a transaction'],
    ['R__totals.sql', '-- Down Migration\nselect 1;', 'the Down marker stands before the Up marker'],
  ])('%s with %j is refused before anything runs', async (name, text, message) => {
    own.write({ [name]: text });
    const refused = await aisec('migrate', 'up');
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain(message);
  });

  test('the script that psql runs has them, and down --sql reverts what up --sql made', async () => {
    own.write({ 'R__totals.sql': migration(VIEW, 'drop view totals;') });
    const up = await aisec('migrate', 'up', '--sql');
    await runPsql(database.url, up.stdout);
    expect(await aisec('migrate', 'check')).toMatchObject({ exitCode: 0 });
    const one = await aisec('migrate', 'down', '--sql');
    expect(one.stdout).toContain('drop table invoices');
    expect(one.stdout).not.toContain('drop table users');
    await runPsql(database.url, (await aisec('migrate', 'down', '--all', '--sql')).stdout);
    expect(await column(`select relname from pg_class where relnamespace = 'public'::regnamespace`)).toEqual([]);
    await expect(runPsql(database.url, one.stdout)).rejects.toThrow('this script starts from version');
  });
});
