import type { Kysely } from 'kysely';
import type { QueryResult } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { createCache, createDatabase, withUser, type Cache, type CacheOptions } from '../../../src/index.js';
import type { DB } from '../../../src/schema/index.js';
import { describeOnServer } from '../../support/database.js';
import { waitFor } from '../../support/wait-for.js';
import { createServiceDatabase, userId, type ServiceDatabase } from './service-role.js';

const redisUrl = inject('redisUrl');
/** The cache of the process alone, and the one that shares Redis with others. */
const tiers: readonly { readonly title: string; readonly options: CacheOptions }[] = [
  { title: 'in the process', options: {} },
  ...(redisUrl === null ? [] : [{ title: 'in Redis (needs Redis)', options: { redisUrl, localTtlMs: 0 } }]),
];

describeOnServer('createCache', () => {
  let service: ServiceDatabase;
  let db: Kysely<DB>;
  const open: Cache[] = [];
  const admin = (text: string, values: readonly unknown[] = []): Promise<QueryResult> =>
    service.database.admin.query(text, values);

  const cacheWith = async (options: CacheOptions): Promise<Cache> => {
    const cache = createCache({ url: service.url, aliveForMs: 1000, ...options });
    open.push(cache);
    expect(await cache.ready(60_000)).toBe(true);
    return cache;
  };

  beforeAll(async () => {
    delete process.env['REDIS_URL'];
    service = await createServiceDatabase(5);
    db = createDatabase<DB>({ url: service.url });
    await admin(
      `insert into user_preferences (user_id, theme, notification_settings) select id, 'v0', '{"mail": {"daily": true}}' from users`,
    );
    await admin(`insert into system_settings (key, value) values ('limit', '[1]')`);
  });
  afterAll(async () => {
    await Promise.all(open.map((cache) => cache.close()));
    await db.destroy();
  });

  describe.each(tiers)('$title', ({ options }) => {
    let cache: Cache;
    const hits = (): number => cache.status().localHits + cache.status().redisHits;

    beforeAll(async () => {
      cache = await cacheWith(options);
    });

    test('answers the second time without the database, with the same rows and types', async () => {
      const read = async (): Promise<unknown> => ({
        setting: await cache.setting('limit'),
        preferences: await cache.preferences(userId(1).toUpperCase()),
        assistants: await cache.assistants(userId(1)),
        assistant: await cache.assistant(userId(1), userId(1)),
      });
      const first = await read();
      await waitFor(async () => {
        const before = cache.status().databaseReads;
        expect(await read()).toEqual(first);
        return cache.status().databaseReads === before;
      });
      expect(first).toMatchObject({
        setting: { key: 'limit', value: [1], updated_at: expect.any(Date) },
        preferences: { user_id: userId(1), theme: 'v0', notification_settings: { mail: { daily: true } } },
        assistants: [{ id: userId(1), name: 'user1', created_at: expect.any(Date) }],
        assistant: { id: userId(1) },
      });
      expect(hits()).toBeGreaterThanOrEqual(4);
    });

    test('knows what is not there, and notices when it comes', async () => {
      expect(await cache.setting('new')).toBeUndefined();
      expect(await cache.setting('new')).toBeUndefined();
      await admin(`insert into system_settings (key, value) values ('new', '1')`);
      await cache.sync();
      expect(await cache.setting('new')).toMatchObject({ value: 1 });
      await admin(`delete from system_settings where key = 'new'`);
      await cache.sync();
      expect(await cache.setting('new')).toBeUndefined();
    });

    test("shows nobody another user's rows, also not by their id, and follows a row to its new owner", async () => {
      expect(await cache.assistant(userId(2), userId(3))).toBeUndefined();
      expect(await cache.assistant(userId(3), userId(3))).toMatchObject({ user_id: userId(3) });
      expect(await cache.assistant(userId(2), userId(3))).toBeUndefined();
      await admin('update assistants set user_id = $1 where id = $2', [userId(2), userId(3)]);
      await cache.sync();
      expect(await cache.assistant(userId(3), userId(3))).toBeUndefined();
      expect(await cache.assistant(userId(2), userId(3))).toMatchObject({ user_id: userId(2) });
      expect(await cache.assistants(userId(2))).toHaveLength(2);
      await admin('update assistants set user_id = $1 where id = $1', [userId(3)]);
      await cache.sync();
      expect(await cache.assistants(userId(2))).toHaveLength(1);
    });

    test('reads own writes at once, without a word, and never what was rolled back', async () => {
      for (let round = 0; round < 10; round += 1) {
        await cache.preferences(userId(4));
        const theme = `own ${round}`;
        await withUser(db, userId(4), (trx) => trx.updateTable('user_preferences').set({ theme }).execute());
        expect((await cache.preferences(userId(4)))?.theme).toBe(theme);
        await withUser(db, userId(4), async (trx) => {
          await trx.updateTable('user_preferences').set({ theme: 'never' }).execute();
          expect((await cache.preferences(userId(4)))?.theme).toBe(theme);
          throw new Error('mine');
        }).catch(() => undefined);
        expect((await cache.preferences(userId(4)))?.theme).toBe(theme);
      }
    });

    test('after sync, reads what any other session has committed', async () => {
      for (let round = 0; round < 10; round += 1) {
        await cache.preferences(userId(5));
        await admin('update user_preferences set theme = $1 where user_id = $2', [`theirs ${round}`, userId(5)]);
        await cache.sync();
        expect((await cache.preferences(userId(5)))?.theme).toBe(`theirs ${round}`);
      }
    });

    test('takes notice of a change of many users, of a cascade, and of truncate', async () => {
      await admin(
        `insert into users (id, username, email, password_hash)
         select ('20000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'm' || n, 'm' || n || '@x', 'h' from generate_series(1, 150) n`,
      );
      await admin(`insert into user_preferences (user_id, theme) select id, 'a' from users where username like 'm%'`);
      const one = '20000000-0000-4000-8000-000000000001';
      expect((await cache.preferences(one))?.theme).toBe('a');
      await admin(`update user_preferences set theme = 'b' where user_id::text like '2%'`);
      await cache.sync();
      expect((await cache.preferences(one))?.theme).toBe('b');
      await admin(`delete from users where username like 'm%'`);
      await cache.sync();
      expect(await cache.preferences(one)).toBeUndefined();
      expect((await cache.preferences(userId(1)))?.theme).toBe('v0');
      await admin('begin; create temporary table kept as table user_preferences; truncate user_preferences; commit');
      await cache.sync();
      expect(await cache.preferences(userId(1))).toBeUndefined();
      await admin('insert into user_preferences select * from kept; drop table kept');
      await cache.sync();
      expect((await cache.preferences(userId(1)))?.theme).toBe('v0');
    });

    test('loads a row once for a hundred who ask at the same time', async () => {
      await admin('update user_preferences set timezone = $1', ['UTC']);
      await cache.sync();
      const before = cache.status().databaseReads;
      await Promise.all(Array.from({ length: 100 }, () => cache.preferences(userId(1))));
      expect(cache.status().databaseReads - before).toBe(1);
    });

    test('a row that is loaded while it changes is not kept: neither here nor for others', async () => {
      const other = await cacheWith(options);
      await admin(`
        create function wait_for_test() returns boolean language plpgsql volatile as
          $$ begin perform pg_advisory_xact_lock_shared(4711); return true; end $$;
        create policy slow on user_preferences as restrictive to authenticated using (wait_for_test());
        select pg_advisory_lock(4711)`);
      const old = (await admin('select theme from user_preferences where user_id = $1', [userId(2)])).rows[0].theme;
      const early = cache.preferences(userId(2));
      // The statement has its snapshot and waits in the policy.
      await waitFor(async () => {
        const { rowCount } = await admin(`select from pg_locks
          where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())`);
        return rowCount === 1;
      });
      await admin('update user_preferences set theme = $1 where user_id = $2', [`after ${old}`, userId(2)]);
      await Promise.all([cache.sync(), other.sync()]);
      await admin('select pg_advisory_unlock(4711)');
      expect((await early)?.theme).toBe(old);
      for (const reader of [cache, other, cache, other])
        expect((await reader.preferences(userId(2)))?.theme).toBe(`after ${old}`);
      await admin('drop policy slow on user_preferences; drop function wait_for_test()');
    });

    test('what a caller does to a row is the own business', async () => {
      const mine = await cache.preferences(userId(1));
      mine!.theme = 'changed';
      mine!.created_at.setTime(0);
      expect(() => Object.assign(mine!.notification_settings!, { mail: false })).toThrow(TypeError);
      const theirs = await cache.preferences(userId(1));
      expect(theirs).toMatchObject({ theme: 'v0', notification_settings: { mail: { daily: true } } });
      expect(theirs!.created_at.getTime()).toBeGreaterThan(0);
    });

    test('forgets the shape of a table that was altered, and keeps nothing while the triggers are off', async () => {
      await cache.preferences(userId(1));
      await admin('alter table user_preferences add column extra text');
      await waitFor(async () => !cache.status().isListening);
      await waitFor(async () => cache.status().isListening);
      await admin('alter table user_preferences drop column extra');
      await waitFor(async () => !cache.status().isListening);
      expect(await cache.ready(60_000)).toBe(true);
      await admin('alter table user_preferences disable trigger notify_cache_update');
      await waitFor(async () => !cache.status().isListening);
      await admin(`update user_preferences set theme = 'unheard' where user_id = $1`, [userId(1)]);
      expect((await cache.preferences(userId(1)))?.theme).toBe('unheard');
      await admin(`update user_preferences set theme = 'v0' where user_id = $1`, [userId(1)]);
      expect((await cache.preferences(userId(1)))?.theme).toBe('v0');
      await admin('alter table user_preferences enable trigger notify_cache_update');
      expect(await cache.ready(60_000)).toBe(true);
    });
  });

  test('refuses what is not a UUID and what is not a number, before anything is sent', async () => {
    const cache = await cacheWith({});
    await expect(cache.preferences("x' or true")).rejects.toMatchObject({ code: 'USAGE' });
    await expect(cache.assistant(userId(1), '1')).rejects.toMatchObject({ code: 'USAGE' });
    expect(() => createCache({ url: service.url, ttlMs: 0 })).toThrow('createCache: ttlMs is 0');
    expect(() => createCache({ url: service.url, redisUrl: 'http://:secret@x' })).toThrow(/^invalid Redis URL/);
  });

  test('fails as the database does when it is not there, and closes', async () => {
    const problems: string[] = [];
    const cache = createCache({
      url: 'postgres://nobody@127.0.0.1:1/none',
      onProblem: ({ code }) => problems.push(code),
    });
    await expect(cache.preferences(userId(1))).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    await waitFor(() => Promise.resolve(problems.length > 0));
    await cache.close();
    expect(problems).toEqual(['DATABASE_UNREACHABLE']);
  });
});
