import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

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
  select aisec_make_message_partitions(array['2026-06-01', '2026-07-01', '2026-08-01', '2026-09-01']::date[]);
  insert into users (id, username, email, password_hash)
  select ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'user' || n, 'u' || n || '@example.com', 'x' from generate_series(1, 3) n;
  insert into conversations (id, user_id)
  select ('10000000-0000-4000-8000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid from generate_series(1, 3) n;
  insert into messages (id, conversation_id, role, content, created_at)
  select ('20000000-0000-4000-8000-' || lpad((c * 1000 + n)::text, 12, '0'))::uuid, ('10000000-0000-4000-8000-00000000000' || c)::uuid, 'user', 'message ' || n,
    timestamptz '2026-06-02 00:00:00+00' + n * interval '1 day'
  from generate_series(1, 3) c, generate_series(1, 100) n;
  update messages m set parent_id = p.id from messages p where p.conversation_id = m.conversation_id and p.created_at = m.created_at - interval '1 day';
  insert into files (user_id, conversation_id, message_id, file_name, storage_path)
  select c.user_id, c.id, m.id, 'f', '/f' from conversations c join messages m on m.conversation_id = c.id where m.content in ('message 5', 'message 70');
  select aisec_archive_month('2026-06-01')`;

/** All that a user sees, whatever table it is in, as one text. */
const ALL = `
  select (select md5(string_agg(u::text, ',' order by id)) from users u) as users,
    (select md5(string_agg(c::text, ',' order by id)) from conversations c) as conversations,
    (select md5(string_agg((m.id, m.conversation_id, m.parent_id, m.content, m.created_at)::text, ',' order by m.id)) from all_messages m) as messages,
    (select count(*)::int from messages_archive) as archived,
    (select md5(string_agg((k.id, k.created_at, k.parent_id)::text, ',' order by k.id)) from message_keys k) as keys,
    (select md5(string_agg((f.id, f.conversation_id, f.message_id)::text, ',' order by f.id)) from files f) as files`;

describeOnServer('aisec restore --rows, --user and --month', () => {
  let database: ServerDatabase;
  let file = '';
  let whole: readonly Record<string, unknown>[] = [];
  const query = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
    (await database.admin.query(sql)).rows;
  const restore = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['restore', file, ...args], { env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' } });

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await query(sql);
    file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(database.url, file);
    whole = await query(ALL);
  });

  test("a deleted user's conversations come back with messages, archived ones too, keys and files", async () => {
    await query("delete from files where user_id = '00000000-0000-4000-8000-000000000001'");
    await query("delete from users where username = 'user1'");
    const without = await query(ALL);
    const plan = await restore('--user', 'user1', '--dry-run');
    expect(plan).toMatchObject({ exitCode: 0 });
    expect(plan.stdout).toBe(
      [
        'public.users: 1 to restore',
        'public.conversations: 1 to restore',
        'public.messages: 100 to restore',
        'public.files: 2 to restore\n',
      ].join('\n'),
    );
    expect(await query(ALL)).toEqual(without);

    const result = await restore('--user', 'u1@example.com', '--json');
    expect(result).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ mode: 'rows', rows: 104 });
    expect(await query(ALL)).toEqual(whole);
    const again = await restore('--user', 'user1');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stderr).toContain('nothing to restore');
  });

  test('rows that are there with other values are counted and refused, kept or overwritten as asked', async () => {
    await query("delete from messages where content = 'message 70' and conversation_id::text like '1%2'");
    const refused = await restore('--rows', "conversations where user_id::text like '%2'");
    expectError(refused, 3, 'cannot restore to the tables', '1 row of "public"."files" is there with other values');
    expect(refused.stderr).toContain('1 row of "public"."messages" is there');
    const kept = await restore('--rows', "conversations where user_id::text like '%2'", '--existing', 'keep');
    expect(kept).toMatchObject({ exitCode: 0 });
    expect(kept.stderr).toMatch(
      /^rows restored in .*: 1 of public\.messages\. Left as they are, with other values: 1 of public\.messages, 1 of public\.files\.$/m,
    );
    const nothing = await restore('--rows', "conversations where user_id::text like '%2'", '--existing', 'keep');
    expect(nothing.stderr).toContain('nothing to restore: all of the rows are there, some with other values.');
    expect(await query('select count(*)::int as n from files where message_id is null')).toEqual([{ n: 1 }]);
    const result = await restore('--rows', "conversations where user_id::text like '%2'", '--existing', 'overwrite');
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toMatch(/^rows restored in .*: overwritten 1 of public\.messages, 1 of public\.files\.$/m);
    expect(await query(ALL)).toEqual(whole);
  });

  test('a month whose partition was dropped comes back as one, and replies over its bounds hold', async () => {
    const catalog = await snapshotOf(database.url);
    await query('drop table messages_y2026m08');
    const result = await restore('--month', '2026-08');
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain('93 of public.messages');
    expect(await query(ALL)).toEqual(whole);
    expect(await query('select count(*)::int as n from messages_default')).toEqual([{ n: 0 }]);
    expect(compareCatalogs(catalog, await snapshotOf(database.url), { withGrants: true })).toEqual([]);
  });

  test('an archived month that was emptied comes back into the archive, without what a deleted conversation had', async () => {
    await query('truncate messages_archive_y2026m06');
    await query("delete from files where user_id::text like '%3'");
    await query("delete from conversations where user_id::text like '%3'");
    const refused = await restore('--month', '2026-06', '--dry-run');
    expectError(
      refused,
      3,
      'cannot restore to the tables',
      '28 rows of "public"."messages" refer to missing rows of "public"."conversations"',
    );
    const result = await restore('--month', '2026-06', '--dangling', 'leave-out');
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain('left out: 28 rows of "public"."messages"');
    expect(await query('select count(*)::int as n from messages_archive')).toEqual([{ n: 56 }]);
    expect(
      await query(
        'select count(*)::int as n from all_messages m full join message_keys k using (id) where m.id is null or k.id is null',
      ),
    ).toEqual([{ n: 0 }]);
  });

  test('a month comes back from a partition with the name of another one', async () => {
    const other = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await other.admin.query(sql);
    await other.admin.query('alter table messages_y2026m08 rename to messages_y2019m01');
    const dump = path.join(await createEmbeddedDirectory(), 'other_20261125_060000.dump');
    await takeBackup(other.url, dump);
    await other.admin.query('delete from messages_y2019m01');
    const result = await runInProcess(['restore', dump, '--month', '2026-08', '--json'], {
      env: { DATABASE_URL: other.url, PATH: process.env['PATH'] ?? '' },
    });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ rows: 93 });
  });

  test('tables of two schemas with one name come back each with its own rows, partitions too', async () => {
    const other = await createServerDatabase({ migrated: true });
    const user = '00000000-0000-4000-8000-000000000001';
    for (const sql of FILL.split(';\n')) await other.admin.query(sql);
    await other.admin.query(`
      create schema billing;
      create table billing.files (id int primary key, user_id uuid not null references users on delete cascade, note text);
      insert into billing.files select n, ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'invoice ' || n from generate_series(1, 3) n;
      create table billing.messages (id int, file_id int not null references billing.files on delete cascade, primary key (id))
        partition by range (id);
      create table billing.messages_y2026m08 partition of billing.messages for values from (0) to (100);
      insert into billing.messages select n * 10 + m, n from generate_series(1, 3) n, generate_series(1, 4) m`);
    const billing = `
      select (select string_agg(f::text, ',' order by id) from billing.files f) as files,
        (select string_agg(m::text, ',' order by id) from billing.messages m) as messages`;
    const all = async (): Promise<readonly unknown[]> => [
      ...(await other.admin.query(ALL)).rows,
      ...(await other.admin.query(billing)).rows,
    ];
    const before = await all();
    const dump = path.join(await createEmbeddedDirectory(), 'two_20261125_060000.dump');
    await takeBackup(other.url, dump);
    const restoreTwo = (...args: readonly string[]): Promise<CliResult> =>
      runInProcess(['restore', dump, ...args], { env: { DATABASE_URL: other.url, PATH: process.env['PATH'] ?? '' } });
    await other.admin.query(`delete from files where user_id = '${user}'`);
    await other.admin.query(`delete from users where id = '${user}'`);
    const result = await restoreTwo('--user', 'user1');
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain('1 of billing.files');
    expect(result.stderr).toContain('4 of billing.messages');
    expect(result.stderr).toContain('2 of public.files');
    expect(await all()).toEqual(before);
    await other.admin.query('delete from billing.files where id = 2');
    expect(await restoreTwo('--rows', "billing.files where files.note = 'invoice 2'")).toMatchObject({ exitCode: 0 });
    expect(await all()).toEqual(before);
  });

  test('what is no condition, no month, or in no row of the backup is wrong usage', async () => {
    for (const [args, message] of [
      [['--rows', 'users'], '--rows: invalid rows "users"'],
      [['--rows', 'users where true); drop table users; select (true'], 'invalid condition'],
      [['--rows', 'nothing where true'], 'the backup has no table'],
      [['--user', 'not-there'], 'the backup has no such rows'],
      [['--month', '2026-13'], '--month: invalid month'],
      [['--month', '2026-08', '--user', 'x'], 'only one of'],
      [['--table', 'users', '--existing', 'keep'], '--existing requires'],
    ] as const)
      expectError(await restore(...args), 2, message);
    expect(await query("select count(*)::int as n from users where username = 'user2'")).toEqual([{ n: 1 }]);
  });
});
