import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { readZip } from '../support/read-zip.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup } from '../support/take-backup.js';

const SCHEMA = 'my tenant';

const FILL = `
  set search_path = "my tenant", public;
  select aisec_make_message_partitions(array['2026-06-01', '2026-07-01']::date[]);
  insert into users (id, username, email, password_hash)
  select ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'user' || n, 'u' || n || '@example.com', 'x' from generate_series(1, 2) n;
  insert into conversations (id, user_id)
  select ('10000000-0000-4000-8000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid from generate_series(1, 2) n;
  insert into messages (conversation_id, role, content, created_at)
  select ('10000000-0000-4000-8000-00000000000' || c)::uuid, 'user', 'message ' || n, timestamptz '2026-06-20 00:00:00+00' + n * interval '1 day'
  from generate_series(1, 2) c, generate_series(1, 20) n;
  create table "my notes" (id integer generated always as identity primary key, owner uuid references users, "the text" text);
  comment on column "my notes"."the text" is 'pii: text';
  insert into "my notes" (owner, "the text") select id, 'note of ' || username from users;
  create table "my notes log" (id integer generated always as identity primary key, note integer not null references "my notes" on delete cascade);
  insert into "my notes log" (note) select id from "my notes";
  select aisec_archive_month('2026-06-01')`;

describeOnServer('a schema and a table with a blank in their names', () => {
  let database: ServerDatabase;
  let directory = '';
  const run = (args: readonly string[], url = database.url): Promise<CliResult> =>
    runInProcess([...args, '--schema', SCHEMA], {
      env: { DATABASE_URL: url, PATH: process.env['PATH'] ?? '', AISEC_MASK_KEY: 'the key of a test' },
      cwd: directory,
    });
  const query = async (sql: string, from = database): Promise<readonly Record<string, unknown>[]> =>
    (await from.admin.query(sql)).rows;
  const counts = (from = database): Promise<readonly Record<string, unknown>[]> =>
    query(
      `select (select count(*)::int from "my tenant".users) as users, (select count(*)::int from "my tenant"."my notes") as notes,
         (select count(*)::int from "my tenant"."my notes log") as log, (select count(*)::int from "my tenant".all_messages) as messages`,
      from,
    );

  beforeAll(async () => {
    database = await createServerDatabase();
    directory = await createEmbeddedDirectory();
    expect((await run(['migrate', 'up'])).stderr).not.toMatch(/"?error"?:/);
    for (const sql of FILL.split(';\n')) await query(sql);
  });

  test('user export has the rows of that table', async () => {
    const result = await run(['user', 'export', 'user1', '--out', 'one.zip', '--all', '--json']);
    expect(result).toMatchObject({ exitCode: 0 });
    const { tables } = JSON.parse(result.stdout) as { readonly tables: readonly object[] };
    expect(tables).toContainEqual({
      table: '"my tenant"."my notes"',
      file: 'data/my_notes.ndjson',
      rows: 1,
      hiddenRows: 0,
    });
    const files = readZip(path.join(directory, 'one.zip'));
    expect(files.get('data/my_notes.ndjson')?.toString()).toContain('note of user1');
    expect(files.get('index.html')?.toString()).toContain('message 20');
  });

  test('subset copies it, masked, and leaves out what is named in quotes', async () => {
    const target = await createServerDatabase();
    const made = ['create schema "my tenant"', 'set search_path = "my tenant", public'];
    for (const sql of made) await query(sql, target);
    expect((await run(['migrate', 'up'], target.url)).stderr).not.toMatch(/"?error"?:/);
    await query(
      'create table "my notes" (id integer generated always as identity primary key, owner uuid references users, "the text" text)',
      target,
    );
    await query(
      'create table "my notes log" (id integer generated always as identity primary key, note integer not null references "my notes" on delete cascade)',
      target,
    );
    const result = await run(['subset', '--users', '1', '--mask', '--into-url', target.url, '--json']);
    expect(result.stderr).not.toMatch(/"?error"?:/);
    expect(result.exitCode).toBe(0);
    expect(await counts(target)).toEqual([{ users: 1, notes: 1, log: 1, messages: 20 }]);
    const without = ['subset', '--users', '1', '--mask', '--dry-run', '--json', '--without'];
    const { tables } = JSON.parse((await run([...without, '"my notes"'])).stdout) as {
      readonly tables: readonly { readonly table: string }[];
    };
    expect(tables.map(({ table }) => table).filter((name) => name.includes('notes'))).toEqual([]);
    await target.drop();
  });

  test('user erase deletes its rows, and restore --user and --rows bring them back', async () => {
    const file = path.join(directory, 'app_20261125_060000.dump');
    await takeBackup(database.url, file);
    const whole = await counts();
    const erased = await run(['user', 'erase', 'user1', '--confirm', 'user1', '--json']);
    expect(erased.stderr).not.toMatch(/"?error"?:/);
    expect(await counts()).toEqual([{ users: 1, notes: 1, log: 1, messages: 20 }]);
    await query('delete from "my tenant".erasures');

    const back = await run(['restore', file, '--user', 'user1', '--json']);
    expect(back.stderr).not.toMatch(/"?error"?:/);
    expect((JSON.parse(back.stdout) as { readonly tables: object[] }).tables).toContainEqual({
      table: '"my tenant"."my notes"',
      restored: 1,
      present: 0,
      differing: 0,
    });
    expect(await counts()).toEqual(whole);
    await query('delete from "my tenant"."my notes"');
    const rows = await run(['restore', file, '--rows', `"my notes" where "the text" like '%user2'`, '--json']);
    expect(rows.stderr).not.toMatch(/"?error"?:/);
    expect(JSON.parse(rows.stdout)).toMatchObject({ rows: 2 });
    const month = await run(['restore', file, '--month', '2026-06', '--json']);
    expect(month.stderr).not.toMatch(/"?error"?:/);
  });

  test('restore --table makes it again, with its rows compared', async () => {
    const file = path.join(directory, 'app_20261125_070000.dump');
    await takeBackup(database.url, file);
    const before = await counts();
    await query('drop table "my tenant"."my notes" cascade');
    const result = await run(['restore', file, '--table', '"my notes"', '--json']);
    expect(result.stderr).not.toMatch(/"?error"?:/);
    expect(JSON.parse(result.stdout)).toMatchObject({ tables: ['my tenant.my notes'], rows: before[0]?.['notes'] });
    expect(await counts()).toEqual(before);
  });
});
