import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

describeOnServer('migrate down and redo', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({
      '0001_one.sql': migration('create table one (id int);', 'drop table one;'),
      '0002_two.sql': migration('create table two (id int);', 'drop table two;'),
      '0003_three.sql': migration('create table three (id int);', 'drop table three;'),
    });
    await aisec('migrate', 'up');
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${folder.dir}`], { env: { DATABASE_URL: database.url } });
  const inProduction = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${folder.dir}`], {
      env: { DATABASE_URL: database.url, AISEC_ENV: 'production' },
    });
  const relations = async (): Promise<string> => {
    const { rows } = await database.admin.query(
      `select coalesce(string_agg(relname, ' ' order by relname), '') as names from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'S')`,
    );
    return (rows[0] as { names: string }).names;
  };

  test('down reverts exactly the newest migration, after naming it', async () => {
    const result = await aisec('migrate', 'down');
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('Reverts 0003_three.');
    expect(await relations()).toBe('aisec_migrations one pgmigrations pgmigrations_id_seq two');
  });

  test('more than one needs --yes without a terminal: exit 6, nothing changed', async () => {
    const result = await aisec('migrate', 'down', '--to', '0001_one');
    expect(result.exitCode).toBe(6);
    expect(result.stderr).toContain('--yes');
    expect(await relations()).toContain('three');
    expect((await aisec('migrate', 'down', '--to', '0001_one', '--yes')).exitCode).toBe(0);
    expect(await relations()).toBe('aisec_migrations one pgmigrations pgmigrations_id_seq');
  });

  test('all the way down leaves nothing behind, not even the history', async () => {
    const result = await aisec('migrate', 'down', '--all', '--yes');
    expect(result.exitCode).toBe(0);
    expect(await relations()).toBe('');
    expect((await aisec('migrate', 'down')).stderr).toContain('nothing to revert');
    expect((await aisec('migrate', 'up')).exitCode).toBe(0);
  });

  test.each([
    ['a number', ['migrate', 'down', '0']],
    ['an unknown name', ['migrate', 'down', '--to', 'nothing', '--yes']],
    ['an unknown flag', ['migrate', 'down', '--steps', '2']],
    ['--to and --all', ['migrate', 'down', '--to', '0001_one', '--all', '--yes']],
  ])('%s is wrong usage: exit 2, nothing changed', async (_title, args) => {
    expect((await aisec(...args)).exitCode).toBe(2);
    expect(await relations()).toContain('three');
  });

  test('in production even one needs the name of the database', async () => {
    expect((await inProduction('migrate', 'down', '--yes')).exitCode).toBe(6);
    expect((await inProduction('migrate', 'down', '--confirm', 'another')).exitCode).toBe(6);
    expect(await relations()).toContain('three');
    expect((await inProduction('migrate', 'down', '--confirm', database.name)).exitCode).toBe(0);
    expect(await relations()).not.toContain('three');
  });

  test('an irreversible migration is refused with its reason before anything is changed', async () => {
    folder.write({
      '0004_logs.sql': '-- aisec: irreversible "the logs are gone"\n-- Up Migration\ncreate table logs (id int);\n',
    });
    await aisec('migrate', 'up');
    const result = await aisec('migrate', 'down', '--to', '0002_two', '--yes');
    expect(result.exitCode).toBe(6);
    expect(result.stderr).toContain('It says: the logs are gone.');
    expect(await relations()).toContain('three');
  });

  test('a Down that fails is rolled back and placed in the file', async () => {
    folder.write({ '0004_bad.sql': migration('create table bad (id int);', 'drop table bad;\ndrop table nothing;') });
    await aisec('migrate', 'up');
    const result = await aisec('migrate', 'down');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/0004_bad\.sql:5/);
    expect(await relations()).toContain('bad');
  });

  test('redo reverts and applies exactly the newest one; pending files stay pending', async () => {
    await database.admin.query('insert into three values (1)');
    folder.write({ '0004_four.sql': migration('create table four (id int);', 'drop table four;') });
    const result = await aisec('migrate', 'redo', '--yes', '--json');
    expect(JSON.parse(result.stdout)).toMatchObject({ redone: [{ name: '0003_three' }] });
    expect((await database.admin.query('select * from three')).rows).toEqual([]);
    expect(await relations()).not.toContain('four');
  });

  test('redo --dry-run runs Down and Up and rolls back, and fails where the real run would', async () => {
    const dry = await aisec('migrate', 'redo', '--dry-run', '--json');
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(dry.stdout)).toMatchObject({ isDryRun: true, wouldRedo: ['0003_three'], untried: null });
    const { rows } = await database.admin.query("select 'three'::regclass::oid as oid");
    await aisec('migrate', 'redo', '--dry-run');
    expect((await database.admin.query("select 'three'::regclass::oid as oid")).rows).toEqual(rows);
    await database.admin.query('create view leaning as select from three');
    const refused = await aisec('migrate', 'redo', '--dry-run');
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain('leaning');
    expect(await relations()).toContain('three');
  });

  test('check names each migration that is not applied, with the command that applies it', async () => {
    await aisec('migrate', 'down');
    const check = await aisec('migrate', 'check', '--json');
    expect(check).toMatchObject({ exitCode: 3 });
    expect(JSON.parse(check.stdout)).toMatchObject({
      isCurrent: false,
      findings: [{ id: 'migration-pending:0003_three', severity: 'warning', fix: 'aisec migrate up' }],
    });
    await database.admin.query(
      'create table t (id int); create index broken on t (id); ' +
        "update pg_index set indisvalid = false where indexrelid = 'broken'::regclass",
    );
    await aisec('migrate', 'up');
    const { findings } = JSON.parse((await aisec('migrate', 'check', '--json')).stdout) as {
      findings: readonly { readonly fix: string }[];
    };
    expect(findings).toHaveLength(1);
    await database.admin.query(findings[0]!.fix);
    expect(await aisec('migrate', 'check')).toMatchObject({ exitCode: 0, stdout: '' });
  });
});
