import pg from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { describeOnPrivateServer, startPrivateServer } from '../support/private-server.js';
import { waitFor } from '../support/wait-for.js';
import { messagesFrom, monthFromNow, ONE_CONVERSATION, rowsOf } from '../integration/partitions/messages.js';

const ensureIn = (url: string, ...args: readonly string[]): Promise<CliResult> =>
  runInProcess(['partitions', 'ensure', ...args], { env: { DATABASE_URL: url } });
const ALL = `select id::text, created_at::text, content from all_messages order by id`;

describeOnServer('partitions ensure of messages in a publication', () => {
  let database: ServerDatabase;
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
    await database.admin.query(messagesFrom(`${monthFromNow(-1)}-07 00:00+00`, 5));
  });

  test.each([
    [
      'that publishes partitions by their own names',
      'create publication p for table messages',
      'publish_via_partition_root',
    ],
    [
      'of one partition',
      'create publication p for table messages_default with (publish_via_partition_root = true)',
      'drop table',
    ],
    [
      'of every table',
      'create publication p for all tables with (publish_via_partition_root = true)',
      'create publication p for table',
    ],
    [
      'of the schema',
      'create publication p for tables in schema public with (publish_via_partition_root = true)',
      'create publication p for table',
    ],
  ])(
    '%s is refused before anything is changed, and the statement that it prints makes it possible',
    async (_, create, fix) => {
      await database.admin.query(create);
      for (const args of [['--dry-run'], []]) {
        const run = await ensureIn(database.url, '--json', ...args);
        expect(run).toMatchObject({ exitCode: 1 });
        expect(run.stderr).toContain('PARTITION_NOT_MADE');
      }
      const { months } = JSON.parse((await ensureIn(database.url, '--json')).stdout) as {
        months: readonly { fix: string }[];
      };
      expect(months[0]?.fix).toContain(fix);
      expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 5 }]);
      const check = await runInProcess(['partitions', 'check', '--json'], { env: { DATABASE_URL: database.url } });
      const { findings } = JSON.parse(check.stdout) as { findings: readonly { kind: string; fix: string }[] };
      expect(check.exitCode).toBe(3);
      expect(findings.find(({ kind }) => kind === 'publication')?.fix).toBe(months[0]?.fix);

      await database.admin.query(months[0]?.fix ?? '');
      expect(await ensureIn(database.url)).toMatchObject({ exitCode: 0 });
      expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 0 }]);
    },
  );

  test('of messages alone leaves late rows where they are, since a subscriber would lose them', async () => {
    const archived = monthFromNow(-9);
    await database.admin.query(`select ensure_message_partitions(0, '${archived}-01')`);
    await database.admin.query(messagesFrom(`${archived}-03 00:00+00`, 10));
    await database.admin.query(`select archive_old_messages('8 months')`);
    await database.admin.query(messagesFrom(`${archived}-04 00:00+00`, 7));
    await database.admin.query(`drop table messages_y${monthFromNow(-2).replace('-', 'm')}`);
    await database.admin.query(messagesFrom(`${monthFromNow(-2)}-04 00:00+00`, 3));
    await database.admin.query('create publication p for table messages with (publish_via_partition_root = true)');
    const run = await ensureIn(database.url, '--json');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ lateRows: 0, rowsOfArchive: [{ month: archived, rows: 7 }] });
    expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 7 }]);
  });
});

describeOnPrivateServer('a subscriber of messages', () => {
  const clients: pg.Client[] = [];
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  });

  async function connect(url: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  }

  interface Pair {
    readonly urls: { readonly publisher: string; readonly subscriber: string };
    readonly publisher: pg.Client;
    readonly subscriber: pg.Client;
  }

  /** Two migrated databases; the second subscribes to the messages of the first, both tables of them. */
  async function startPair(): Promise<Pair> {
    const server = await startPrivateServer({ wal_level: 'logical', fsync: 'off', max_locks_per_transaction: '256' });
    const urls = {
      publisher: await server.createDatabase('publisher', { migrated: true }),
      subscriber: await server.createDatabase('subscriber', { migrated: true }),
    };
    const publisher = await connect(urls.publisher);
    const subscriber = await connect(urls.subscriber);
    await publisher.query(`
      create publication cdc for table users, conversations, messages, messages_archive
        with (publish_via_partition_root = true)`);
    await publisher.query("select pg_create_logical_replication_slot('cdc', 'pgoutput')");
    await subscriber.query(`
      create subscription cdc connection '${urls.publisher}' publication cdc
        with (create_slot = false, slot_name = 'cdc', copy_data = false)`);
    await publisher.query(ONE_CONVERSATION);
    return { urls, publisher, subscriber };
  }

  /** When the subscriber has applied everything, it has the same messages, each with its key. */
  async function expectSame({ publisher, subscriber }: Pair): Promise<number> {
    const { rows: messages } = await publisher.query(ALL);
    const { rows: position } = await publisher.query('select pg_current_wal_lsn()::text as lsn');
    await waitFor(async () => {
      const { rows } = await publisher.query(
        `select from pg_replication_slots where slot_name = 'cdc' and confirmed_flush_lsn >= $1`,
        [position[0].lsn],
      );
      return rows.length > 0;
    });
    expect((await subscriber.query(ALL)).rows).toEqual(messages);
    expect((await subscriber.query('select count(*)::int as n from message_keys')).rows).toEqual([
      { n: messages.length },
    ]);
    expect((await subscriber.query('select apply_error_count::int as n from pg_stat_subscription_stats')).rows).toEqual(
      [{ n: 0 }],
    );
    return messages.length;
  }

  async function unsubscribe({ subscriber }: Pair): Promise<void> {
    await subscriber.query('alter subscription cdc disable');
    await subscriber.query('alter subscription cdc set (slot_name = none)');
    await subscriber.query('drop subscription cdc');
  }

  test('holds the same messages after months were archived, late ones moved, and a month restored', async () => {
    const pair = await startPair();
    const { urls, publisher } = pair;
    const run = async (url: string, ...args: readonly string[]): Promise<void> => {
      const { exitCode, stdout, stderr } = await runInProcess(args, { env: { DATABASE_URL: url } });
      expect(exitCode, stdout + stderr).toBe(0);
    };
    const months = [-10, -9, -6].map(monthFromNow);
    for (const url of Object.values(urls)) await run(url, 'partitions', 'ensure', '--since', months[0] ?? '');
    for (const month of months) await publisher.query(messagesFrom(`${month}-05 00:00+00`, 200));
    expect(await expectSame(pair)).toBe(600);
    for (const url of Object.values(urls)) await run(url, 'archive', '--older-than', '7mo');
    await publisher.query(messagesFrom(`${months[0] ?? ''}-20 00:00+00`, 30));
    await publisher.query(`delete from messages where content = 'text 7'`);
    await run(urls.publisher, 'archive', '--older-than', '7mo');
    await publisher.query(`update messages_archive set content = 'edited' where content = 'text 8'`);
    expect(await expectSame(pair)).toBe(600 + 30 - 2);
    for (const url of Object.values(urls)) await run(url, 'archive', 'restore', months[1] ?? '');
    await publisher.query(`delete from messages where content = 'text 9'`);
    await publisher.query('delete from messages_archive where content = $1', ['text 10']);
    await expectSame(pair);
    const refused = await runInProcess(
      ['archive', 'prune', '--older-than', '9mo', '--without-export', '--confirm', 'publisher'],
      {
        env: { DATABASE_URL: urls.publisher },
      },
    );
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain(`alter publication cdc set (publish = 'insert, update')`);
    await expectSame(pair);
    await unsubscribe(pair);
  });

  test('holds the same messages after the draining of publisher and subscriber, with writers at work', async () => {
    const pair = await startPair();
    const { urls, publisher, subscriber } = pair;
    for (const offset of [-3, -1]) await publisher.query(messagesFrom(`${monthFromNow(offset)}-01 00:00+00`, 1500));

    let isOver = false;
    const writing = (async () => {
      const writer = await connect(urls.publisher);
      for (let n = 0; !isOver; n += 1) {
        await writer.query(messagesFrom(`${monthFromNow(n % 2 === 0 ? -3 : -1)}-20 00:00:${n % 60}+00`, 1));
        await writer.query(`update messages set content = 'changed' where content = 'text ${n}'`);
        await writer.query(`delete from messages where content = 'text ${1500 - n}'`);
      }
    })();
    writing.catch(() => undefined);
    expect(await ensureIn(urls.publisher, '--max-wait', '120s')).toMatchObject({ exitCode: 0 });
    expect(await ensureIn(urls.subscriber, '--max-wait', '120s')).toMatchObject({
      stderr: expect.not.stringContaining('error'),
      exitCode: 0,
    });
    isOver = true;
    await writing;

    expect(await expectSame(pair)).toBeGreaterThan(1000);
    for (const client of [publisher, subscriber])
      expect((await client.query('select count(*)::int as n from messages_default')).rows).toEqual([{ n: 0 }]);
    await unsubscribe(pair);
  });
});
