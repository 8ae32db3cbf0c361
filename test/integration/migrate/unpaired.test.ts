import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { runPsql } from '../../support/run-psql.js';

const table = (name: string): string => migration(`create table ${name} (id int primary key);`, `drop table ${name};`);

const ENGINE_LACKS = 'pgmigrations lacks 2 migrations that aisec_migrations records: 0001_one, 0002_two';
const OWN_LACKS = 'aisec_migrations lacks 2 migrations that pgmigrations records: 0001_one, 0002_two';

/** What is done to the two tables, and what is to be said of it. */
const DAMAGES: readonly (readonly [title: string, sql: string, ...messages: readonly string[]])[] = [
  ['pgmigrations was emptied', 'delete from pgmigrations', ENGINE_LACKS],
  ['pgmigrations was dropped', 'drop table pgmigrations', ENGINE_LACKS],
  [
    'pgmigrations lost its first row',
    `delete from pgmigrations where name = '0001_one'`,
    'pgmigrations lacks 1 migration that aisec_migrations records: 0001_one',
  ],
  ['aisec_migrations was emptied', 'truncate aisec_migrations', OWN_LACKS],
  ['aisec_migrations was dropped', 'drop table aisec_migrations', OWN_LACKS],
  [
    'aisec_migrations lost its last row',
    `delete from aisec_migrations where name = '0002_two'`,
    'aisec_migrations lacks 1 migration that pgmigrations records: 0002_two',
  ],
  [
    'each lost another row',
    `delete from pgmigrations where name = '0001_one'; delete from aisec_migrations where name = '0002_two'`,
    'pgmigrations lacks 1 migration that aisec_migrations records: 0001_one',
    'aisec_migrations lacks 1 migration that pgmigrations records: 0002_two',
  ],
];

const WRITING: readonly (readonly string[])[] = [
  ['up'],
  ['up', '--dry-run'],
  ['up', '--allow-late', '--allow-newer'],
  ['down'],
  ['down', '--dry-run'],
  ['down', '--all', '--yes'],
  ['redo'],
  ['redo', '--dry-run'],
  ['baseline'],
  ['adopt', '--yes'],
];

describeOnServer('a history whose two tables disagree', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({ '0001_one.sql': table('one'), '0002_two.sql': table('two') });
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['migrate', ...args, '--migrations-dir', `aisec=${folder.dir}`], {
      env: { DATABASE_URL: database.url },
    });
  const applied = async (): Promise<void> => expect(await aisec('up')).toMatchObject({ exitCode: 0 });
  /** Every table of the schema with the rows of the history. */
  const everything = async (): Promise<unknown> => {
    const { rows } = await database.admin.query(
      `select relname, case when relname like '%migrations%' then query_to_xml(format('select name from %I order by 1', relname), true, true, '')::text end as names
       from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
    );
    return rows;
  };

  test.each(DAMAGES)('%s: every command says so, changes nothing, and repair restores it', async (...row) => {
    const [, damage, ...messages] = row;
    await applied();
    await database.admin.query(damage ?? '');
    const before = await everything();

    const check = await aisec('check', '--json', '--allow-newer');
    expect(check).toMatchObject({ exitCode: 3 });
    const { findings } = JSON.parse(check.stdout) as { findings: readonly { message: string; fix: string }[] };
    expect(findings.map(({ message, fix }) => [message, fix])).toEqual(
      messages.map((message) => [message, 'aisec migrate repair']),
    );
    const status = await aisec('status');
    expect(status.stdout).toMatch(/\tnot in (?:pgmigrations|aisec_migrations)\t/);
    expect(status.stderr).toContain('Next: aisec migrate repair');
    expect(JSON.parse((await aisec('status', '--json')).stdout)).toMatchObject({ isCurrent: false });
    expect(await aisec('verify')).toMatchObject({ exitCode: 3 });
    for (const args of messages.length > 1 ? WRITING : [['up'], ['down', '--dry-run']]) {
      const refused = await aisec(...args);
      expect([args, refused.exitCode, refused.stdout]).toEqual([args, 3, '']);
      for (const message of messages) expect(refused.stderr).toContain(message);
      expect(refused.stderr).toContain('Restore what is lost: aisec migrate repair');
    }
    expect(await everything()).toEqual(before);

    expect(await aisec('repair', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await aisec('check')).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await aisec('verify')).toMatchObject({ exitCode: 0 });
    folder.write({ '0003_three.sql': table('three') });
    await applied();
    // What was restored has its old place: the last applied is reverted first.
    for (const last of ['0003_three', '0002_two', '0001_one']) expect((await aisec('down')).stdout).toContain(last);
  });

  test('a table that was emptied and a file that was edited are said one after the other', async () => {
    await applied();
    folder.write({ '0001_one.sql': migration('create table one (id bigint);') });
    await database.admin.query('delete from pgmigrations');
    expect((await aisec('up')).stderr).toContain(ENGINE_LACKS);
    expect(await aisec('repair', '--yes')).toMatchObject({ exitCode: 0 });
    expect((await aisec('up')).stderr).toContain('0001_one was edited after it was applied');
  });

  test('where both tables were emptied or dropped, up finds what is there and names baseline', async () => {
    await applied();
    for (const damage of ['truncate pgmigrations, aisec_migrations', 'drop table pgmigrations, aisec_migrations']) {
      await database.admin.query(damage);
      const refused = await aisec('up');
      expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
      expect(refused.stderr).toContain('has a table "one" already');
      expect(await aisec('baseline')).toMatchObject({ exitCode: 0 });
      expect(await aisec('check')).toMatchObject({ exitCode: 0 });
    }
  });

  test('a row that is there twice, as after a second restore of the rows, counts once', async () => {
    await applied();
    await database.admin.query('insert into pgmigrations (name, run_on) select name, run_on from pgmigrations');
    expect(await aisec('check')).toMatchObject({ exitCode: 0 });
    expect((await aisec('status')).stdout.match(/0001_one/g)).toHaveLength(1);
    expect(await aisec('down', '--all', '--yes')).toMatchObject({ exitCode: 0 });
  });

  test.each(['create table pgmigrations (version text)', 'create table aisec_migrations (name text, id int)'])(
    'a table of another tool under that name is refused: %s',
    async (sql) => {
      await database.admin.query(sql);
      for (const verb of ['status', 'check', 'up', 'repair']) {
        const refused = await aisec(verb);
        expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
        expect(refused.stderr).toContain('does not hold a history of migrations');
        expect(refused.stderr).toContain('--schema NAME');
      }
      await aisec('up', '--schema', 'platform');
      expect(await aisec('check', '--schema', 'platform')).toMatchObject({ exitCode: 0 });
    },
  );

  test('the script for psql refuses them, too', async () => {
    const { stdout: script } = await aisec('up', '--sql');
    await applied();
    await database.admin.query('delete from pgmigrations');
    await expect(runPsql(database.url, script)).rejects.toThrow(
      /the two tables of the history disagree[^]*HINT: {2}No changes were made. Restore what is lost: aisec migrate repair/,
    );
  });

  test("down does not revert what a team's source may need whose pgmigrations was dropped", async () => {
    const own = migrationsFolder({ '0001_mine.sql': table('mine') });
    expect(await aisec('up', '--migrations-dir', own.dir)).toMatchObject({ exitCode: 0 });
    await database.admin.query(
      'drop table pgmigrations_app; create table aisec_migrations_copy as table aisec_migrations',
    );
    const refused = await aisec('down', '--all', '--yes');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain('the database has migrations of the source "app"');
    expect((await aisec('status', '--migrations-dir', own.dir)).stdout).toContain('not in pgmigrations_app');
  });

  test('a repeatable migration is in one table only, and no fault', async () => {
    folder.write({ 'R__view.sql': 'create or replace view v as select 1 as x;' });
    await applied();
    expect(await aisec('check')).toMatchObject({ exitCode: 0 });
    await database.admin.query('drop table pgmigrations');
    expect((await aisec('status')).stdout).toMatch(/R__view\tapplied/);
  });
});
