import { existsSync } from 'node:fs';
import path from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { createMigratedEmbedded, queryEmbedded } from '../support/migrated-embedded.js';
import { runInProcess } from '../support/run-in-process.js';

const OLD = '2023-03';
const EMPTY = '2023-04';

const FILL = `
  select aisec_make_message_partitions(array['${OLD}-01'::date]);
  select aisec_make_message_partitions(array['${EMPTY}-01'::date]);
  insert into users (id, username, email, password_hash)
  values ('00000000-0000-4000-8000-000000000001', 'u', 'u@example.com', 'x');
  insert into conversations (id, user_id)
  values ('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001');
  insert into messages (conversation_id, role, content, created_at)
  select '10000000-0000-4000-8000-000000000001', 'user', 'old ' || n, '${OLD}-01 00:00+00'::timestamptz + n * interval '1 hour'
  from generate_series(0, 99) n;
  insert into messages (conversation_id, role, content, parent_id)
  select conversation_id, 'assistant', 'new', id from messages;
  insert into messages (conversation_id, role, content, created_at)
  values ('10000000-0000-4000-8000-000000000001', 'user', 'never had a month', '2022-01-15');`;
const COUNTS = `
  select count(*) filter (where is_archived)::int as archived, count(*) filter (where not is_archived)::int as live,
    count(parent_id)::int as replies
  from all_messages`;

describe('aisec archive on the embedded database', () => {
  test('archives months, lists them and restores one', async () => {
    const dataDir = await createMigratedEmbedded();
    const options = { env: { AISEC_DATA_DIR: dataDir } };
    for (const sql of FILL.split(';\n')) await queryEmbedded(dataDir, sql);
    expect(JSON.parse((await runInProcess(['archive', '--json'], options)).stdout)).toMatchObject({
      months: [{ outcome: 'moved' }, { month: OLD, outcome: 'archived', rows: 100 }, { month: EMPTY, rows: 0 }],
    });
    expect((await runInProcess(['archive', 'list'], options)).stdout).toContain(OLD);
    expect(await runInProcess(['archive', 'restore', OLD], options)).toMatchObject({ exitCode: 0 });
    expect(await queryEmbedded(dataDir, COUNTS)).toEqual([{ archived: 1, live: 200, replies: 100 }]);
  });
});

describeOnServer('aisec archive', () => {
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  let directory = '';
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    env = { DATABASE_URL: database.url };
    directory = await createEmbeddedDirectory();
    await database.admin.query(FILL);
  });
  const run = (...args: readonly string[]) => runInProcess(['archive', ...args], { env, cwd: directory });
  const counts = async (): Promise<unknown> => (await database.admin.query(COUNTS)).rows[0];

  test('an age without a unit, or one that could be minutes, is wrong usage', async () => {
    for (const age of ['6', '6m', '0', 'six months', '1h', '0mo']) {
      const result = await run('--older-than', age);
      expect(result.exitCode, age).toBe(2);
      expect(result.stderr).toContain('age');
    }
    expect((await run('prune')).exitCode).toBe(2);
    expect((await run('list', '--exact')).exitCode).toBe(2);
  });

  test('a dry run shows months, rows, sizes and locks, tab-separated in a pipe, and changes nothing', async () => {
    const result = await run('--dry-run');
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain(`${OLD}\tswap\tplanned\tmessages_y2023m03\t100\t`);
    expect(result.stdout).toContain('lock ACCESS EXCLUSIVE on messages\n');
    expect(result.stdout).toContain('2022-01\tmove late rows\tplanned\t\t1\t');
    expect(await counts()).toEqual({ archived: 0, live: 201, replies: 100 });
  });

  test('archives whole months, an empty one and one that was waiting in the default partition', async () => {
    const result = await run('--json');
    expect(result.exitCode).toBe(0);
    const document = JSON.parse(result.stdout);
    expect(document).toMatchObject({
      schema: 'public',
      isDryRun: false,
      isStopped: false,
      months: [
        { month: '2022-01', outcome: 'moved', partition: 'messages_archive_y2022m01', rows: 1, rowsAreExact: true },
        { month: OLD, outcome: 'archived', partition: 'messages_archive_y2023m03', rows: 100 },
        { month: EMPTY, outcome: 'archived', partition: 'messages_archive_y2023m04', rows: 0 },
      ],
    });
    expect(document.months[1].sizeBytes).toBeGreaterThan(0);
    expect(await counts()).toEqual({ archived: 101, live: 100, replies: 100 });
    const again = await run();
    expect(again).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('late messages of an archived month join it', async () => {
    await database.admin.query(
      `insert into messages (conversation_id, role, created_at) values ('10000000-0000-4000-8000-000000000001', 'user', '${OLD}-20')`,
    );
    const result = await run('--json');
    expect(JSON.parse(result.stdout).months).toMatchObject([
      { month: OLD, action: 'move late rows', outcome: 'moved', rows: 1 },
    ]);
    expect(await counts()).toEqual({ archived: 102, live: 100, replies: 100 });
  });

  test('list, export, restore and prune work together', async () => {
    const listing = JSON.parse((await run('list', '--json')).stdout);
    expect(listing.months.map(({ month, state }: never) => [month, state])).toEqual([
      ['2022-01', 'archived'],
      [OLD, 'archived'],
      [EMPTY, 'archived'],
    ]);
    for (const month of ['2022-01', EMPTY])
      expect((await run('export', month, '--out', `${month}.gz`)).exitCode).toBe(0);
    expect(existsSync(path.join(directory, `${EMPTY}.gz.manifest.json`))).toBe(true);
    expect((await run('restore', OLD)).exitCode).toBe(0);
    expect(await counts()).toEqual({ archived: 1, live: 201, replies: 100 });
    const pruned = await run('prune', '--older-than', '1y', '--confirm', database.name);
    expect(pruned.stderr).toContain('2 pruned');
    expect(pruned.exitCode).toBe(0);
    expect(await counts()).toEqual({ archived: 0, live: 201, replies: 100 });
    expect((await run('list')).stderr).toContain('the archive is empty');
  });

  test('a month is found by its key in one partition, wherever it is', async () => {
    const { rows } = await database.admin.query(
      `explain (analyze, costs off, timing off, summary off)
       select * from all_messages
       where id = (select id from message_keys order by created_at limit 1)
         and created_at = (select created_at from message_keys order by created_at limit 1)`,
    );
    const scanned = (rows as readonly { 'QUERY PLAN': string }[])
      .map((row) => row['QUERY PLAN'])
      .filter((line) => /Scan.* on messages(_archive)?_/.test(line) && !line.includes('never executed'));
    expect(scanned).toHaveLength(1);
  });

  test('without the migrations it says what to run', async () => {
    const empty = { env: { DATABASE_URL: (await createServerDatabase()).url } };
    await runInProcess(['migrate', 'up', '--to', '0001_extensions_and_roles'], empty);
    for (const args of [[], ['list'], ['restore', OLD]]) {
      const result = await runInProcess(['archive', ...args], empty);
      expect(result.exitCode).toBe(3);
      expect(result.stderr).toContain('aisec migrate up');
    }
  });
});
