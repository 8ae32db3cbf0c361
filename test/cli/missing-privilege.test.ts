import { afterAll, beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

describeOnServer('a role that lacks a privilege', () => {
  let database: ServerDatabase;
  let [owner, role] = ['', ''];

  beforeAll(async () => {
    database = await createServerDatabase();
    [owner, role] = [`${database.name}_owner`, `${database.name}_other`];
    await database.admin.query(
      `create extension vector; create extension pgcrypto;
       create role ${owner} login password 'x' createrole; create role ${role} login password 'x';
       grant create on database "${database.name}" to ${owner}; grant all on schema public to ${owner}`,
    );
    expect(await as(owner, 'migrate', 'up')).toMatchObject({ exitCode: 0 });
    await database.admin.query(`revoke temporary on database "${database.name}" from public`);
  });

  afterAll(async () => {
    await database.admin.query(`drop owned by ${owner}, ${role} cascade; drop role ${owner}, ${role}`);
  });

  const as = (name: string, ...args: readonly string[]): Promise<CliResult> => {
    const url = Object.assign(new URL(database.url), { username: name, password: 'x' }).toString();
    return runInProcess(args, { env: { DATABASE_URL: url } });
  };

  /** What the hint has an owner run, one after the other, until the command ends well. */
  async function grantsUntilDone(...args: readonly string[]): Promise<readonly string[]> {
    const grants: string[] = [];
    for (;;) {
      const result = await as(role, ...args);
      if (result.exitCode === 0) return grants;
      const [, grant = ''] = /^hint: .*let it run: (grant .*;)$/m.exec(result.stderr) ?? [];
      expect({ grants, stderr: result.stderr, isNew: !grants.includes(grant) && grant !== '' }).toMatchObject({
        isNew: true,
      });
      grants.push(grant);
      await database.admin.query(grant);
    }
  }

  test('migrate status ends well when what its hints name was granted', async () => {
    expect(await grantsUntilDone('migrate', 'status')).toEqual([
      `grant select on table public.aisec_migrations to ${role};`,
      `grant select on table public.pgmigrations to ${role};`,
    ]);
  });

  test('a seed names what else than SELECT the role lacks', async () => {
    await database.admin.query(`grant select on all tables in schema public to ${role}`);
    const { exitCode, stderr } = await as(role, 'seed');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
    expect(stderr).toContain(
      `Run it as the owner, role ${owner}; or let it run: grant insert, update, delete on table public.system_settings to ${role};`,
    );
  });

  test('migrate down names the owner, and --role works where the hint says so', async () => {
    const refused = await as(role, 'migrate', 'down', '--yes');
    expect(refused).toMatchObject({ exitCode: 1 });
    const [, grant = ''] = /administrator run: (grant .*;)$/m.exec(refused.stderr) ?? [];
    expect(grant).toBe(`grant ${owner} to ${role} with inherit true, set true;`);
    await database.admin.query(`grant ${owner} to ${role} with inherit false, set true`);
    const again = await as(role, 'migrate', 'down', '--yes');
    expect(again).toMatchObject({ exitCode: 1 });
    expect(again.stderr).toContain(`Run it as the owner, role ${owner}: add --role ${owner}`);
    expect(await as(role, 'migrate', 'down', '--yes', '--role', owner)).toMatchObject({ exitCode: 0 });
    await database.admin.query(`revoke ${owner} from ${role}`);
    expect(await as(owner, 'migrate', 'up')).toMatchObject({ exitCode: 0 });
  });

  test('months that the role may not make name the owner, and several owners where there are some', async () => {
    const single = await as(role, 'partitions', 'ensure', '--ahead', '9');
    expect(single).toMatchObject({ exitCode: 1 });
    expect(single.stderr).toContain(`hint: Run it as the owner, role ${owner}`);
    await database.admin.query(`create table beside (); alter table beside owner to ${role}`);
    const mixed = await as(role, 'partitions', 'ensure', '--ahead', '9');
    expect(mixed.stderr).toContain('The tables have several owners: aisec doctor --only mixed-owners');
  });
});
