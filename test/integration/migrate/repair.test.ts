import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

describeOnServer('migrate repair', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({
      '0001_one.sql': migration('create table one (id int);', 'drop table wrong;'),
      '0002_two.sql': migration('create table two (id int);', 'drop table two;'),
    });
    expect((await aisec('up')).exitCode).toBe(0);
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['migrate', ...args, '--migrations-dir', `aisec=${folder.dir}`], {
      env: { DATABASE_URL: database.url },
    });
  const states = async (): Promise<readonly string[]> => {
    const { stdout } = await aisec('status', '--json');
    const { migrations } = JSON.parse(stdout) as { migrations: readonly { name: string; state: string }[] };
    return migrations.map(({ name, state }) => `${name} ${state}`);
  };
  const repairs = async (): Promise<readonly unknown[]> => {
    const { rows } = await database.admin.query(
      'select action, migration, reason, repaired_by from aisec_migration_repairs order by repaired_at, migration',
    );
    return rows as readonly unknown[];
  };

  test('a history that agrees needs none', async () => {
    const run = await aisec('repair', '--json');
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ actions: [] });
  });

  test('an edited file is accepted with a reason, which is recorded with who, and down works again', async () => {
    folder.write({ '0001_one.sql': migration('create table one (id int);', 'drop table one;') });
    expect(await states()).toEqual(['0001_one edited', '0002_two applied']);
    expect((await aisec('down')).stderr).toContain('aisec migrate repair NAME --reason TEXT');
    expect(await aisec('repair', '0001_one')).toMatchObject({ exitCode: 2 });
    expect(await aisec('repair', '0001_one', '--reason', 'the Down was wrong')).toMatchObject({ exitCode: 6 });
    const dry = await aisec('repair', '0001_one', '--dry-run', '--json');
    expect(JSON.parse(dry.stdout)).toMatchObject({ actions: [{ kind: 'accept edit', name: '0001_one' }] });
    expect(await states()).toEqual(['0001_one edited', '0002_two applied']);
    expect(await aisec('repair', '0001_one', '--reason', 'the Down was wrong', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await states()).toEqual(['0001_one applied', '0002_two applied']);
    expect(await repairs()).toEqual([
      { action: 'accept edit', migration: '0001_one', reason: 'the Down was wrong', repaired_by: 'postgres' },
    ]);
    expect(await aisec('down', '--all', '--yes')).toMatchObject({ exitCode: 0 });
    const { rows } = await database.admin.query(
      "select relname from pg_class where relnamespace = 'public'::regnamespace",
    );
    expect(rows).toEqual([]);
  });

  test.each([
    ['emptied', 'truncate pgmigrations'],
    ['dropped', 'drop table pgmigrations'],
  ])('pgmigrations that was %s is restored from aisec_migrations', async (_title, damage) => {
    await database.admin.query(damage);
    expect(await states()).toEqual(['0001_one unpaired', '0002_two unpaired']);
    expect(await aisec('repair', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await states()).toEqual(['0001_one applied', '0002_two applied']);
    const { rows } = await database.admin.query('select name from pgmigrations order by id');
    expect(rows).toEqual([{ name: '0001_one' }, { name: '0002_two' }]);
  });

  test.each([
    ['emptied', 'truncate aisec_migrations'],
    ['dropped', 'drop table aisec_migrations'],
  ])('aisec_migrations that was %s is restored from the files', async (_title, damage) => {
    await database.admin.query(damage);
    const run = await aisec('repair', '--yes');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain('Next: aisec migrate drift');
    expect(await states()).toEqual(['0001_one applied', '0002_two applied']);
    expect((await aisec('verify', '--json')).stdout).toContain('"verified": 2');
  });

  test('rows of another program move to a table of their own, in their order', async () => {
    await database.admin.query(
      "insert into pgmigrations (name, run_on) values ('1700000000000_init', now()), ('1600000000000_older', now())",
    );
    expect(await states()).toContain('1700000000000_init foreign');
    const run = await aisec('repair', '--yes');
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('--migrations-table pgmigrations_of_other');
    expect(await states()).toEqual(['0001_one applied', '0002_two applied']);
    const { rows } = await database.admin.query('select name from pgmigrations_of_other order by id');
    expect(rows).toEqual([{ name: '1700000000000_init' }, { name: '1600000000000_older' }]);
  });

  test('a renamed file is recorded under its new name, a removed one is forgotten, and what they made stays', async () => {
    folder.remove('0001_one.sql');
    folder.write({ '0001_first.sql': migration('create table one (id int);', 'drop table wrong;') });
    expect(await aisec('repair', '0001_one', '--reason', 'clearer', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await states()).toEqual(['0001_first applied', '0002_two applied']);
    folder.remove('0002_two.sql');
    expect(await aisec('repair', '0002_two', '--reason', 'merged', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await states()).toEqual(['0001_first applied']);
    expect((await database.admin.query('select from two')).rowCount).toBe(0);
  });

  test('where both tables are lost it names baseline; an unknown name is wrong usage', async () => {
    expect(await aisec('repair', '0009_none', '--reason', 'x', '--yes')).toMatchObject({ exitCode: 2 });
    await database.admin.query('drop table pgmigrations, aisec_migrations');
    const run = await aisec('repair', '--yes');
    expect(run.exitCode).toBe(3);
    expect(run.stderr).toContain('aisec migrate baseline');
  });
});
