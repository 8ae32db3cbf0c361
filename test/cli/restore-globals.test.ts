import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { expect, test } from 'vitest';

import { databaseAddress } from '../support/database-address.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { describeOnPrivateServer, startPrivateServer } from '../support/private-server.js';
import { runInProcess } from '../support/run-in-process.js';

/** The services let it in with its password only. */
const LOGIN = 'aisec_test_password';

async function queryAt(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describeOnPrivateServer('restore --globals on a server that lost everything', () => {
  test('brings roles back with passwords, limits, memberships and settings, from an encrypted backup', async () => {
    const server = await startPrivateServer({ fsync: 'off' });
    const url = await server.createDatabase('app');
    const roles = `
      select rolname, rolcanlogin, rolconnlimit, rolvaliduntil, rolpassword, setconfig, inherit_option
      from pg_authid
      left join pg_db_role_setting on setrole = pg_authid.oid
      left join pg_auth_members on member = pg_authid.oid
      where rolname in ('${LOGIN}', 'readers')
      order by rolname`;
    await queryAt(
      url,
      `create role readers;
       create role ${LOGIN} login password 'only-for-tests' connection limit 7 valid until '2099-01-01';
       grant readers to ${LOGIN} with inherit false;
       alter role ${LOGIN} in database app set work_mem = '8MB';
       create table notes as select 'kept' as note;
       alter table notes owner to ${LOGIN};
       grant select on notes to readers`,
    );
    const before = await queryAt(url, roles);
    const directory = await createEmbeddedDirectory();
    const key = path.join(directory, 'key.txt');
    execFileSync('age-keygen', ['-o', key], { stdio: 'ignore' });
    const recipient = execFileSync('age-keygen', ['-y', key], { encoding: 'utf8' }).trim();
    const args = ['--dir', directory, '--encrypt-to', recipient, '--role-passwords', '--json'];
    const made = await runInProcess(['backup', ...args], { env: { DATABASE_URL: url } });
    expect(made).toMatchObject({ exitCode: 0 });

    await queryAt(server.url, 'drop database app');
    await queryAt(server.url, `drop role ${LOGIN}, readers`);
    const { file } = JSON.parse(made.stdout) as { readonly file: string };
    const restore = ['restore', file, '--create', 'app', '--identity', key];
    const env = { DATABASE_URL: server.url };
    const rolesFile = file.replace(/dump\.age$/, 'globals.sql.age');
    renameSync(rolesFile, `${rolesFile}.away`);
    // Not beside the decrypted copy, which is gone when this is read.
    expectError(
      await runInProcess([...restore, '--globals'], { env }),
      2,
      `there is no globals file beside ${file}`,
      '--create-roles',
    );
    renameSync(`${rolesFile}.away`, rolesFile);
    const table = ['restore', file, '--table', 'none', '--identity', key];
    expectError(await runInProcess(table, { env }), 2, 'the backup has no table', 'Its tables are public.notes.');
    expectError(await runInProcess(restore, { env }), 3, 'cannot restore to "app": 2 findings', '--globals');
    const dry = await runInProcess([...restore, '--globals', '--dry-run'], { env });
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(dry.stdout).toContain(`create the roles "${LOGIN}", "readers"`);
    const run = await runInProcess([...restore, '--globals'], { env });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(dry.stdout + run.stdout + run.stderr).not.toContain('SCRAM');
    expect(await queryAt(url, roles)).toEqual(before);

    const login = new URL(databaseAddress(server.url, 'app'));
    Object.assign(login, { username: LOGIN, password: 'only-for-tests' });
    expect(await queryAt(login.href, 'select note, current_setting($$work_mem$$) as memory from notes')).toEqual([
      { note: 'kept', memory: '8MB' },
    ]);
    login.password = 'wrong';
    await expect(queryAt(login.href, 'select')).rejects.toMatchObject({ code: '28P01' });
  });
});
