import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Kysely } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { createDatabase, eraseUser, exportUser, poolStats, withUser, type ErasureStep } from '../../../src/index.js';
import type { DB } from '../../../src/schema/index.js';
import { chance, rounds } from '../../support/chance.js';
import { describeOnServer } from '../../support/database.js';
import { readZip } from '../../support/read-zip.js';
import { createServiceDatabase, userId, type ServiceDatabase } from './service-role.js';

const SUPPORT = new URL('../../support/', import.meta.url).href;
const [HANAKO, TARO] = [userId(1), userId(2)];

/** 200 messages of each, in three months, two of which are archived. */
const FILL = `
  insert into messages (conversation_id, role, content, created_at)
  select conversations.id, 'user', 'text ' || n, timestamptz '2026-03-02 00:00:00+00' + n * interval '20 hours'
  from conversations, generate_series(1, 100) n
  where user_id in ('${HANAKO}', '${TARO}');
  select aisec_archive_month('2026-03-01');
  select aisec_archive_month('2026-04-01')`;

const LEFT = `
  select (select count(*)::int from users where id = '${HANAKO}') as users,
    (select count(*)::int from conversations where user_id = '${HANAKO}') as conversations,
    (select count(*)::int from all_messages) as messages,
    (select count(*)::int from message_keys) as keys,
    (select count(*)::int from users where id <> '${HANAKO}') as others`;

describeOnServer('exportUser and eraseUser of the client', () => {
  let service: ServiceDatabase;
  let db: Kysely<DB>;
  let directory = '';

  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-person-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(async () => {
    service = await createServiceDatabase(3);
    await service.database.admin.query(
      `select aisec_make_message_partitions(array['2026-03-01', '2026-04-01', '2026-05-01']::date[])`,
    );
    for (const sql of FILL.split(';\n')) await service.database.admin.query(sql);
    db = createDatabase({ url: service.database.url, poolSize: 1, maxOverflow: 1 });
  });
  afterEach(() => db.destroy());

  const left = async (): Promise<unknown> => (await service.database.admin.query(LEFT)).rows[0];
  test('erases in steps, in the order of a job, and each further call gives the one certificate', async () => {
    const first = await eraseUser(db, HANAKO, { anonymise: ['api_usage'], withinMs: 1 });
    expect(first).toEqual({ status: 'working', rows: expect.any(Number) });
    expect(await left()).toMatchObject({ users: 1 });
    let step: ErasureStep = first;
    for (let count = 1; step.status === 'working'; count += 1) {
      // What was asked for first holds.
      step = await eraseUser(db, HANAKO, { withinMs: 3000 * count });
      expect(count).toBeLessThan(100);
    }
    expect(step).toMatchObject({
      status: 'done',
      certificate: { user: HANAKO, hits: [], months: ['2026-03', '2026-04', '2026-05'] },
    });
    expect(await left()).toEqual({ users: 0, conversations: 0, messages: 200, keys: 200, others: 2 });
    expect(await eraseUser(db, HANAKO)).toEqual(step);
    const { rows } = await service.database.admin.query('select subject, options from erasures');
    expect(rows).toEqual([{ subject: null, options: { shared: 'refuse', anonymise: ['"public"."api_usage"'] } }]);
    // The connection that was used is closed, and another one serves.
    expect(poolStats(db)).toMatchObject({ inUse: 0, waiting: 0 });
    const own = await db.selectFrom('conversations').select('id').where('user_id', '=', TARO).execute();
    expect(own).toHaveLength(2);
  });

  test('while one worker is at it, another one is told so', async () => {
    const second = createDatabase<DB>({ url: service.database.url, poolSize: 1, maxOverflow: 1 });
    const { admin } = service.database;
    await admin.query('begin');
    await admin.query(`select from conversations where user_id = '${HANAKO}' for update`);
    let first: Promise<ErasureStep> | undefined;
    await new Promise<void>((resolve) => {
      first = eraseUser(db, HANAKO, {
        withinMs: 60_000,
        onProgress: (text) => {
          if (text.startsWith('deleting')) resolve();
        },
      });
    });
    expect(await eraseUser(second, HANAKO)).toEqual({ status: 'busy' });
    await admin.query('commit');
    expect(await first).toMatchObject({ status: 'done' });
    expect(await eraseUser(second, HANAKO)).toEqual(await first);
    await second.destroy();
  });

  test('a step ends in time although another session has locked a row, and the next one continues', async () => {
    const { admin } = service.database;
    await admin.query('begin');
    await admin.query(`select from conversations where user_id = '${HANAKO}' for update`);
    expect(await eraseUser(db, HANAKO, { withinMs: 500 })).toMatchObject({ status: 'working' });
    await admin.query('commit');
    expect(await eraseUser(db, HANAKO, { withinMs: 60_000 })).toMatchObject({ status: 'done' });
  });

  test('a signal ends a step with its reason, wherever it is; the next step continues', async () => {
    const reason = new Error('the worker shuts down');
    for (const word of ['deleting', 'searching']) {
      const controller = new AbortController();
      const step = eraseUser(db, HANAKO, {
        withinMs: 60_000,
        signal: controller.signal,
        onProgress: (text) => {
          if (text.startsWith(word)) controller.abort(reason);
        },
      });
      await expect(step).rejects.toBe(reason);
    }
    expect(await eraseUser(db, HANAKO, { withinMs: 60_000 })).toMatchObject({
      status: 'done',
      certificate: { hits: [] },
    });
    expect(await left()).toMatchObject({ users: 0, messages: 200 });
    await expect(eraseUser(db, HANAKO, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('a worker whose connection is lost is told so, and another one continues', async () => {
    const end = `select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = current_database() and application_name = 'ai_secretary_platform' and pid <> pg_backend_pid()`;
    // It does not come to its end before.
    const holder = new pg.Client({ connectionString: service.database.url });
    await holder.connect();
    await holder.query(`begin; select from conversations where user_id = '${HANAKO}' for update`);
    let ended: Promise<unknown> | undefined;
    const step = eraseUser(db, HANAKO, {
      withinMs: 60_000,
      onProgress: (text) => {
        if (text.startsWith('deleting')) ended ??= service.database.admin.query(end);
      },
    });
    await expect(step).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await ended;
    await holder.end();
    expect(await eraseUser(db, HANAKO, { withinMs: 60_000 })).toMatchObject({ status: 'done' });
    expect(await left()).toMatchObject({ users: 0, conversations: 0, others: 2 });
  });

  test('a worker that is killed at any moment is started again, and the last one gives the certificate', async () => {
    const random = chance();
    const work = (killAt: number): Promise<{ readonly signal: string | null; readonly stdout: string }> =>
      new Promise((resolve) => {
        const env = { PATH: process.env['PATH'], KILL_AT_QUERY: String(killAt) };
        const args = ['--import', `${SUPPORT}kill-at-query.js`, fileURLToPath(`${SUPPORT}erase-worker.js`)];
        execFile(process.execPath, [...args, service.database.url, HANAKO], { env }, (error, stdout) =>
          resolve({ signal: error?.signal ?? null, stdout }),
        );
      });
    const signals: (string | null)[] = [];
    for (let kill = 0; kill < rounds(3, 40); kill += 1)
      // The first one early: however few statements it sends in all, it is hit.
      signals.push((await work(10 + Math.floor(random() * (kill === 0 ? 40 : 200)))).signal);
    expect(signals).toContain('SIGKILL');
    const { signal, stdout } = await work(Infinity);
    expect(signal).toBeNull();
    expect(JSON.parse(stdout)).toMatchObject({ status: 'done', certificate: { user: HANAKO, hits: [] } });
    expect(await left()).toEqual({ users: 0, conversations: 0, messages: 200, keys: 200, others: 2 });
  });

  test('refuses what it cannot do, and nothing is changed', async () => {
    const before = await left();
    await expect(eraseUser(db, 'user1')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(eraseUser(db, userId(9))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('there is no user'),
    });
    await expect(eraseUser(db, HANAKO, { withinMs: 0 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(eraseUser(db, HANAKO, { backupsKept: '30' })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(eraseUser(db, HANAKO, { within: 5 } as object)).rejects.toMatchObject({
      hint: 'Did you mean "withinMs"?',
    });
    const own = createDatabase<DB>({ url: service.url });
    await expect(eraseUser(own, HANAKO)).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' });
    await own.destroy();
    await expect(withUser(db, TARO, () => eraseUser(db, HANAKO))).rejects.toMatchObject({ code: 'USER_SCOPE' });
    await service.database.admin.query(`update assistants set is_public = true where user_id = '${HANAKO}'`);
    await service.database.admin.query(
      `insert into conversations (user_id, assistant_id) select '${TARO}', id from assistants where user_id = '${HANAKO}'`,
    );
    await expect(eraseUser(db, HANAKO)).rejects.toMatchObject({ code: 'ERASE_BLOCKED' });
    expect(await left()).toEqual(before);
    expect(await eraseUser(db, HANAKO, { withinMs: 60_000, shared: { handOverTo: TARO } })).toMatchObject({
      status: 'done',
    });
  });

  test('exports to a file for its owner only, again where it was asked to, and leaves none when it was stopped', async () => {
    const file = path.join(directory, 'hanako.zip');
    const written = await exportUser(db, HANAKO, { file, language: 'ja' });
    expect(written).toMatchObject({ user: HANAKO, file, scope: 'policies', months: [] });
    expect(written.tables).toContainEqual(expect.objectContaining({ table: 'public.messages_archive', hiddenRows: 0 }));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect([...readZip(file).keys()]).toEqual(expect.arrayContaining(['index.html', 'manifest.json']));
    await expect(exportUser(db, HANAKO, { file })).rejects.toMatchObject({ code: 'REFUSED' });
    expect(await exportUser(db, HANAKO, { file, replaces: true })).toMatchObject({ rows: written.rows });

    const stopped = path.join(directory, 'stopped.zip');
    const controller = new AbortController();
    const reason = new Error('the worker shuts down');
    const run = exportUser(db, HANAKO, {
      file: stopped,
      signal: controller.signal,
      onProgress: (text) => {
        if (text === 'writing the file') controller.abort(reason);
      },
    });
    await expect(run).rejects.toBe(reason);
    expect([existsSync(stopped), existsSync(`${stopped}.partial`)]).toEqual([false, false]);
  });
});
