import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import { runCli } from '../../support/run-cli.js';

const folder = migrationsFolder({ '0001_one.sql': migration('create table one (id int);', 'drop table one;') });

/** Every privilege of the role, and of PUBLIC, on the schema and on what aisec itself keeps in it. */
const privileges = `
  select objects.name, case p.grantee when 0 then 'PUBLIC' else 'hosted' end as grantee, p.privilege_type
  from (
    select 'schema' as name, nspacl as acl from pg_namespace where nspname = 'platform'
    union all
    select relname, relacl
    from pg_class
    where relnamespace = 'platform'::regnamespace
      and relname in ('pgmigrations', 'pgmigrations_id_seq', 'aisec_migrations')
  ) objects
  cross join aclexplode(objects.acl) p
  where p.grantee = 0 or p.grantee = $1::regrole
  order by 1, 2, 3`;

describeOnServer('Default privileges', () => {
  const hosted = `aisec_test_hosted_${randomBytes(4).toString('hex')}`;
  let database: ServerDatabase;

  const aisec = async (...args: readonly string[]): Promise<void> => {
    const run = await runCli(['migrate', ...args, '--schema', 'platform', '--migrations-dir', folder.dir], {
      env: { DATABASE_URL: database.url },
    });
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toMatchObject({ exitCode: 0 });
  };
  const granted = async (): Promise<readonly unknown[]> => (await database.admin.query(privileges, [hosted])).rows;

  beforeAll(async () => {
    database = await createServerDatabase();
    await database.admin.query(`create role ${hosted}`);
    for (const kind of ['tables', 'sequences', 'schemas'])
      await database.admin.query(`alter default privileges grant all on ${kind} to ${hosted}, public`);
  });

  afterAll(async () => {
    await database.admin.query(`drop owned by ${hosted}`);
    await database.admin.query(`drop role ${hosted}`);
  });

  test('leave nothing on the schema and the history that migrate up creates', async () => {
    await aisec('up');
    expect(await granted()).toEqual([]);
  });

  test('are told from what the owner granted on the history, which stays', async () => {
    await database.admin.query(`grant select on platform.pgmigrations, platform.aisec_migrations to ${hosted}`);
    await aisec('redo', '--yes');
    expect(await granted()).toEqual([
      { name: 'aisec_migrations', grantee: 'hosted', privilege_type: 'SELECT' },
      { name: 'pgmigrations', grantee: 'hosted', privilege_type: 'SELECT' },
    ]);
  });
});
