import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';

/** Every privilege on the schema, and on what is in it, that belongs to another role than the owner. */
const privileges = `
  with target as (
    select to_regnamespace('platform')::oid as oid
  ),
  acl as (
    select 'schema' as object, n.nspowner as owner, n.nspacl as items
    from pg_namespace n
    join target on target.oid = n.oid
    union all
    select relname, c.relowner, c.relacl
    from pg_class c
    join target on target.oid = c.relnamespace
    union all
    select c.relname || '.' || a.attname, c.relowner, a.attacl
    from pg_class c
    join target on target.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid
    union all
    select f.oid::regprocedure::text, f.proowner, coalesce(f.proacl, acldefault('f', f.proowner))
    from pg_proc f
    join target on target.oid = f.pronamespace
  )
  select object, case p.grantee when 0 then 'PUBLIC' else p.grantee::regrole::text end as grantee, p.privilege_type
  from acl
  cross join aclexplode(acl.items) p
  where p.grantee <> acl.owner
  order by 1, 2, 3`;

const objects = `
  select count(*)::int as relations, count(*) filter (where relkind = 'S')::int as sequences
  from pg_class
  where relnamespace = 'platform'::regnamespace
    and relkind in ('r', 'p', 'v', 'S')`;

interface Privilege {
  readonly object: string;
  readonly grantee: string;
  readonly privilege_type: string;
}

describeOnServer('Privileges on what aisec creates', () => {
  const hosted = `aisec_test_hosted_${randomBytes(4).toString('hex')}`;
  let plain: ServerDatabase;
  let open: ServerDatabase;

  async function install(database: ServerDatabase): Promise<readonly Privilege[]> {
    const run = await runInProcess(['migrate', 'up', '--schema', 'platform'], { env: { DATABASE_URL: database.url } });
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toMatchObject({ exitCode: 0 });
    await database.admin.query(`select platform.aisec_make_message_partitions(array['2024-01-01'::date])`);
    await database.admin.query(`select platform.aisec_archive_month('2024-01-01')`);
    return (await database.admin.query(privileges)).rows as Privilege[];
  }

  beforeAll(async () => {
    plain = await createServerDatabase();
    open = await createServerDatabase();
    // As hosted databases do it, for all roles at once, and for the role of the policies.
    await open.admin.query(`create role ${hosted}`);
    for (const grantees of [`${hosted} with grant option`, 'authenticated, public'])
      for (const kind of ['tables', 'sequences', 'functions', 'schemas'])
        await open.admin.query(`alter default privileges grant all on ${kind} to ${grantees}`);
  });

  afterAll(async () => {
    await open.admin.query(`drop owned by ${hosted}`);
    await open.admin.query(`drop role ${hosted}`);
  });

  test('are the same where default privileges grant everything to every role, partitions and history included', async () => {
    const expected = await install(plain);
    expect(await install(open)).toEqual(expected);
    const { rows } = await open.admin.query(objects);
    expect(rows).toEqual((await plain.admin.query(objects)).rows);
    expect((rows as { relations: number; sequences: number }[])[0]?.relations).toBeGreaterThan(25);
    expect((rows as { relations: number; sequences: number }[])[0]?.sequences).toBeGreaterThan(0);

    expect([...new Set(expected.map(({ grantee }) => grantee))]).toEqual(['authenticated', 'PUBLIC']);
    const types = new Set(expected.map(({ privilege_type }) => privilege_type));
    expect([...types].toSorted()).toEqual(['DELETE', 'EXECUTE', 'INSERT', 'SELECT', 'UPDATE', 'USAGE']);
  });

  test('that the owner has granted stay when migrations run again', async () => {
    const grant = `grant select on platform.pgmigrations, platform.aisec_migrations to ${hosted}`;
    await open.admin.query(grant);
    for (const command of [['down', '--yes'], ['up']]) {
      const run = await runInProcess(['migrate', ...command, '--schema', 'platform'], {
        env: { DATABASE_URL: open.url },
      });
      expect({ exitCode: run.exitCode, stderr: run.stderr }).toMatchObject({ exitCode: 0 });
    }
    const { rows } = await open.admin.query(privileges);
    expect((rows as Privilege[]).filter(({ grantee }) => grantee === hosted)).toEqual([
      { object: 'aisec_migrations', grantee: hosted, privilege_type: 'SELECT' },
      { object: 'pgmigrations', grantee: hosted, privilege_type: 'SELECT' },
    ]);
  });

  test('to create temporary tables are the owner’s, not PUBLIC’s', async () => {
    const temporary = `
      select has_database_privilege('authenticated', current_database(), 'temporary') as authenticated,
             has_database_privilege(current_user, current_database(), 'temporary') as owner`;
    expect((await plain.admin.query(temporary)).rows).toEqual([{ authenticated: false, owner: true }]);
  });
});
