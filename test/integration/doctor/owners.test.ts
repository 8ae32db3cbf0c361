import { afterEach, beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

interface Document {
  readonly findings: readonly { readonly id: string; readonly message: string; readonly fix: string }[];
}

const FIRST = `create table kept (at date) partition by range (at);
  create table numbered (id int generated always as identity);`;
const SECOND = `create table "kept_2026" partition of kept for values from ('2026-01-01') to ('2027-01-01');
  create table added (id serial primary key);
  create or replace view listed as select id from added;
  create function twice(a int, "Odd" text default 'x') returns int language sql as 'select 2 * a';`;

describeOnServer('objects of migrations that belong to several roles', () => {
  let database: ServerDatabase;
  let roles: readonly [string, string];
  const { dir } = migrationsFolder({
    '0001_first.sql': migration(FIRST),
    '0002_second.sql': migration(SECOND, 'drop view listed; drop table added, kept_2026; drop function twice;'),
  });

  const aisec = (role: string, ...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--role', role, '--migrations-dir', `aisec=${dir}`], {
      env: { DATABASE_URL: database.url },
    });
  const diagnose = async (): Promise<Document> =>
    JSON.parse((await aisec('postgres', 'doctor', '--only', 'mixed-owners', '--json')).stdout) as Document;

  beforeEach(async () => {
    database = await createServerDatabase();
    roles = [`${database.name}_one`, `${database.name} "two"`];
    const [one, two] = roles.map((role) => `"${role.replaceAll('"', '""')}"`);
    await database.admin.query(`create role ${one}; create role ${two} in role ${one}`);
    await database.admin.query(`grant create, usage on schema public to ${one}, ${two}`);
  });

  afterEach(async () => {
    const all = roles.map((role) => `"${role.replaceAll('"', '""')}"`).join(', ');
    await database.admin.query(`drop owned by ${all} cascade; drop role ${all}`);
  });

  test('are a finding with the statements that give them to the role that migrates; after those there is none', async () => {
    const [one, two] = roles;
    expect(await aisec(one, 'migrate', 'up', '--to', '0001_first')).toMatchObject({ exitCode: 0 });
    expect((await diagnose()).findings.filter(({ id }) => id.startsWith('mixed-owners'))).toEqual([]);
    const second = await aisec(two, 'migrate', 'up');
    expect(second).toMatchObject({ exitCode: 0 });
    expect(second.stderr).toContain(`work as the owner: --role ${one}`);
    await database.admin.query('create table of_another (id int)');
    const { findings } = await diagnose();
    const quoted = `"${two.replaceAll('"', '""')}"`;
    const [finding] = findings.filter(({ id }) => id.startsWith('mixed-owners'));
    expect(finding?.id).toBe(`mixed-owners:${quoted}`);
    expect(finding?.message).toContain(`4 objects of the migrations belong to ${quoted}, and the history to ${one}`);
    expect(finding?.fix.split('\n')).toEqual([
      `alter function public.twice(a integer, "Odd" text) owner to ${one};`,
      `alter table public.added owner to ${one};`,
      `alter table public.kept_2026 owner to ${one};`,
      `alter view public.listed owner to ${one};`,
    ]);
    expect(await aisec(one, 'migrate', 'down', '--yes')).toMatchObject({ exitCode: 1 });
    await database.admin.query(finding?.fix ?? '');
    expect((await diagnose()).findings.filter(({ id }) => id.startsWith('mixed-owners'))).toEqual([]);
  });

  test('are none while the role that migrates is a member of their owner', async () => {
    const [one, two] = roles;
    expect(await aisec(two, 'migrate', 'up', '--to', '0001_first')).toMatchObject({ exitCode: 0 });
    await database.admin.query(`alter table numbered owner to ${one}`);
    expect((await diagnose()).findings.filter(({ id }) => id.startsWith('mixed-owners'))).toEqual([]);
  });
});
