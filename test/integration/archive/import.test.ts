import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { beforeEach, expect, test } from 'vitest';

import { createEmbeddedDirectory, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { archivedName, createChat, fillMonth, fingerprint, monthAgo, partitionsOf } from './chat.js';

const OLD = monthAgo(40);
const ROWS = 200;

describeOnServer('aisec archive import', () => {
  let database: ServerDatabase;
  let folder = '';
  let env: Readonly<Record<string, string>> = {};
  beforeEach(async () => {
    database = await createChat();
    folder = await createEmbeddedDirectory();
    env = { DATABASE_URL: database.url };
    await fillMonth(database, OLD, ROWS);
    expect((await runInProcess(['archive'], { env })).exitCode).toBe(0);
  });
  const run = (...args: readonly string[]) => runInProcess(['archive', ...args], { env, cwd: folder });
  const prune = () => run('prune', '--older-than', '3y', '--confirm', database.name);
  /** The messages of the month; files and replies lose their references to a pruned message for good. */
  const month = async (): Promise<unknown> =>
    (
      await database.admin.query(
        `select count(*)::int as n, md5(string_agg((id, conversation_id, role, content, parent_id, metadata, created_at)::text, '' order by id)) as content
         from all_messages where created_at >= $1::date and created_at < $1::date + interval '1 month'`,
        [`${OLD}-01`],
      )
    ).rows[0];

  test('a file that is not there is an unknown name', async () => {
    const missing = await run('import', 'nowhere.gz');
    expect(missing).toMatchObject({ exitCode: 2, stdout: '' });
    expect(missing.stderr).toContain(`there is no file "${path.join(folder, 'nowhere.gz')}"`);
  });

  test.each([
    ['ndjson', 'archive'],
    ['csv', 'messages'],
  ] as const)(
    'reads a pruned month back from %s into %s, and has nothing to do the second time',
    async (format, into) => {
      const before = await month();
      expect((await run('export', OLD, '--out', 'out.gz', '--format', format)).exitCode).toBe(0);
      expect((await prune()).exitCode).toBe(0);
      const pruned = await fingerprint(database);
      const dry = await run('import', 'out.gz', '--into', into, '--dry-run', '--json');
      expect(JSON.parse(dry.stdout)).toMatchObject({ outcome: 'planned', month: OLD, rows: ROWS, fileRows: ROWS });
      expect(await fingerprint(database)).toEqual(pruned);
      const done = await run('import', 'out.gz', '--into', into, '--json');
      expect(done.exitCode, done.stderr).toBe(0);
      expect(JSON.parse(done.stdout)).toMatchObject({
        outcome: 'imported',
        rows: ROWS,
        skippedRows: 0,
        nulledParents: 0,
      });
      expect(await month()).toEqual(before);
      const found = (await fingerprint(database)) as { messages: number; keys: number; good_keys: number };
      expect(found).toMatchObject({ keys: found.messages, good_keys: found.messages });
      const again = await run('import', 'out.gz', '--into', into, '--json');
      expect(again.exitCode).toBe(0);
      expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'present', rows: 0 });
      const { rows } = await database.admin.query(
        `select row_count::int, file_rows::int, file_sha256 from archive_journal where action = 'import'`,
      );
      const manifest = JSON.parse(readFileSync(path.join(folder, 'out.gz.manifest.json'), 'utf8'));
      expect(rows).toEqual([{ row_count: ROWS, file_rows: ROWS, file_sha256: manifest.sha256 }]);
      await database.admin.query('delete from users');
      expect((await database.admin.query('select from all_messages')).rowCount).toBe(0);
      expect((await database.admin.query('select from message_keys')).rowCount).toBe(0);
    },
  );

  test('a month whose messages have further columns of any name is exported and read back', async () => {
    for (const table of ['messages', 'messages_archive'])
      await database.admin.query(
        `alter table ${table} add column line integer default 1, add column whole text, add column value bigint default 9007199254740993`,
      );
    const before = await month();
    expect((await run('export', OLD, '--out', 'out.gz')).exitCode).toBe(0);
    expect((await prune()).exitCode).toBe(0);
    const done = await run('import', 'out.gz', '--json');
    expect(done.exitCode, done.stderr).toBe(0);
    expect(await month()).toEqual(before);
    const { rows } = await database.admin.query(
      'select distinct line, whole, value::text from messages_archive where created_at >= $1::date',
      [`${OLD}-01`],
    );
    expect(rows).toEqual([{ line: 1, whole: null, value: '9007199254740993' }]);
  });

  test('names the ids that exist, changes nothing, and never overwrites a message', async () => {
    await run('export', OLD, '--out', 'out.gz');
    const { rows } = await database.admin.query(
      `delete from messages_archive where id in (select id from ${archivedName(OLD)} order by id limit 10) returning id`,
    );
    await database.admin.query(`update messages_archive set content = 'edited since'`);
    const before = await fingerprint(database);
    const refused = await run('import', 'out.gz');
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain('and 185 more');
    expect(refused.stderr).not.toContain(rows[0].id);
    const other = await run('import', 'out.gz', '--into', 'messages');
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain(`month ${OLD} is in messages_archive`);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('refuses a damaged file, a file without its manifest, one of another table layout', async () => {
    await run('export', OLD, '--out', 'out.gz');
    await prune();
    const before = await fingerprint(database);
    const file = path.join(folder, 'out.gz');
    const good = readFileSync(file);
    const refuse = async (text: string): Promise<void> => {
      const refused = await run('import', 'out.gz');
      expect(refused.stderr).toContain(text);
      expect(refused.exitCode).toBe(3);
      expect(await fingerprint(database)).toEqual(before);
      expect(await partitionsOf(database, 'messages_archive')).toEqual([]);
    };
    const bad = Buffer.from(good);
    bad.writeUInt8((bad[bad.length >> 1] ?? 0) ^ 1, bad.length >> 1);
    writeFileSync(file, bad);
    await refuse('could not use the export');
    writeFileSync(file, good.subarray(0, good.length - 20));
    await refuse('could not use the export');
    writeFileSync(file, good);
    for (const table of ['messages', 'messages_archive'])
      await database.admin.query(`alter table ${table} add column mood text not null default 'calm'`);
    await database.admin.query(`alter table messages alter column mood drop default`);
    await database.admin.query(`alter table messages_archive alter column mood drop default`);
    await refuse('lacks column "mood"');
    expect((await run('import', 'nothing.gz')).exitCode).toBe(2);
    expect((await run('import')).exitCode).toBe(2);
    expect((await run('import', 'out.gz', '--into', 'nowhere')).exitCode).toBe(2);
  });

  test('lists what the messages refer to and does not exist, and imports without it when told so', async () => {
    await database.admin.query(
      `update messages_archive set parent_id = (select id from messages where content = 'reply' order by id limit 1)
       where id in (select id from ${archivedName(OLD)} where parent_id is null order by id limit 7)`,
    );
    await run('export', OLD, '--out', 'out.gz');
    await prune();
    await database.admin.query(
      `delete from messages where id = (select id from messages where content = 'reply' order by id limit 1);
       delete from conversations where id = '10000000-0000-4000-8000-000000000003'`,
    );
    const before = await fingerprint(database);
    const refused = await run('import', 'out.gz');
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain('--skip-orphans');
    expect(refused.stderr).toContain('--null-missing-references');
    expect((await run('import', 'out.gz', '--skip-orphans')).exitCode).toBe(3);
    expect(await fingerprint(database)).toEqual(before);
    const done = await run('import', 'out.gz', '--skip-orphans', '--null-missing-references', '--json');
    expect(done.exitCode).toBe(0);
    const result = JSON.parse(done.stdout);
    expect(result).toMatchObject({ outcome: 'imported', skippedRows: 10, rows: ROWS - 10 });
    expect(result.nulledParents).toBeGreaterThan(5);
    const found = (await fingerprint(database)) as { messages: number; keys: number; good_keys: number };
    expect(found).toMatchObject({ keys: found.messages, good_keys: found.messages });
    const { rows } = await database.admin.query(
      `select count(*)::int as lost from all_messages m
       where not exists (select from conversations c where c.id = m.conversation_id)
          or (m.parent_id is not null and not exists (select from message_keys k where k.id = m.parent_id))`,
    );
    expect(rows).toEqual([{ lost: 0 }]);
  });
});

describeOnServer('the exports of a month that has changed since', () => {
  test.each([
    ['deleted', `delete from messages_archive where id = (select id from messages_archive limit 1)`],
    ['edited', `update messages_archive set content = 'edited' where id = (select id from messages_archive limit 1)`],
    [
      'added',
      `insert into messages_archive (conversation_id, role, created_at) select id, 'user', '${OLD}-02' from conversations limit 1`,
    ],
  ])(
    'are stale when a message was %s: export says so, --replace writes the file again, list shows it',
    async (_, sql) => {
      const database = await createChat();
      const folder = await createEmbeddedDirectory();
      const env = { DATABASE_URL: database.url };
      const run = (...args: readonly string[]) => runInProcess(['archive', ...args], { env, cwd: folder });
      await fillMonth(database, OLD, 50);
      await run();
      await run('export', OLD, '--out', 'out.gz');
      const state = async (...more: readonly string[]): Promise<string> => {
        const list = await run('list', '--json', ...more);
        return JSON.parse(list.stdout).months[0].exports[0].state;
      };
      expect(await state('--verify')).toBe('complete');
      await database.admin.query(sql);
      expect(await state('--verify')).toBe('stale');
      const again = await run('export', OLD, '--out', 'out.gz');
      expect(again.exitCode).toBe(6);
      expect(again.stderr).toContain('--replace');
      const replaced = await run('export', OLD, '--out', 'out.gz', '--replace', '--json');
      expect(JSON.parse(replaced.stdout)).toMatchObject({ outcome: 'replaced' });
      expect(await state('--verify')).toBe('complete');
      const listed = await run('list');
      expect(listed.stderr).not.toContain('stale');
      writeFileSync(path.join(folder, 'mine'), 'precious');
      expect((await run('export', OLD, '--out', 'mine', '--replace')).exitCode).toBe(6);
      expect(readFileSync(path.join(folder, 'mine'), 'utf8')).toBe('precious');
    },
  );
});
