import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup } from '../support/take-backup.js';

type Query = (sql: string) => Promise<readonly unknown[]>;
type Run = (...args: readonly string[]) => Promise<CliResult>;

/** Three months with columns, indexes and triggers of a user: one live, one archived, one in the default partition. */
const FILL = `
  select aisec_make_message_partitions(array['2026-07-01', '2026-08-01']::date[]);
  insert into users (username, email, password_hash) values ('alice', 'alice@example.com', 'x');
  insert into conversations (user_id) select id from users;
  insert into messages (conversation_id, role, content, created_at)
  select conversations.id, 'user', 'message ' || month || n, (month || '-01')::timestamptz + n * interval '1 day'
  from conversations, unnest(array['2026-07', '2026-08', '2026-09']) as month, generate_series(0, 9) as n;
  select aisec_archive_month('2026-07-01')`;
const ODD = `
  alter table messages add column mood text default 'calm', add column words int generated always as (length(content)) stored;
  alter table messages_archive add column note text;
  update messages set mood = 'glad' where created_at < '2026-08-05';
  update messages_archive set note = 'kept';
  create index on messages (mood);
  create index own_index on messages_y2026m08 (created_at) where role = 'user';
  create table heard (id uuid);
  create function hear() returns trigger language plpgsql as $$ begin insert into heard values (new.id); return new; end $$;
  create trigger hear after insert on messages for each row execute function hear()`;
const ALL = `
  select (select md5(string_agg(m::text, ',' order by id)) from messages m) as live,
    (select md5(string_agg(m::text, ',' order by id)) from messages_archive m) as archived,
    (select count(*)::int from message_keys) as keys`;

describeOnServer('aisec restore --month where messages have columns, indexes and triggers of a user', () => {
  let database: ServerDatabase;
  let file = '';
  const query = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
    (await database.admin.query(sql)).rows;
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' } });

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await query(sql);
    await query(ODD);
    file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(database.url, file);
  });

  test.each([
    ['a live one whose partition was dropped', '2026-08', 'drop table messages_y2026m08'],
    ['a live one that was emptied', '2026-08', "delete from messages where created_at < '2026-09-01'"],
    ['one of the default partition', '2026-09', "delete from messages where created_at >= '2026-09-01'"],
    ['one of the archive', '2026-07', 'delete from messages_archive'],
  ])('%s comes back as it was', async (_title, month, loss) => {
    const before = await query(ALL);
    await query(loss);
    await query(`delete from message_keys k where to_char(k.created_at at time zone 'UTC', 'YYYY-MM') = '${month}'`);
    expect(await run('restore', file, '--month', month)).toMatchObject({ exitCode: 0 });
    expect(await query(ALL)).toEqual(before);
  });

  test('what was changed in columns that only one of the two tables has is overwritten when asked', async () => {
    const before = await query(ALL);
    await query("update messages set mood = 'sad' where created_at < '2026-09-01'");
    await query('update messages_archive set note = null');
    for (const month of ['2026-07', '2026-08'])
      expect(await run('restore', file, '--month', month, '--existing', 'overwrite')).toMatchObject({ exitCode: 0 });
    expect(await query(ALL)).toEqual(before);
  });
});

describeOnServer('aisec restore --table of messages, dropped when months were moved since the backup', () => {
  const ROWS = `
    select md5(string_agg(id || content, ',' order by id)) as rows, (select count(*)::int from message_keys) as keys
    from all_messages`;

  test.each([
    [
      'a month that was archived whole, and what the default partition had',
      'messages',
      (run: Run) => run('archive', '--older-than', '1mo'),
      ['public.messages_y2026m08; messages_archive has these months now', '10 rows of public.messages_default'],
    ],
    [
      'what was archived of a month that is partly live',
      'messages',
      (_run: Run, query: Query) =>
        query(`
          select aisec_ensure_archive_month('2026-08-01');
          select aisec_move_messages_to_archive('messages_y2026m08', '2026-08-01', '-infinity', '2026-08-06', 100, false)`),
      ['5 rows of public.messages_y2026m08'],
    ],
    [
      'an archived month that is live again',
      'messages_archive',
      (run: Run) => run('archive', 'restore', '2026-07'),
      ['public.messages_archive_y2026m07; messages has these months now'],
    ],
  ] as const)('leaves out %s', async (_title, table, move, leftOut) => {
    const database = await createServerDatabase({ migrated: true });
    const query: Query = async (sql) => [(await database.admin.query(sql)).rows].flat();
    const env = { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' };
    const run: Run = (...args) => runInProcess(args, { env });
    for (const sql of FILL.split(';\n')) await query(sql);
    const file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(database.url, file);
    const before = await query(ROWS);
    await move(run, query);
    await query(`drop table ${table} cascade`);
    const result = await run('restore', file, '--table', table);
    expect(result).toMatchObject({ exitCode: 0 });
    for (const text of leftOut) expect(result.stderr).toContain(`warning: left out: ${text}`);
    expect(await query(ROWS)).toEqual(before);
    expect(await run('migrate', 'drift')).toMatchObject({ exitCode: 0 });
  });
});
