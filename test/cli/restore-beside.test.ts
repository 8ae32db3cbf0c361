import path from 'node:path';

import pg from 'pg';
import { beforeAll, expect, onTestFinished, test } from 'vitest';

import { compareCatalogs } from '../../src/features/backup/verify/compare-catalogs.js';
import { snapshotOf } from '../support/catalog.js';
import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup } from '../support/take-backup.js';

const FILL = `
  insert into users (id, username, email, password_hash)
  values ('00000000-0000-4000-8000-000000000001', 'u', 'u@example.com', 'x');
  insert into conversations (id, user_id)
  values ('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001');
  insert into messages (id, conversation_id, role, content)
  select gen_random_uuid(), '10000000-0000-4000-8000-000000000001', 'user', 'message ' || n from generate_series(1, 300) n;
  create table "Odd ""Näme" (
    id int generated always as identity primary key,
    serial serial,
    "Größe" text check ("Größe" <> ''),
    parent int references "Odd ""Näme",
    twice int generated always as (serial * 2) stored
  );
  create statistics odd_statistics on id, serial from "Odd ""Näme";
  create index odd_index on "Odd ""Näme" ("Größe") where "Größe" <> '"Odd ""Näme"';
  comment on column "Odd ""Näme"."Größe" is 'public."Odd ""Näme"';
  alter table "Odd ""Näme" enable row level security;
  create policy own on "Odd ""Näme" using (exists (select from users where users.id::text = "Odd ""Näme"."Größe"));
  insert into "Odd ""Näme" ("Größe", parent) values ('a', null), ('b', 1)`;
const RELATIONS = `
  select relname::text as name, relkind::text as kind, oid::text
  from pg_class where relnamespace = 'public'::regnamespace order by 1`;

describeOnServer('aisec restore --table T --as NAME', () => {
  let database: ServerDatabase;
  let file = '';
  const query = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
    (await database.admin.query(sql)).rows;
  const restore = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['restore', file, ...args], { env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' } });

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await query(sql);
    file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(database.url, file);
  });

  test('after a wrong UPDATE the rows of the backup stand beside, and the right values are copied back', async () => {
    const before = await snapshotOf(database.url);
    await query("update users set email = 'wrong@example.com'");
    const plan = await restore('--table', 'users', '--as', 'users_backup', '--dry-run');
    expect(plan).toMatchObject({ exitCode: 0, stdout: 'users as users_backup: 1 rows\n' });
    expect(compareCatalogs(before, await snapshotOf(database.url), { withGrants: true })).toEqual([]);

    const result = await restore('--table', 'users', '--as', 'users_backup', '--json');
    expect(result).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ mode: 'beside', as: 'public.users_backup', rows: 1 });
    await query('update users u set email = b.email from users_backup b where b.id = u.id and b.email <> u.email');
    expect(await query('select email from users')).toEqual([{ email: 'u@example.com' }]);
    await query('drop table users_backup');
    expect(compareCatalogs(before, await snapshotOf(database.url), { withGrants: true })).toEqual([]);
  });

  test('a copy of messages has partitions, keys, indexes and policies, and touches neither messages nor their keys', async () => {
    const relations = await query(RELATIONS);
    await query("update messages set content = 'wrong'");
    const result = await restore('--table', 'messages', '--as', 'right_messages');
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toMatch(
      /the copy has none of: .*fk constraint public\.messages messages_conversation_id_fkey/,
    );
    expect(
      await query(`
        select count(*)::int as rows, count(*) filter (where content like 'message %')::int as right,
          (select count(*)::int from message_keys) as keys,
          (select count(*)::int from pg_policy where polrelid = 'right_messages'::regclass) as policies,
          (select bool_and(relrowsecurity) from pg_class where relname ~ '^right_messages' and relkind in ('r', 'p')) as secured,
          (select array_agg(relkind order by relkind) from pg_class
            where relname in ('right_messages_pkey', 'right_messages_default', 'idx_right_messages_role')) as parts
        from right_messages`),
    ).toEqual([{ rows: 300, right: 300, keys: 300, policies: 1, secured: true, parts: '{I,I,r}' }]);
    expect(await query("select count(*)::int as n from pg_trigger where tgrelid = 'right_messages'::regclass")).toEqual(
      [{ n: 0 }],
    );
    await query('drop table right_messages');
    expect(await query(RELATIONS)).toEqual(relations);
    expect(await query('select count(*)::int as n from message_keys')).toEqual([{ n: 300 }]);
  });

  test('a table of any shape can stand beside itself, also in another schema, while the present one is locked', async () => {
    await query('create schema "Old Ones"');
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query('begin');
    await holder.query('lock table "Odd ""Näme" in access exclusive mode');
    for (const as of ['copy', '"Old Ones"."Odd ""Näme"', `"${'ü'.repeat(31)}"`])
      expect(await restore('--table', '"Odd ""Näme"', '--as', as)).toMatchObject({
        stderr: expect.stringContaining('restored as'),
        exitCode: 0,
      });
    await holder.query('rollback');
    await query(`insert into copy ("Größe", parent) values ('c', 2)`);
    expect(await query('select id, serial, twice, parent from copy order by id')).toEqual([
      { id: 1, serial: 1, twice: 2, parent: null },
      { id: 2, serial: 2, twice: 4, parent: 1 },
      { id: 3, serial: 3, twice: 6, parent: 2 },
    ]);
    await expect(query(`insert into copy ("Größe", parent) values ('d', 99)`)).rejects.toThrow('foreign key');
    expect(await query(`select col_description('copy'::regclass, 3) as comment`)).toEqual([
      { comment: 'public."Odd ""Näme"' },
    ]);
    expect(
      await query(
        `select last_value::int from pg_sequences where sequencename = 'Odd "Näme_serial_seq' and schemaname = 'public'`,
      ),
    ).toEqual([{ last_value: 2 }]);
    expect(await query(`select count(*)::int as n from "Old Ones"."Odd ""Näme"`)).toEqual([{ n: 2 }]);
  });

  test('a partition stands beside as a table of its own, also where its month is gone by now', async () => {
    const [{ partition } = {}] = await query(`
      select tableoid::regclass::text as partition from messages limit 1`);
    for (const isGone of [false, true]) {
      if (isGone) await query(`alter table messages detach partition ${String(partition)}`);
      const result = await restore('--table', String(partition), '--as', 'one_month');
      expect(result).toMatchObject({ exitCode: 0 });
      expect(result.stderr).toMatch(/the copy has none of: .*table attach/);
      expect(await query('select count(*)::int as rows from one_month')).toEqual([{ rows: 300 }]);
      expect(await query('select count(*)::int as rows from messages')).toEqual([{ rows: isGone ? 0 : 300 }]);
      await query('drop table one_month');
    }
  });

  test('a copy of a table that inherits is no child of the present parent, and that of a parent has its own rows alone', async () => {
    await query('create table places (name text)');
    await query('create table towns (people int, primary key (name)) inherits (places)');
    await query("insert into places values ('sea'); insert into towns values ('kamakura', 170000), ('zushi', 57000)");
    const other = path.join(await createEmbeddedDirectory(), 'app_20261125_070000.dump');
    await takeBackup(database.url, other);
    const restoreOf = (table: string): Promise<CliResult> =>
      runInProcess(['restore', other, '--table', table, '--as', `old_${table}`], {
        env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' },
      });
    for (const table of ['towns', 'places']) expect(await restoreOf(table)).toMatchObject({ exitCode: 0 });
    expect(
      await query(`
        select (select count(*)::int from places) as places, (select count(*)::int from old_places) as old_places,
          (select count(*)::int from old_towns) as old_towns`),
    ).toEqual([{ places: 3, old_places: 1, old_towns: 2 }]);
  });

  test('what prevents a copy is refused before anything is made', async () => {
    const there = await restore('--table', 'users', '--as', 'messages');
    expectError(there, 3, 'cannot restore to ', '"public"."messages" exists already');
    expectError(
      await restore('--table', 'users', '--as', 'nowhere.users'),
      3,
      'cannot restore to ',
      'create schema "nowhere";',
    );
    expectError(
      await restore('--table', 'users'),
      3,
      'cannot restore to ',
      "--rows 'public.users where true' restores the rows that it lacks",
    );
    expectError(await restore('--table', 'nothing', '--as', 'x'), 2, 'the backup has no table', 'public.users');
    expectError(
      await restore('--table', 'nothing'),
      2,
      'the backup has no table',
      'public."Odd ""Näme", public.aisec_message_moves, ',
    );
    expectError(await restore('--as', 'x', '--create', 'y'), 2, '--as requires --table', '');
    const long = await restore('--table', 'users', '--as', 'x'.repeat(64));
    expectError(long, 2, '--as: invalid table name', '63 bytes');
    expect(await query("select count(*)::int as n from pg_namespace where nspname = 'aisec_restoring'")).toEqual([
      { n: 0 },
    ]);
  });
});
