import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { runPsql } from '../../support/run-psql.js';

const TOTALS = 'create or replace view totals as select 1 as total, 2 as other;\n';
const NARROWER = 'create or replace view totals as select 5 as total;\n';
const REPORT = 'create or replace view report as select total from totals;\n';
const TOP = 'create or replace view top as select total * 10 as points from report;\n';
const BEST = `create or replace function best(lowest int default 0) returns setof report language sql begin atomic select * from report where total > lowest; end;\n`;

describeOnServer('a repeatable migration that others depend on', () => {
  let database: ServerDatabase;
  let bundled: MigrationsFolder;
  let own: MigrationsFolder;

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${bundled.dir}`, '--migrations-dir', own.dir], {
      env: { DATABASE_URL: database.url },
    });
  const one = async (sql: string): Promise<unknown> =>
    Object.values((await database.admin.query(sql)).rows[0] ?? {})[0];
  const properties = async (): Promise<unknown> =>
    (
      await database.admin.query(`
        select relname as name, relowner::regrole::text as owner, coalesce(relacl, acldefault('r', relowner))::text as acl,
          obj_description(oid, 'pg_class') as comment,
          (select string_agg(attname || coalesce(attacl::text, '') || coalesce(col_description(attrelid, attnum), ''), ',' order by attname)
           from pg_attribute where attrelid = class.oid and attname <> 'other') as columns
        from pg_class class where relnamespace = 'public'::regnamespace and relkind = 'v'
        union all
        select proname, proowner::regrole::text, coalesce(proacl, acldefault('f', proowner))::text, obj_description(oid, 'pg_proc'), ''
        from pg_proc where pronamespace = 'public'::regnamespace
        order by 1`)
    ).rows;

  beforeEach(async () => {
    database = await createServerDatabase();
    bundled = migrationsFolder({ '0001_users.sql': migration('create table users (id int);', 'drop table users;') });
    own = migrationsFolder({ 'R__m_totals.sql': TOTALS, 'R__n_report.sql': REPORT, 'R__o_best.sql': BEST });
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
    // By its name it comes before what it depends on.
    own.write({ 'R__a_top.sql': TOP });
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
  });

  test('is not replaced by a script, which stops there and says what does it', async () => {
    own.write({ 'R__m_totals.sql': NARROWER });
    const { stdout } = await aisec('migrate', 'up', '--sql', '--from', '0001_users');
    const failure = await runPsql(database.url, stdout).catch((error: unknown) => String(error));
    expect(failure).toContain('R__m_totals.sql: cannot drop columns from view');
    expect(failure).toContain('What depends on it has to be made again with it, which a script cannot do.');
    expect(failure).toContain('Run "aisec migrate up" on this database');
    expect(await one('select other from totals')).toBe(2);
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
    expect(await one('select total from report')).toBe(5);
  });

  test('is replaced with them in the order of what depends on what, and owners, privileges and comments stay', async () => {
    await database.admin.query(`
      alter view report owner to pg_monitor;
      grant select (total) on report to pg_read_all_data;
      grant select on top to pg_monitor with grant option;
      grant select on totals to pg_monitor;
      revoke execute on function best(int) from public;
      grant execute on function best(int) to pg_monitor;
      comment on view top is 'the ''best''';
      comment on column report.total is 'in cents';
      comment on function best(int) is 'at least';
      alter default privileges in schema public grant all on tables to pg_write_all_data`);
    const before = await properties();
    own.write({ 'R__m_totals.sql': NARROWER });
    expect(await aisec('migrate', 'up', '--dry-run')).toMatchObject({ exitCode: 0 });
    expect(await one('select points from top')).toBe(10);
    const run = await aisec('migrate', 'up', '--json');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ applied: [{ name: 'R__m_totals' }] });
    expect(await properties()).toEqual(before);
    expect(await one('select points from top')).toBe(50);
    expect(await one('select total from best(4)')).toBe(5);
    expect(JSON.parse((await aisec('migrate', 'up', '--json')).stdout)).toMatchObject({ applied: [] });
  });

  test('of which no repeatable file makes one fails as it is, with the line, and nothing is changed', async () => {
    await database.admin.query('create view by_hand as select * from report');
    own.write({ 'R__m_totals.sql': `select 1;\n${NARROWER}` });
    const run = await aisec('migrate', 'up');
    expect(run).toMatchObject({ exitCode: 1 });
    expect(run.stderr).toContain('migration app/R__m_totals: cannot drop columns from view');
    expect(run.stderr).toMatch(/R__m_totals\.sql:2/);
    expect(await one('select points from top')).toBe(10);
    expect(await one('select count(*)::int from by_hand')).toBe(1);
  });

  test('that would lose a trigger of a view is refused, and nothing is changed', async () => {
    await database.admin.query(`
      create function nothing() returns trigger language plpgsql as 'begin return null; end';
      create trigger on_top instead of insert on top for each row execute function nothing()`);
    own.write({ 'R__m_totals.sql': NARROWER });
    const run = await aisec('migrate', 'up');
    expect(run).toMatchObject({ exitCode: 1 });
    expect(run.stderr).toContain('migration app/R__m_totals would lose trigger on_top on view top');
    expect(await one('select points from top')).toBe(10);
    expect(await one(`select count(*)::int from pg_trigger where tgname = 'on_top'`)).toBe(1);
  });

  test('that would lose another function of its name is refused', async () => {
    await database.admin.query(`create function best(text) returns int language sql as 'select 1'`);
    own.write({ 'R__o_best.sql': BEST.replace('setof report', 'bigint').replace('select *', 'select count(*)') });
    const run = await aisec('migrate', 'up');
    expect(run).toMatchObject({ exitCode: 1 });
    expect(run.stderr).toContain('would lose function best(text)');
    expect(await one(`select best('x')`)).toBe(1);
  });

  test('a function that returns something else is replaced', async () => {
    own.write({
      'R__o_best.sql': BEST.replace('setof report', 'bigint').replace('select *', 'select count(*)'),
    });
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
    expect(await one('select best(0)::int')).toBe(1);
  });
});
