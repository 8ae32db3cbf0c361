import pg from 'pg';
import { afterEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { archivedName, CONVERSATIONS, fillMonth, fingerprint, liveName, monthAgo } from './chat.js';

const OLD = monthAgo(9);
const CONVERSATION = '10000000-0000-4000-8000-000000000003';
const LOCK = '7241865325823964';
const RUN_LOCK = 5;

describeOnServer('messages under several sessions at once', () => {
  const clients: pg.Client[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
  });
  async function connect({ url }: ServerDatabase): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  }
  async function chat(): Promise<ServerDatabase> {
    const database = await createServerDatabase({ migrated: true });
    await database.admin.query(CONVERSATIONS);
    await fillMonth(database, OLD, 100);
    return database;
  }
  /** Archived messages that refer to what does not exist. */
  async function orphans({ admin }: ServerDatabase): Promise<number> {
    const { rows } = await admin.query(
      `select count(*)::int as n from all_messages m
       where not exists (select from conversations c where c.id = m.conversation_id)
          or not exists (select from message_keys k where k.id = m.id and k.created_at = m.created_at)
          or (m.parent_id is not null and not exists (select from message_keys k where k.id = m.parent_id))`,
    );
    return rows[0].n;
  }

  test('archive_old_messages and ensure_message_partitions give way to a command, and a command to them', async () => {
    const database = await chat();
    const before = await fingerprint(database);
    const holder = await connect(database);
    await holder.query('select pg_advisory_lock($1)', [LOCK]);
    await database.admin.query(`drop table ${liveName(monthAgo(-1))}`);
    for (const call of ['archive_old_messages()', 'ensure_message_partitions()'])
      await expect(database.admin.query(`select ${call}`)).rejects.toMatchObject({ code: '55P03' });
    await holder.query('select pg_advisory_unlock($1)', [LOCK]);

    await holder.query('begin; select archive_old_messages()');
    for (const args of [['archive'], ['archive', 'restore', OLD], ['partitions', 'ensure']]) {
      const run = await runInProcess(args, { env: { DATABASE_URL: database.url } });
      expect(run.exitCode).toBe(RUN_LOCK);
    }
    await holder.query('rollback');
    expect(await fingerprint(database)).toEqual(before);
  });

  test.each(['repeatable read', 'serializable'])(
    'a %s deletion that began before a move fails with 40001 and orphans nothing; after the move it deletes',
    async (isolation) => {
      const database = await chat();
      const deleter = await connect(database);
      await deleter.query(`begin isolation level ${isolation}; select count(*) from users`);
      const run = await runInProcess(['archive'], { env: { DATABASE_URL: database.url } });
      expect(run.exitCode).toBe(0);
      await expect(deleter.query(`delete from conversations where id = '${CONVERSATION}'`)).rejects.toMatchObject({
        code: '40001',
      });
      await deleter.query('rollback');
      expect(await orphans(database)).toBe(0);
      await deleter.query(
        `begin isolation level ${isolation}; delete from conversations where id = '${CONVERSATION}'; commit`,
      );
      expect(await orphans(database)).toBe(0);
      const { rowCount } = await database.admin.query('select from all_messages where conversation_id = $1', [
        CONVERSATION,
      ]);
      expect(rowCount).toBe(0);
    },
  );

  test('SQL functions refuse other isolation levels and the replication role replica', async () => {
    const database = await chat();
    const client = await connect(database);
    for (const setting of [`default_transaction_isolation = 'repeatable read'`, `session_replication_role = replica`]) {
      await client.query(`set ${setting}`);
      await expect(client.query('select archive_old_messages()')).rejects.toMatchObject({
        code: expect.stringMatching(/25000|55000/),
      });
      await client.query('reset all');
    }
  });

  test('the archive refuses references to what does not exist, by every way to write', async () => {
    const database = await chat();
    await runInProcess(['archive'], { env: { DATABASE_URL: database.url } });
    const insert = (columns: string, values: string): Promise<unknown> =>
      database.admin.query(
        `insert into messages_archive (role, created_at, ${columns}) values ('user', '${OLD}-05', ${values})`,
      );
    await expect(insert('conversation_id', 'gen_random_uuid()')).rejects.toMatchObject({ code: '23503' });
    await expect(insert('conversation_id, parent_id', `'${CONVERSATION}', gen_random_uuid()`)).rejects.toMatchObject({
      code: '23503',
    });
    await expect(
      database.admin.query(`update messages_archive set parent_id = gen_random_uuid()`),
    ).rejects.toMatchObject({ code: '23503' });
    await database.admin.query(`delete from conversations where id = '${CONVERSATION}'`);
    expect(await orphans(database)).toBe(0);
    await database.admin.query(`truncate ${archivedName(OLD)}`);
    expect(await orphans(database)).toBe(0);
    const { rows } = await database.admin.query(
      `select (select count(*) from message_keys)::int - (select count(*) from all_messages)::int as too_many`,
    );
    expect(rows).toEqual([{ too_many: 0 }]);
  });

  test.each(['conversations', 'users', 'message_keys'])(
    'TRUNCATE %s CASCADE takes the archive along, as it takes messages',
    async (table) => {
      const database = await chat();
      await runInProcess(['archive'], { env: { DATABASE_URL: database.url } });
      expect((await database.admin.query('select from messages_archive')).rowCount).toBe(100);
      await database.admin.query(`truncate ${table} cascade`);
      expect((await database.admin.query('select from all_messages')).rowCount).toBe(0);
      expect((await database.admin.query('select from message_keys')).rowCount).toBe(0);
    },
  );

  test('a month that was emptied in batches is dropped only when no older snapshot has to read it', async () => {
    const database = await chat();
    const env = { DATABASE_URL: database.url };
    const { rows: before } = await database.admin.query('select count(*)::int as n from all_messages');
    await database.admin.query('select aisec_ensure_archive_month($1)', [`${OLD}-01`]);
    const report = await connect(database);
    await report.query('begin isolation level repeatable read; select count(*) from users');
    const held = await runInProcess(['archive', '--max-wait', '1s'], { env });
    expect(held.exitCode).toBe(RUN_LOCK);
    expect(held.stderr).toContain('an older transaction');
    expect((await report.query('select count(*)::int as n from all_messages')).rows).toEqual(before);
    await report.query('commit');
    expect((await runInProcess(['archive'], { env })).exitCode).toBe(0);
    await waitFor(async () => {
      const { rows } = await database.admin.query(`select to_regclass('${liveName(OLD)}') is null as is_dropped`);
      return rows[0].is_dropped;
    });
    expect((await database.admin.query('select count(*)::int as n from all_messages')).rows).toEqual(before);
  });
});
