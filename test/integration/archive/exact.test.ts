import pg from 'pg';
import { expect, test } from 'vitest';

import { describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import {
  ageOfTwentieth,
  archivedName,
  createChat,
  fillMonth,
  fingerprint,
  liveName,
  monthAgo,
  partitionsOf,
} from './chat.js';

/** The month that the age ends in, in the middle: one that a whole-month run leaves alone. */
const BOUNDARY = monthAgo(6);

const envOf = ({ url }: ServerDatabase): Readonly<Record<string, string>> => ({ DATABASE_URL: url });

async function exact(database: ServerDatabase, ...more: readonly string[]) {
  const run = await runInProcess(['archive', '--exact', '--json', '--older-than', ageOfTwentieth(BOUNDARY), ...more], {
    env: envOf(database),
  });
  return { ...run, result: run.stdout === '' ? undefined : JSON.parse(run.stdout) };
}

async function sides({ admin }: ServerDatabase, cutoff: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await admin.query(
    `select count(*) filter (where is_archived and created_at >= $1)::int as young_in_archive,
            count(*) filter (where not is_archived and created_at < $1)::int as old_in_messages,
            count(*) filter (where is_archived)::int as archived
     from all_messages`,
    [cutoff],
  );
  return rows[0];
}

describeOnServer('aisec archive --exact', () => {
  test('moves exactly what is older, and a later whole-month run finishes the month without a conflict', async () => {
    const database = await createChat();
    await fillMonth(database, BOUNDARY, 3000);
    const before = await fingerprint(database);
    const { result, exitCode } = await exact(database, '--batch', '200');
    expect(exitCode).toBe(0);
    const found = await sides(database, result.cutoff);
    expect(found).toMatchObject({ young_in_archive: 0, old_in_messages: 0 });
    expect(found['archived']).toBeGreaterThan(0);
    expect(result.months[0]).toMatchObject({ action: 'move older rows', outcome: 'moved', rows: found['archived'] });
    expect(await fingerprint(database)).toEqual(before);

    const refused = await runInProcess(['archive', 'restore', BOUNDARY], { env: envOf(database) });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('only partly archived');
    const exported = await runInProcess(['archive', 'export', BOUNDARY, '--out', 'x.gz'], { env: envOf(database) });
    expect(exported.stderr).toContain('only partly archived');

    const finished = await runInProcess(['archive', '--older-than', '4mo', '--json'], { env: envOf(database) });
    expect(finished.exitCode).toBe(0);
    expect(JSON.parse(finished.stdout).months[0]).toMatchObject({ action: 'finish', outcome: 'archived' });
    expect(await partitionsOf(database, 'messages')).not.toContain(liveName(BOUNDARY));
    expect(await partitionsOf(database, 'messages_archive')).toEqual([archivedName(BOUNDARY)]);
    expect(await fingerprint(database)).toEqual(before);
    const { rows } = await database.admin.query(
      `select action, row_count::int from archive_journal where action = 'move rows' order by id`,
    );
    expect(rows.reduce((sum: number, row: { row_count: number }) => sum + row.row_count, 0)).toBe(3000);
    expect((await runInProcess(['archive', 'restore', BOUNDARY], { env: envOf(database) })).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('a boundary month that has no partition: its older rows are archived, the younger ones wait for their month', async () => {
    const database = await createChat();
    await fillMonth(database, BOUNDARY, 300);
    await database.admin.query(
      `begin; alter table messages detach partition ${liveName(BOUNDARY)};
       set local aisec.moving_messages to on; insert into messages select * from ${liveName(BOUNDARY)};
       drop table ${liveName(BOUNDARY)}; commit`,
    );
    const before = await fingerprint(database);
    const dry = await exact(database, '--dry-run');
    const { result, exitCode } = await exact(database);
    expect(exitCode).toBe(0);
    const found = await sides(database, result.cutoff);
    expect(found).toMatchObject({ young_in_archive: 0, old_in_messages: 0 });
    expect(result.months).toMatchObject([{ action: 'move older rows', outcome: 'moved', rows: found['archived'] }]);
    expect(dry.result.months).toMatchObject([{ action: 'move older rows', rows: found['archived'] }]);
    expect(await partitionsOf(database, 'messages')).not.toContain(liveName(BOUNDARY));
    expect(await fingerprint(database)).toEqual(before);
    expect((await runInProcess(['archive', '--older-than', '4mo'], { env: envOf(database) })).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('goes around rows that others have locked, then waits for them, and exits 5 naming who has them', async () => {
    const database = await createChat();
    await fillMonth(database, BOUNDARY, 1000);
    const before = await fingerprint(database);
    const editor = new pg.Client({ connectionString: database.url, application_name: 'slow editor' });
    editor.on('error', () => undefined);
    await editor.connect();
    await editor.query('begin');
    await editor.query(
      `update messages set content = content where id in (select id from messages where created_at < $1::date + 2 order by created_at limit 3)`,
      [`${BOUNDARY}-01`],
    );
    const run = await exact(database, '--max-wait', '4s', '--batch', '100');
    expect(run.exitCode).toBe(5);
    expect(run.stderr).toContain('slow editor');
    expect(await sides(database, run.result.cutoff)).toMatchObject({ young_in_archive: 0, old_in_messages: 3 });
    await editor.query(
      `update messages set content = 'edited meanwhile' where created_at < $1::date + 2 and id in
      (select id from messages where created_at < $1::date + 2 order by created_at limit 1)`,
      [`${BOUNDARY}-01`],
    );
    await editor.query('rollback');
    await editor.end();
    const again = await exact(database);
    expect(again.exitCode).toBe(0);
    expect(await sides(database, run.result.cutoff)).toMatchObject({ young_in_archive: 0, old_in_messages: 0 });
    expect(await fingerprint(database)).toEqual(before);
  });

  test('a user cannot make use of the way past the triggers', async () => {
    const database = await createChat();
    await fillMonth(database, BOUNDARY, 20);
    const { admin } = database;
    await admin.query(`begin; set local role authenticated;
      set local app.current_user_id = '00000000-0000-4000-8000-000000000001'; set local aisec.moving_messages = 'on';
      insert into messages (conversation_id, role) select id, 'user' from conversations limit 1;
      delete from messages where content = 'reply'; commit`);
    const found = (await fingerprint(database)) as { messages: number; keys: number; good_keys: number };
    expect(found.keys).toBe(found.messages);
    expect(found.good_keys).toBe(found.messages);
  });

  test('--max-time stops between batches, exit 0, says how to go on, and the next run does', async () => {
    const database = await createChat();
    await fillMonth(database, BOUNDARY, 20_000);
    const before = await fingerprint(database);
    const run = await exact(database, '--batch', '1', '--max-time', '1s');
    expect(run.exitCode).toBe(0);
    expect(run.result).toMatchObject({ isStopped: true });
    expect(run.stderr).toContain('run it again to continue');
    expect(run.result.months[0].rows).toBeGreaterThan(0);
    expect(await fingerprint(database)).toEqual(before);
    const rest = await exact(database);
    expect(rest.result).toMatchObject({ isStopped: false });
    expect(await sides(database, rest.result.cutoff)).toMatchObject({ young_in_archive: 0, old_in_messages: 0 });
    expect(await fingerprint(database)).toEqual(before);
    expect((await exact(database)).stderr).toMatch(/nothing to do|moved row by row/);
  });
});
