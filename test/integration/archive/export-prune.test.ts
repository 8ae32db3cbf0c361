import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

import { beforeEach, expect, test } from 'vitest';

import { createEmbeddedDirectory, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { startCli } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { archivedName, createChat, fillMonth, fingerprint, monthAgo, partitionsOf } from './chat.js';

const OLD = monthAgo(40);
const OLDER = monthAgo(41);
const ROWS = 500;
const LOCK_KEY = 4711;

describeOnServer('aisec archive export and prune', () => {
  let database: ServerDatabase;
  let folder = '';
  let env: Readonly<Record<string, string>> = {};
  beforeEach(async () => {
    database = await createChat();
    folder = await createEmbeddedDirectory();
    env = { DATABASE_URL: database.url };
    for (const month of [OLDER, OLD]) await fillMonth(database, month, ROWS);
    expect((await runInProcess(['archive'], { env })).exitCode).toBe(0);
  });
  const run = (...args: readonly string[]) => runInProcess(['archive', ...args], { env, cwd: folder });
  const prune = (...args: readonly string[]) => run('prune', '--older-than', '3y', ...args);
  const confirm = (): readonly string[] => ['--confirm', database.name];

  test('writes every message once, in order, with a manifest that says so; nobody else can read the file', async () => {
    const result = await run('export', OLD, '--out', 'out.gz', '--json');
    expect(result.exitCode).toBe(0);
    const file = path.join(folder, 'out.gz');
    const bytes = readFileSync(file);
    const manifest = JSON.parse(readFileSync(`${file}.manifest.json`, 'utf8'));
    const content = gunzipSync(bytes);
    expect(manifest).toMatchObject({
      month: OLD,
      rows: ROWS,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      contentSha256: createHash('sha256').update(content).digest('hex'),
      schemaVersion: expect.stringMatching(/^00\d\d_/),
    });
    expect(JSON.parse(result.stdout)).toMatchObject({ outcome: 'exported', rows: ROWS, sha256: manifest.sha256 });
    const { rows } = await database.admin.query(
      `select row_to_json(a)::text as line from ${archivedName(OLD)} a order by created_at, id`,
    );
    expect(content.toString('utf8')).toBe(rows.map(({ line }) => `${line}\n`).join(''));
    expect(content.toString('utf8')).toContain('12345678901234567890.10');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual(['out.gz', 'out.gz.manifest.json']);
  });

  test('as CSV is read by COPY into the very same rows', async () => {
    expect((await run('export', OLD, '--out', 'out.csv.gz', '--format', 'csv')).exitCode).toBe(0);
    const csv = gunzipSync(readFileSync(path.join(folder, 'out.csv.gz')));
    writeFileSync(path.join(folder, 'out.csv'), csv);
    await database.admin.query('create table loaded (like messages_archive)');
    execFileSync('psql', [
      '-qX',
      database.url,
      '-c',
      `\\copy loaded from '${path.join(folder, 'out.csv')}' csv header`,
    ]);
    const { rows } = await database.admin.query(
      `select (select count(*)::int from loaded) as loaded, (select count(*)::int from (table loaded except table ${archivedName(OLD)}) d) as differing`,
    );
    expect(rows).toEqual([{ loaded: ROWS, differing: 0 }]);
  });

  test('a second time has nothing to do; another file of that name is never overwritten', async () => {
    await run('export', OLD, '--out', 'out.gz');
    const again = await run('export', OLD, '--out', 'out.gz', '--json');
    expect(again.exitCode).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'present', rows: ROWS });
    writeFileSync(path.join(folder, 'mine'), 'precious');
    for (const file of ['mine', 'out.gz']) {
      const refused = await run('export', OLDER, '--out', file);
      expect(refused.exitCode).toBe(6);
      expect(refused.stderr).toContain('exists');
    }
    expect(readFileSync(path.join(folder, 'mine'), 'utf8')).toBe('precious');
  });

  test('a directory that cannot be written leaves nothing behind', async () => {
    const missing = await run('export', OLD, '--out', 'no/such/folder/out.gz');
    expect(missing.exitCode).toBe(2);
    const full = await run('export', OLD, '--out', '/dev/full');
    expect(full.exitCode).toBe(6);
    expect(readdirSync(folder)).toEqual([]);
    expect((await run('export', monthAgo(2), '--out', 'x')).exitCode).toBe(2);
    expect((await run('export', '2024-13', '--out', 'x')).exitCode).toBe(2);
    expect((await run('export', OLD)).exitCode).toBe(2);
  });

  test('a dry run of an export counts the messages, refuses what the run would, and writes nothing', async () => {
    const dry = await run('export', OLD, '--out', 'out.gz', '--dry-run', '--json');
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(dry.stdout)).toMatchObject({ outcome: 'planned', rows: ROWS, sha256: null });
    expect((await run('export', OLD, '--out', 'no/such/out.gz', '--dry-run')).exitCode).toBe(2);
    expect((await run('export', monthAgo(2), '--out', 'out.gz', '--dry-run')).exitCode).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
    const unknown = await run('restore', monthAgo(50));
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
    expect(unknown.stderr).toContain('the archive has no month');
  });

  test('prune keeps what no export proves, and deletes for good what one does, after the name was given', async () => {
    await run('export', OLD, '--out', 'out.gz');
    const unconfirmed = await prune();
    expect(unconfirmed.exitCode).toBe(6);
    const misnamed = await prune('--confirm', 'other');
    expect(misnamed.exitCode).toBe(6);
    const dry = await prune('--dry-run', '--json');
    expect(JSON.parse(dry.stdout).months.map(({ outcome }: never) => outcome)).toEqual(['kept', 'planned']);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([archivedName(OLDER), archivedName(OLD)]);

    const before = (await fingerprint(database)) as { messages: number; files: number };
    const done = await prune(...confirm(), '--json');
    expect(done.exitCode).toBe(3);
    expect(JSON.parse(done.stdout).months).toMatchObject([
      { month: OLDER, outcome: 'kept' },
      { month: OLD, outcome: 'pruned', deletedKeys: ROWS },
    ]);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([archivedName(OLDER)]);
    const after = (await fingerprint(database)) as { messages: number; keys: number; good_keys: number; files: number };
    expect(after.messages).toBe(before.messages - ROWS);
    expect(after.keys).toBe(after.messages);
    expect(after.good_keys).toBe(after.messages);
    expect(after.files).toBe(before.files - ROWS / 10);

    const rest = await prune('--without-export', ...confirm());
    expect(rest.exitCode).toBe(0);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([]);
    const nothing = await prune(...confirm());
    expect(nothing.exitCode).toBe(0);
    expect(nothing.stderr).toContain('nothing was pruned');
  });

  test('prune does not believe a damaged file, a manifest of another month, or one without a later message', async () => {
    await run('export', OLD, '--out', 'out.gz');
    const file = path.join(folder, 'out.gz');
    const reason = async (...more: readonly string[]): Promise<string> => {
      const result = await prune('--dry-run', '--json', ...more);
      return JSON.parse(result.stdout).months[1].reason ?? '';
    };
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad.writeUInt8((bad[bad.length >> 1] ?? 0) ^ 1, bad.length >> 1);
    writeFileSync(file, bad);
    expect(await reason()).not.toBe('');
    writeFileSync(file, good.subarray(0, good.length - 20));
    expect(await reason()).not.toBe('');
    writeFileSync(file, good);
    expect(await reason()).toBe('');

    const other = path.join(folder, 'other');
    mkdirSync(other);
    expect(await reason('--exports', other)).toContain('no export');
    for (const name of ['out.gz', 'out.gz.manifest.json'])
      copyFileSync(path.join(folder, name), path.join(other, name));
    expect(await reason('--exports', other)).toBe('');

    await database.admin.query(
      `insert into messages_archive (conversation_id, role, created_at) select id, 'user', $1::date + 3 from conversations limit 1`,
      [`${OLD}-01`],
    );
    expect(await reason()).toContain('is not in the file');
    await database.admin.query(`delete from messages_archive where content is null and metadata is null`);
    await database.admin.query(
      `update messages_archive set content = 'changed' where id = (select id from ${archivedName(OLD)} limit 1)`,
    );
    expect(await reason()).toContain('is not in the file as it is now');
    expect(existsSync(file)).toBe(true);
  });

  test('prune still believes an export after a message it answers was pruned or deleted', async () => {
    await database.admin.query(
      `update messages_archive set parent_id = (select id from ${archivedName(OLDER)} limit 1)
       where id in (select id from ${archivedName(OLD)} limit 30)`,
    );
    for (const [month, format] of [
      [OLD, 'csv'],
      [OLDER, 'ndjson'],
    ] as const)
      await run('export', month, '--out', `${month}.gz`, '--format', format);
    await database.admin.query(
      `delete from messages_archive where id = (select id from ${archivedName(OLD)} order by created_at desc limit 1)`,
    );
    const done = await prune(...confirm(), '--json');
    expect(done.exitCode).toBe(0);
    expect(JSON.parse(done.stdout).months.map(({ outcome }: never) => outcome)).toEqual(['pruned', 'pruned']);
    const { rows } = await database.admin.query(
      `select count(*)::int as n from archive_journal where action = 'prune' and finished_at is not null`,
    );
    expect(rows).toEqual([{ n: 2 }]);
  });

  test('prune lets no message join a month it is about to drop, and keeps those that came in by hand', async () => {
    await run('export', OLD, '--out', 'out.gz');
    await database.admin
      .query(`create function slow() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(${LOCK_KEY}); return old; end $$;
      create trigger slow before delete on message_keys for each row execute function slow();
      select pg_advisory_lock(${LOCK_KEY})`);
    const pruning = startCli(['archive', 'prune', '--older-than', '3y', '--batch', '20', ...confirm()], {
      env,
      cwd: folder,
    });
    await waitFor(async () => {
      const { rowCount } = await database.admin.query(`select from archive_journal where action = 'prune'`);
      return rowCount === 1;
    });
    await database.admin.query(
      `insert into messages (conversation_id, role, created_at) select id, 'user', $1::date + 1 from conversations limit 1`,
      [`${OLD}-01`],
    );
    await expect(database.admin.query(`select archive_old_messages()`)).rejects.toMatchObject({ code: '55P03' });
    await database.admin.query(
      `insert into messages_archive (id, conversation_id, role, created_at) select '20000000-0000-4000-8000-000000000001', id, 'user', $1::date from conversations limit 1`,
      [`${OLD}-01`],
    );
    await database.admin.query(`select pg_advisory_unlock(${LOCK_KEY})`);
    const result = await pruning.finished;
    expect(result.stderr).toContain('messages were added to');
    expect(result.exitCode).toBe(1);
    const { rows } = await database.admin.query(
      `select count(*)::int as kept from messages_archive where id = '20000000-0000-4000-8000-000000000001'`,
    );
    expect(rows).toEqual([{ kept: 1 }]);
    const restore = await run('restore', OLD);
    expect(restore.stderr).toContain('is being pruned');
    expect((await run('export', OLD, '--out', 'again.gz')).exitCode).toBe(0);
    await database.admin.query('drop trigger slow on message_keys');
    expect((await prune(...confirm())).stderr).toContain('1 pruned');
  });
});
