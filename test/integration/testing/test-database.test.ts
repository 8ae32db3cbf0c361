import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { withUser } from '../../../src/client/with-user.js';
import { createTestDatabase, type TestDatabase } from '../../../src/testing/index.js';
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
    const { id } = await one.db.insertInto('users').values(USER).returning('id').executeTakeFirstOrThrow();
    const conversation = await one.db
      .insertInto('conversations')
      .values({ user_id: id, metadata: { from: 'test' } })
      .returningAll()
      .executeTakeFirstOrThrow();
    expect(conversation.metadata).toEqual({ from: 'test' });
    await one.db.insertInto('messages').values({ conversation_id: conversation.id, role: 'user' }).execute();
    const month = await sql<{ partition: string }>`select tableoid::regclass::text as partition from messages`.execute(
      one.db,
    );
    expect(month.rows[0]?.partition).toMatch(/^messages_y\d{4}m\d{2}$/);
    await one.db
      .insertInto('knowledge_base')
      .values({ content: 'x', embedding: JSON.stringify(Array(1536).fill(0.5)) })
      .execute();
    const { embedding } = await one.db.selectFrom('knowledge_base').select('embedding').executeTakeFirstOrThrow();
    expect(embedding).toHaveLength(1536);
    expect(embedding?.[0]).toBe(0.5);
    await one.reset();
  });

  test('shows a user its own rows only, in withUser', async () => {
    const { id } = await one.db.insertInto('users').values(USER).returning('id').executeTakeFirstOrThrow();
    const other = { ...USER, username: 'bob', email: 'bob@example.com' };
    await one.db.insertInto('users').values(other).execute();
    const seen = await withUser(one.db, id, (trx) => trx.selectFrom('users').select('username').execute());
    expect(seen).toEqual([{ username: 'ada' }]);
    await one.reset();
  });

  test('is empty after reset, its session as new, whatever a test has left, its history kept', async () => {
    await one.db.insertInto('users').values(USER).execute();
    await sql`begin`.execute(one.db);
    await sql`set role authenticated`.execute(one.db);
    await sql`select set_config('app.current_user_id', '10000000-0000-4000-8000-000000000001', false)`.execute(one.db);
    await one.reset();
    expect(await one.db.selectFrom('users').selectAll().execute()).toEqual([]);
    const session = await sql`select current_user, current_user_id() as user_id, current_setting('timezone') as zone,
      (select count(*)::integer from pgmigrations) > 0 as has_history`.execute(one.db);
    expect(session.rows).toEqual([{ current_user: 'postgres', user_id: null, zone: 'UTC', has_history: true }]);
    await sql`set role authenticated`.execute(one.db);
    await one.reset();
    expect((await sql`select current_user`.execute(one.db)).rows).toEqual([{ current_user: 'postgres' }]);
    await one.reset();
  });

  test('is isolated from the next one, which starts from the same snapshot', async () => {
    await one.db.insertInto('users').values(USER).execute();
    expect(readdirSync(cacheDir)).toHaveLength(1);
    const two = await createTestDatabase({ cacheDir });
    expect(await two.db.selectFrom('users').selectAll().execute()).toEqual([]);
    await two.close();
    expect(readdirSync(cacheDir)).toHaveLength(1);
    await one.reset();
  });

  test('makes a damaged snapshot anew', async () => {
    const file = path.join(cacheDir, readdirSync(cacheDir)[0] ?? '');
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length / 2));
    const two = await createTestDatabase({ cacheDir });
    expect(await two.db.selectFrom('users').selectAll().execute()).toEqual([]);
    await two.close();
    expect(readFileSync(file).length).toBeGreaterThan(whole.length / 2);
  });

  test('follows the migrations', async () => {
    const directory = migrationsFolder({ '0001_tasks.sql': migration('create table tasks (title text)') });
    const own = await createTestDatabase<{ tasks: { title: string } }>({
      cacheDir,
      migrationsDir: `aisec=${directory.dir}`,
    });
    await own.db.insertInto('tasks').values({ title: 'x' }).execute();
    await own.reset();
    expect(await own.db.selectFrom('tasks').selectAll().execute()).toEqual([]);
    await own.close();
    expect(readdirSync(cacheDir)).toHaveLength(2);
  });
});
