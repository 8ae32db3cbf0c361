import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { CONVERSATIONS, fillMonth, fingerprint, monthAgo } from './chat.js';

const ARCHIVED = monthAgo(9);
const FINISHED = monthAgo(8);
const CONVERSATION = '10000000-0000-4000-8000-000000000003';
const SHORT_WAIT = `set lock_timeout = '5s'`;
const RUN_LOCK = 5;

describeOnServer('deleting beside a move that waits', () => {
  const clients: pg.Client[] = [];
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  let calls: Promise<unknown>[] = [];

  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    env = { DATABASE_URL: database.url };
    await database.admin.query(CONVERSATIONS);
    await fillMonth(database, ARCHIVED, 100);
    await runInProcess(['archive'], { env });
  });
  afterEach(async () => {
    await Promise.all(calls);
    await Promise.all(clients.splice(0).map((client) => client.end()));
    calls = [];
  });
  async function connect(setting = ''): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();
    if (setting !== '') await client.query(setting);
    clients.push(client);
    return client;
  }

  async function addLate(): Promise<void> {
    await database.admin.query(
      `insert into messages (conversation_id, role, content, created_at)
       select id, 'user', 'late', '${ARCHIVED}-03' from conversations`,
    );
  }

  /** Late messages of the archived month, and a finished month that can be archived. */
  async function addWork(): Promise<void> {
    await addLate();
    await fillMonth(database, FINISHED, 100);
  }

  /** A report that reads messages: no month can be swapped until it ends. */
  async function readMessages(): Promise<pg.Client> {
    const reader = await connect();
    await reader.query('begin; select count(*) from messages');
    return reader;
  }

  /** Calls archive_old_messages() as pg_cron does, until it waits for the locks on the months. */
  async function startCall(): Promise<void> {
    const caller = await connect();
    const { rows } = await caller.query('select pg_backend_pid() as pid');
    calls.push(caller.query('select archive_old_messages()').catch((error: unknown) => error));
    await waitFor(async () => {
      const { rows: waiting } = await database.admin.query(
        `select from pg_locks where pid = $1 and locktype = 'relation' and mode = 'AccessExclusiveLock' and not granted`,
        [rows[0].pid],
      );
      return waiting.length > 0;
    });
  }

  test.each(['read committed', 'repeatable read', 'serializable'])(
    'a late message and one of this month are deleted at once by a %s transaction while archive_old_messages() waits',
    async (isolation) => {
      await addWork();
      const reader = await readMessages();
      await startCall();
      const deleter = await connect(SHORT_WAIT);
      await deleter.query(`begin isolation level ${isolation}`);
      const deleted = [
        await deleter.query(`delete from messages where content = 'late' and conversation_id = '${CONVERSATION}'`),
        await deleter.query(`delete from messages where content = 'reply' and conversation_id = '${CONVERSATION}'`),
      ];
      await deleter.query('commit');
      expect(deleted.map(({ rowCount }) => rowCount)).toEqual([1, expect.any(Number)]);
      await reader.query('commit');
      await Promise.all(calls);
    },
  );

  test('archive_old_messages() moves finished months in one call and late messages in the next, and says so', async () => {
    await addWork();
    const before = await fingerprint(database);
    const notices: (string | undefined)[] = [];
    const caller = await connect();
    caller.on('notice', ({ message }) => notices.push(message));
    const archive = async (): Promise<unknown> =>
      (await caller.query('select archive_old_messages() as n')).rows[0].n as unknown;
    expect(await archive()).toBe(100);
    expect(notices).toEqual(['1 more months are old enough to be archived']);
    expect(await archive()).toBe(20);
    expect(await archive()).toBe(0);
    expect(notices).toHaveLength(1);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('a finished month whose name is taken does not keep late messages from the archive', async () => {
    await addWork();
    const name = `messages_archive_y${FINISHED.replace('-', 'm')}`;
    await database.admin.query(`create table ${name} (n int)`);
    expect((await database.admin.query('select archive_old_messages() as n')).rows).toEqual([{ n: 20 }]);
    await expect(database.admin.query('select archive_old_messages()')).rejects.toMatchObject({
      detail: expect.stringContaining(`the name ${name} is in use`),
    });
  });

  test('late messages wait for a repeatable read transaction that has deleted, which neither waits nor fails', async () => {
    await addLate();
    const deleter = await connect(SHORT_WAIT);
    await deleter.query(`begin isolation level repeatable read; delete from files`);
    await deleter.query(`delete from messages where content = 'reply' and conversation_id = '${CONVERSATION}'`);
    const held = await runInProcess(['archive', '--max-wait', '0', '--no-analyze'], { env });
    expect(held.exitCode).toBe(RUN_LOCK);
    await expect(database.admin.query('select archive_old_messages()')).rejects.toMatchObject({
      code: '55P03',
      detail: expect.stringContaining('a REPEATABLE READ or SERIALIZABLE transaction is deleting messages'),
    });
    const { rows } = await database.admin.query(`select count(*)::int as n from only messages_default`);
    expect(rows).toEqual([{ n: 20 }]);
    await deleter.query(`delete from messages where content = 'late' and conversation_id = '${CONVERSATION}'`);
    await deleter.query('commit');
    expect(await runInProcess(['archive'], { env })).toMatchObject({ exitCode: 0 });
    expect((await database.admin.query('select from only messages_default')).rowCount).toBe(0);
  });
});
