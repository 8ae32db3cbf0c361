import { setTimeout as sleep } from 'node:timers/promises';

import { beforeEach, describe, expect, test } from 'vitest';

import { diffCatalogs } from '../../../src/adapters/catalog/diff.js';
import { renderDifference } from '../../../src/adapters/catalog/difference.js';
import { readCatalog } from '../../../src/adapters/catalog/snapshot.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { createMigratedEmbedded } from '../../support/migrated-embedded.js';
import { runCli, startCli } from '../../support/run-cli.js';
import { waitFor } from '../../support/wait-for.js';
import { catalogOf, withSession } from '../catalog/catalog-session.js';
import { connectApplication, expectWhole, startChat } from './chat.js';
import { messagesFrom, monthFromNow, nameOf, ONE_CONVERSATION, rowsOf } from './messages.js';

const ROWS = 11_000;
const FIRST = monthFromNow(-3);
const SECOND = monthFromNow(-1);
const TRACES = `
  select relname::text as name from pg_class
  where relname like '%\\_drain%' or relname = 'message_default_changes'
  union all
  select tgname from pg_trigger where tgname like 'record\\_default%'`;

describeOnServer('a default partition full of several months', () => {
  let database: ServerDatabase;
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
    for (const month of [FIRST, SECOND]) await database.admin.query(messagesFrom(`${month}-01 00:00+00`, ROWS));
  });
  const env = (): { readonly DATABASE_URL: string } => ({ DATABASE_URL: database.url });
  const oidOf = async (name: string): Promise<unknown> =>
    (await rowsOf(database, `select '${name}'::regclass::oid as oid`))[0]?.['oid'];
  const waiting = `select to_char(created_at at time zone 'UTC', 'YYYY-MM') as month, count(*)::int as rows from messages_default group by 1 order by 1`;
  const allRows = `select md5(string_agg(m::text, ',' order by id)) as sum from messages m`;
  const call = (step: string): Promise<unknown> => database.admin.query(`select ${step}`);

  test('gives way to the months and a fresh one like it, and the schema is as it was', async () => {
    await database.admin.query('alter default privileges grant select, insert on tables to public');
    await database.admin.query(messagesFrom('infinity', 1));
    const before = await catalogOf(database.url, { schema: 'public' });
    const rows = await rowsOf(database, allRows);
    const full = await oidOf('messages_default');
    const run = await runCli(['partitions', 'ensure', '--json'], { env: env() });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({
      months: [
        { month: FIRST, state: 'made', rows: ROWS },
        { month: monthFromNow(-2), state: 'made', rows: 0 },
        { month: SECOND, state: 'made', rows: ROWS },
      ],
    });
    expect(await rowsOf(database, allRows)).toEqual(rows);
    expect(await rowsOf(database, 'select created_at::text from messages_default')).toEqual([
      { created_at: 'infinity' },
    ]);
    expect(await oidOf('messages_default')).not.toBe(full);
    const after = await catalogOf(database.url, { schema: 'public' });
    expect(diffCatalogs(before, after).map(renderDifference)).toEqual([]);
    expect(await rowsOf(database, TRACES)).toEqual([]);
    expect((await runCli(['partitions', 'check'], { env: env() })).stdout).not.toContain(SECOND);
  });

  test('is drained under writers of many months: no row is hidden, lost or doubled', async () => {
    const chat = await startChat(database, [FIRST, SECOND, monthFromNow(0), monthFromNow(-20), monthFromNow(40)]);
    await sleep(200);
    const run = await startCli(['partitions', 'ensure'], { env: env() }).finished;
    await sleep(100);
    const written = await chat.stop();
    expect(run).toMatchObject({ exitCode: 0 });
    expect(chat.atFirst).toBe(2 * ROWS);
    await expectWhole(database, chat.atFirst + written.length, written);
    const left = (await rowsOf(database, waiting)).map(({ month }) => month);
    expect(left).not.toContain(FIRST);
    expect(left).not.toContain(SECOND);
    expect(await rowsOf(database, TRACES)).toEqual([]);
  });

  test('hands over what was changed, moved, deleted and answered while it was copied', async () => {
    const other = '10000000-0000-4000-8000-000000000002';
    await database.admin.query(`
      insert into conversations (id, user_id) select '${other}', user_id from conversations;
      update messages set conversation_id = '${other}' where created_at < '${FIRST}-01 02:00+00'`);
    await call('begin_default_drain()');
    const change = (minute: number): string => `
      update messages set content = 'changed' where created_at = '${SECOND}-01 00:0${minute}+00';
      update messages set created_at = '${FIRST}-20 00:0${minute}+00' where created_at = '${SECOND}-01 00:1${minute}+00';
      update messages set created_at = 'infinity' where created_at = '${SECOND}-01 00:2${minute}+00';
      delete from messages where created_at = '${SECOND}-01 00:3${minute}+00';
      insert into messages (conversation_id, role, created_at, parent_id)
      select conversation_id, 'user', '${FIRST}-21 00:0${minute}+00', id from messages where created_at = '${SECOND}-01 00:4${minute}+00'`;
    await database.admin.query(change(1));
    await call(`copy_default_month('${FIRST}-01')`);
    await database.admin.query(change(2));
    await call(`copy_default_month('${SECOND}-01')`);
    await database.admin.query(change(3));
    // Its messages are copied, and their copies have no foreign key yet.
    await database.admin.query(`delete from conversations where id = '${other}'`);
    await call('protect_default_drain()');
    await database.admin.query(change(4));
    for (const month of [FIRST, SECOND]) await call(`validate_default_month('${month}-01')`);
    await database.admin.query(change(5));
    const rows = await rowsOf(database, allRows);
    await call('finish_default_drain()');
    expect(await rowsOf(database, allRows)).toEqual(rows);
    expect(await rowsOf(database, 'select count(*)::int as n from messages')).toEqual([{ n: 2 * ROWS - 120 }]);
    expect(
      await rowsOf(database, `select count(*)::int as n from ${nameOf(SECOND)} where content = 'changed'`),
    ).toEqual([{ n: 5 }]);
    expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 5 }]);
    await expectWhole(database, 2 * ROWS - 120, []);
    const unchecked = `select conname from pg_constraint where not convalidated`;
    expect(await rowsOf(database, unchecked)).toEqual([]);
  });

  test('is left as it is when a transaction holds messages, which is named, exit 5; the next run drains it', async () => {
    const reader = await connectApplication(database.url);
    await reader.query('begin');
    await reader.query('select from messages limit 1');
    const run = await runCli(['partitions', 'ensure'], { env: env() });
    expect(run).toMatchObject({ exitCode: 5 });
    expect(run.stdout + run.stderr).toMatch(/the application.*idle in transaction/su);
    expect(await rowsOf(database, waiting)).toEqual([
      { month: FIRST, rows: ROWS },
      { month: SECOND, rows: ROWS },
    ]);
    await reader.query('rollback');
    await reader.end();
    expect(await runCli(['partitions', 'ensure'], { env: env() })).toMatchObject({ exitCode: 0 });
    expect(await rowsOf(database, waiting)).toEqual([]);
    expect(await rowsOf(database, TRACES)).toEqual([]);
  });

  test('is left as it is when it was truncated or a month was made meanwhile, which can be tried again', async () => {
    await call('begin_default_drain()');
    await call(`copy_default_month('${FIRST}-01')`);
    await call('ensure_message_partitions(0)');
    await database.admin.query(`select ensure_message_partition('${FIRST}-01')`);
    await expect(call('finish_default_drain()')).rejects.toMatchObject({ code: '40001' });
    await call('begin_default_drain()');
    await call(`copy_default_month('${SECOND}-01')`);
    await database.admin.query('truncate messages_default');
    await expect(call('protect_default_drain()')).rejects.toMatchObject({ code: '40001' });
    expect(await runCli(['partitions', 'ensure'], { env: env() })).toMatchObject({ exitCode: 0 });
    expect(await rowsOf(database, TRACES)).toEqual([]);
    expect(await rowsOf(database, 'select count(*)::int as n from messages')).toEqual([{ n: ROWS }]);
  });

  test('loses nothing by kill -9 at any moment, and the next run drops what was left and completes', async () => {
    const rows = await rowsOf(database, allRows);
    let killedAtWork = 0;
    for (let kill = 0; kill < 12; kill += 1) {
      const running = startCli(['partitions', 'ensure', '--wait', '20s'], { env: env() });
      await waitFor(async () => running.child.exitCode !== null || (await rowsOf(database, TRACES)).length > 0);
      await sleep(Math.random() * 400);
      if (running.child.exitCode === null) killedAtWork += 1;
      running.child.kill('SIGKILL');
      await running.finished;
      expect(await rowsOf(database, allRows)).toEqual(rows);
    }
    expect(killedAtWork).toBeGreaterThan(0);
    expect(await runCli(['partitions', 'ensure', '--wait', '20s'], { env: env() })).toMatchObject({ exitCode: 0 });
    expect(await rowsOf(database, allRows)).toEqual(rows);
    expect(await rowsOf(database, waiting)).toEqual([]);
    expect(await rowsOf(database, TRACES)).toEqual([]);
    await expectWhole(database, 2 * ROWS, []);
  });
});

describe('a default partition full of several months, on the embedded database', () => {
  test('is drained, and the schema is as it was', async () => {
    const dataDir = await createMigratedEmbedded();
    const target = { kind: 'embedded', dataDir } as const;
    const before = await withSession(target, async (session) => {
      await session.query(
        ONE_CONVERSATION + [FIRST, SECOND].map((m) => messagesFrom(`${m}-01 00:00+00`, ROWS)).join(''),
      );
      return readCatalog(session, { schema: 'public' });
    });
    expect(await runCli(['partitions', 'ensure'], { env: { AISEC_DATA_DIR: dataDir } })).toMatchObject({ exitCode: 0 });
    await withSession(target, async (session) => {
      const after = await readCatalog(session, { schema: 'public' });
      expect(diffCatalogs(before, after).map(renderDifference)).toEqual([]);
      const { rows } = await session.query(
        `select (select count(*)::int from messages) as all, (select count(*)::int from messages_default) as waiting`,
      );
      expect(rows).toEqual([{ all: 2 * ROWS, waiting: 0 }]);
    });
  }, 180_000);
});
