import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { sql, type Generated } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { eraseUser } from '../../../src/client/person/erase-user.js';
import { exportUser } from '../../../src/client/person/export-user.js';
import { hashPassword } from '../../../src/client/password.js';
import { withUser } from '../../../src/client/with-user.js';
import { createTestCache, createTestDatabase, type Factories, type TestDatabase } from '../../../src/testing/index.js';
import { createEmbeddedDirectory } from '../../support/database.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';

const USER = { username: 'ada', email: 'ada@example.com', password_hash: 'x' };

describe('createTestDatabase', () => {
  let cacheDir = '';
  let one: TestDatabase;
  beforeAll(async () => {
    cacheDir = await createEmbeddedDirectory();
    one = await createTestDatabase({ cacheDir });
  });
  afterAll(async () => one.close());

  test('has the whole schema: rows, months, functions, vectors as numbers', async () => {
    const { id } = await one.admin.insertInto('users').values(USER).returning('id').executeTakeFirstOrThrow();
    const conversation = await one.admin
      .insertInto('conversations')
      .values({ user_id: id, metadata: { from: 'test' } })
      .returningAll()
      .executeTakeFirstOrThrow();
    expect(conversation.metadata).toEqual({ from: 'test' });
    await one.admin.insertInto('messages').values({ conversation_id: conversation.id, role: 'user' }).execute();
    const month = await sql<{ partition: string }>`select tableoid::regclass::text as partition from messages`.execute(
      one.admin,
    );
    expect(month.rows[0]?.partition).toMatch(/^messages_y\d{4}m\d{2}$/);
    await one.admin
      .insertInto('knowledge_base')
      .values({ content: 'x', embedding: JSON.stringify(Array(1536).fill(0.5)) })
      .execute();
    const { embedding } = await one.admin.selectFrom('knowledge_base').select('embedding').executeTakeFirstOrThrow();
    expect(embedding).toHaveLength(1536);
    expect(embedding?.[0]).toBe(0.5);
    await one.reset();
  });

  test('shows a user its own rows only, in withUser', async () => {
    const { id } = await one.admin.insertInto('users').values(USER).returning('id').executeTakeFirstOrThrow();
    const other = { ...USER, username: 'bob', email: 'bob@example.com' };
    await one.admin.insertInto('users').values(other).execute();
    const seen = await withUser(one.db, id, (trx) => trx.selectFrom('users').select('username').execute());
    expect(seen).toEqual([{ username: 'ada' }]);
    await one.reset();
  });

  test('refuses what a service does without withUser, and lets it do nothing more than in production', async () => {
    const { id } = await one.admin.insertInto('users').values(USER).returning('id').executeTakeFirstOrThrow();
    const refused = { code: '42501' };
    await expect(one.db.selectFrom('users').select('id').execute()).rejects.toMatchObject(refused);
    await expect(sql`create temporary table t ()`.execute(one.db)).rejects.toMatchObject(refused);
    const names = sql<{ names: string[] }>`select array[session_user, current_user]::text[] as names`;
    const inside = await withUser(one.db, id, async (trx) => (await names.execute(trx)).rows[0]?.names);
    expect(inside).toEqual([one.role, 'authenticated']);
    for (const again of [1, 2]) {
      expect((await names.execute(one.db)).rows, `round ${again}`).toEqual([{ names: [one.role, one.role] }]);
      expect((await names.execute(one.admin)).rows).toEqual([{ names: ['postgres', 'postgres'] }]);
    }
    await withUser(one.db, id, (trx) => sql`reset role`.execute(trx)).catch(() => undefined);
    await expect(one.db.selectFrom('users').select('id').execute()).rejects.toMatchObject(refused);
    await sql`grant execute on function hash_password(text) to ${sql.id(one.role)}`.execute(one.admin);
    expect(await hashPassword(one.db, 'x')).toMatch(/^\$2a\$/);
    await one.reset();
  });

  test('says why a query outside of the open transaction cannot be run', async () => {
    const { id } = await one.admin.insertInto('users').values(USER).returning('id').executeTakeFirstOrThrow();
    const outside = withUser(one.db, id, () => one.admin.selectFrom('users').select('id').execute());
    await expect(outside).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringContaining('one session'),
    });
    await one.reset();
  });

  test('makes rows of every table by name, the same in each test, with what they refer to, for one user', async () => {
    const rows = async () => {
      const all: Record<string, unknown> = {};
      for (const [name, make] of Object.entries(one.make) as [keyof Factories, () => Promise<object>][]) {
        const { id, name: title, user_id: owner } = (await make()) as Record<string, unknown>;
        all[name] = { id, title, owner };
      }
      return all;
    };
    const first = await rows();
    expect(Object.keys(first)).toHaveLength(14);
    await one.reset();
    expect(await rows()).toEqual(first);
    await one.reset();

    const user = await one.make.user({ username: 'ada' });
    const assistant = await one.make.assistant({ user });
    const conversation = await one.make.conversation({ assistant, title: 'x' });
    expect(conversation).toMatchObject({ user_id: user.id, assistant_id: assistant.id, title: 'x' });
    const file = await one.make.storedFile({ message: await one.make.message({ conversation }), conversation });
    expect(file.user_id).toBe(user.id);
    expect(await one.admin.selectFrom('users').select('username').execute()).toEqual([{ username: 'ada' }]);
    expect((await one.make.assistantSkill()).assistant_id).not.toBe(assistant.id);
    const seen = await withUser(one.db, user.id, (trx) => trx.selectFrom('messages').select('content').execute());
    expect(seen).toEqual([{ content: 'Message 1' }]);
    // @ts-expect-error -- there is no such column
    await expect(one.make.user({ name: 'x' })).rejects.toMatchObject({ code: '42703' });
    await one.reset();
  });

  test('has a cache for services, which reads as the owner', async () => {
    const cache = createTestCache(one);
    const assistant = await one.make.assistant();
    await one.make.userPreferences({ user: { id: assistant.user_id }, theme: 'dark' });
    expect(await cache.assistants(assistant.user_id)).toMatchObject([{ id: assistant.id }]);
    expect(await cache.preferences(assistant.user_id)).toMatchObject({ theme: 'dark' });
    expect(await cache.assistant((await one.make.user()).id, assistant.id)).toBeUndefined();
    expect(await cache.setting('none')).toBeUndefined();
    await expect(cache.preferences('nobody')).rejects.toMatchObject({ code: 'USAGE' });
    await cache.sync();
    await one.reset();
  });

  test('serves what exports and erases a person, twice, and is then as it was', async () => {
    const exports = await createEmbeddedDirectory();
    const [own, other] = [await one.make.user(), await one.make.user()];
    for (const { id } of [own, other]) {
      const conversation = await one.make.conversation({ user_id: id });
      await one.make.message({ conversation_id: conversation.id });
      const file = path.join(exports, `${id}.zip`);
      expect(await exportUser(one.admin, id, { file })).toMatchObject({ user: id, scope: 'policies' });
      expect(await eraseUser(one.admin, id, { withinMs: 60_000 })).toMatchObject({
        status: 'done',
        certificate: { user: id, hits: [] },
      });
      expect(await one.admin.selectFrom('users').select('id').where('id', '=', id).execute()).toEqual([]);
      expect(await withUser(one.db, id, (trx) => trx.selectFrom('users').select('id').execute())).toEqual([]);
    }
    await one.reset();
  });

  test('empties large tables, and ends what the session has', async () => {
    await sql`insert into users (username, email, password_hash) select n, n || '@x', repeat('x', 200) from generate_series(1, 9000) n`.execute(
      one.admin,
    );
    await one.make.message();
    await sql`create temporary table left_over as select 1`.execute(one.admin);
    await sql`listen everything`.execute(one.admin);
    await one.reset();
    const { rows } = await sql`select (select count(*) from users)::int + (select count(*) from messages)::int as rows,
      to_regclass('left_over') as temporary, (select count(*) from message_keys)::int as keys,
      pg_table_size('users') < 200000 as is_small, (select count(*) from pg_listening_channels())::int as channels`.execute(
      one.admin,
    );
    expect(rows).toEqual([{ rows: 0, temporary: null, keys: 0, is_small: true, channels: 0 }]);
  });

  test('is empty after reset, its session as new, whatever a test has left, its history kept', async () => {
    await one.admin.insertInto('users').values(USER).execute();
    await sql`begin`.execute(one.admin);
    await sql`set role authenticated`.execute(one.admin);
    await sql`select set_config('app.current_user_id', '10000000-0000-4000-8000-000000000001', false)`.execute(
      one.admin,
    );
    await one.reset();
    expect(await one.admin.selectFrom('users').selectAll().execute()).toEqual([]);
    const session = await sql`select current_user, current_user_id() as user_id, current_setting('timezone') as zone,
      (select count(*)::integer from pgmigrations) > 0 as has_history`.execute(one.admin);
    expect(session.rows).toEqual([{ current_user: 'postgres', user_id: null, zone: 'UTC', has_history: true }]);
    await sql`set role authenticated`.execute(one.admin);
    await one.reset();
    expect((await sql`select current_user`.execute(one.admin)).rows).toEqual([{ current_user: 'postgres' }]);
    await one.reset();
  });

  test('is isolated from the next one, which starts from the same snapshot', async () => {
    await one.admin.insertInto('users').values(USER).execute();
    expect(readdirSync(cacheDir)).toHaveLength(1);
    const two = await createTestDatabase({ cacheDir });
    expect(await two.admin.selectFrom('users').selectAll().execute()).toEqual([]);
    await two.close();
    expect(readdirSync(cacheDir)).toHaveLength(1);
    await one.reset();
  });

  test('makes a damaged snapshot again', async () => {
    const file = path.join(cacheDir, readdirSync(cacheDir)[0] ?? '');
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length / 2));
    const two = await createTestDatabase({ cacheDir });
    expect(await two.admin.selectFrom('users').selectAll().execute()).toEqual([]);
    await two.close();
    expect(readFileSync(file).length).toBeGreaterThan(whole.length / 2);
  });

  test('follows the migrations', async () => {
    const directory = migrationsFolder({
      '0001_tasks.sql': migration(
        'create table tasks (id integer generated always as identity, title text); create schema crm; create table crm.leads (id serial)',
      ),
    });
    const own = await createTestDatabase<{
      tasks: { id: Generated<number>; title: string };
      'crm.leads': { id: Generated<number> };
    }>({
      cacheDir,
      migrationsDir: `aisec=${directory.dir}`,
    });
    await own.admin.insertInto('tasks').values({ title: 'x' }).execute();
    await own.admin.insertInto('crm.leads').defaultValues().execute();
    await own.reset();
    expect(await own.admin.selectFrom('tasks').selectAll().execute()).toEqual([]);
    expect(await own.admin.selectFrom('crm.leads').selectAll().execute()).toEqual([]);
    await own.admin.insertInto('tasks').values({ title: 'x' }).execute();
    expect(await own.admin.selectFrom('tasks').select('id').execute()).toEqual([{ id: 1 }]);
    await own.close();
    expect(readdirSync(cacheDir)).toHaveLength(2);
  });
});
