import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

const EXTENSIONS = migration(
  'create extension if not exists vector;\ncreate extension if not exists pgcrypto;\ncreate table one (v vector);',
  'drop table one;',
);

describeOnServer('what migrate up looks at before the first change', () => {
  let database: ServerDatabase;
  let dir: string;

  beforeEach(async () => {
    database = await createServerDatabase();
    ({ dir } = migrationsFolder({ '0001_one.sql': EXTENSIONS }));
  });

  const up = (
    args: readonly string[] = [],
    { env = {}, user }: { readonly env?: Readonly<Record<string, string>>; readonly user?: string } = {},
  ): Promise<CliResult> => {
    const url = new URL(database.url);
    if (user !== undefined) Object.assign(url, { username: user, password: 'x' });
    return runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${dir}`, ...args], {
      env: { DATABASE_URL: url.toString(), ...env },
    });
  };
  const tables = async (): Promise<unknown> =>
    (await database.admin.query(`select count(*)::int as count from pg_tables where schemaname = 'public'`)).rows[0];

  async function withRoles(names: readonly string[], use: (...roles: string[]) => Promise<void>): Promise<void> {
    const roles = names.map((name) => `${database.name}_${name}`);
    for (const role of roles) {
      await database.admin.query(`create role ${role} login password 'x'`);
      await database.admin.query(`grant create, usage on schema public to ${role}`);
    }
    try {
      await use(...roles);
    } finally {
      for (const role of roles) await database.admin.query(`drop owned by ${role} cascade; drop role ${role}`);
    }
  }

  test('a setting of Citus means nothing where there is no Citus', async () => {
    const name = `"${database.name}"`;
    // A setting of an extension that is not there is kept as it is.
    await database.admin.query(`alter database ${name} set citus.enable_schema_based_sharding = on`);
    expect(await up(['--schema', 'tenant_a'])).toMatchObject({ exitCode: 0 });
    await database.admin.query(`alter database ${name} reset all`);
  });

  test('no USAGE on the schema of an extension is said with its GRANT, and nothing is changed', async () => {
    await database.admin.query('create schema extensions; create extension vector schema extensions');
    await database.admin.query('create extension pgcrypto schema extensions');
    await withRoles(['r3'], async (role = '') => {
      const refused = await up([], { user: role, env: { AISEC_EXTENSION_SCHEMA: 'extensions' } });
      expect(refused).toMatchObject({ exitCode: 1 });
      expect(refused.stderr).toContain('this role may not use the schema "extensions"');
      expect(refused.stderr).toContain(`grant usage on schema "extensions" to "${role}";`);
      expect(await tables()).toEqual({ count: 0 });
      await database.admin.query(`grant usage on schema extensions to ${role}`);
      expect(await up([], { user: role, env: { AISEC_EXTENSION_SCHEMA: 'extensions' } })).toMatchObject({
        exitCode: 0,
      });
    });
  });

  test('extensions in two schemas are said once, with the statement that brings them together', async () => {
    await database.admin.query('create schema extensions; create extension vector schema extensions');
    await database.admin.query('create extension pgcrypto');
    const args = ['--schema', 'app'];
    const refused = await up(args, { env: { AISEC_EXTENSION_SCHEMA: 'extensions' } });
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toMatch(/the extensions "\w+" and "\w+" are in different schemas/);
    await database.admin.query(/hint: .*run: (alter .*;)/.exec(refused.stderr)?.[1] ?? 'no hint');
    const schema = /set schema "(\w+)"/.exec(refused.stderr)?.[1] ?? '';
    expect(await up(args, { env: { AISEC_EXTENSION_SCHEMA: schema } })).toMatchObject({ exitCode: 0 });
  });

  test('another role than the owner of the tables is warned of, and --role makes everything the owner’s', async () => {
    await database.admin.query('create extension vector; create extension pgcrypto');
    await withRoles(['r1', 'r2'], async (owner = '', other = '') => {
      await database.admin.query(`grant ${owner} to ${other}`);
      expect((await up([], { user: owner })).stderr).not.toContain('warning');
      ({ dir } = migrationsFolder({ '0001_one.sql': EXTENSIONS, '0002_two.sql': migration('create table two ();') }));
      const warned = await up(['--dry-run'], { user: other });
      expect(warned).toMatchObject({ exitCode: 0 });
      expect(warned.stderr).toContain(`the tables belong to the role "${owner}"`);
      expect(warned.stderr).toContain(`--role ${owner}`);
      const worked = await up(['--role', owner], { user: other });
      expect(worked.stderr).not.toContain('belong to the role');
      const { rows } = await database.admin.query(`select tableowner from pg_tables where tablename = 'two'`);
      expect(rows).toEqual([{ tableowner: owner }]);
    });
  });

  test.each(['LATIN1', 'SQL_ASCII'])('a database in %s is refused before anything is changed', async (encoding) => {
    const name = `${database.name}_enc`;
    await database.admin.query(`create database ${name} template template0 encoding '${encoding}' locale 'C'`);
    try {
      const url = Object.assign(new URL(database.url), { pathname: `/${name}` }).toString();
      const refused = await Promise.all([
        up([], { env: { DATABASE_URL: url } }),
        runInProcess(['migrate', 'baseline', '--dry-run'], { env: { DATABASE_URL: url } }),
      ]);
      for (const { exitCode, stderr } of refused)
        expect([exitCode, stderr]).toEqual([
          2,
          expect.stringContaining(`has the encoding ${encoding}, and aisec needs UTF8`),
        ]);
    } finally {
      await database.admin.query(`drop database ${name} with (force)`);
    }
  });
});
