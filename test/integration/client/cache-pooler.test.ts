import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createCache, createDatabase, withUser, type AisecError, type Cache } from '../../../src/index.js';
import { describeOnServer } from '../../support/database.js';
import { startCuttingProxy } from '../../support/cutting-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { pgbouncer, startPgbouncer } from './pgbouncer.js';
import { createServiceDatabase, userId, type ServiceDatabase } from './service-role.js';

describeOnServer('createCache behind a pooler in transaction mode', () => {
  let service: ServiceDatabase;
  let pooler: Awaited<ReturnType<typeof startPgbouncer>>;
  const open: Cache[] = [];
  const problems: AisecError[] = [];
  const cacheWith = (options: Parameters<typeof createCache>[0]): Cache => {
    const cache = createCache({ ...options, onProblem: (problem) => problems.push(problem) });
    open.push(cache);
    return cache;
  };
  const change = (theme: string): Promise<unknown> =>
    service.database.admin.query('update user_preferences set theme = $1 where user_id = $2', [theme, userId(1)]);
  const theme = async (cache: Cache): Promise<string | null | undefined> => (await cache.preferences(userId(1)))?.theme;

  beforeAll(async () => {
    expect(pgbouncer, 'pgbouncer is not installed (Debian: apt-get install pgbouncer)').toBeDefined();
    delete process.env['REDIS_URL'];
    service = await createServiceDatabase(2);
    await service.database.admin.query(`insert into user_preferences (user_id, theme) select id, 'v0' from users`);
    pooler = await startPgbouncer(service.url, 2);
  });
  afterAll(async () => {
    await Promise.all(open.map((cache) => cache.close()));
    await pooler?.stop();
  });

  describe('without listenUrl', () => {
    let cache: Cache;
    beforeAll(async () => {
      cache = cacheWith({ url: pooler.url, unheardTtlMs: 400 });
      await waitFor(async () => problems.length > 0);
    });

    test('says that it does not listen, why, and what to do', async () => {
      expect(await cache.ready(100)).toBe(false);
      const problem = {
        code: 'CACHE_UNAVAILABLE',
        message: expect.stringContaining('pooler'),
        hint: expect.stringContaining('listenUrl'),
      };
      expect(problems).toEqual([expect.objectContaining(problem)]);
      expect(cache.status()).toMatchObject({ isListening: false, problem });
    });

    test('answers from the process for the stated time only', async () => {
      await waitFor(async () => {
        await theme(cache);
        const before = cache.status().localHits;
        await theme(cache);
        return cache.status().localHits > before;
      });
      await change('v1');
      const changedMs = performance.now();
      while ((await theme(cache)) !== 'v1') expect(performance.now() - changedMs).toBeLessThan(40_000);
      // What is read after the time is never old, however the readers meet.
      for (let round = 2; round < 8; round += 1) {
        const readers = Array.from({ length: 5 }, () => theme(cache));
        await change(`v${round}`);
        await sleep(401);
        expect(await theme(cache)).toBe(`v${round}`);
        await Promise.all(readers);
      }
    });

    test('reads what was committed before sync, and own changes, at once', async () => {
      for (let round = 0; round < 10; round += 1) {
        await theme(cache);
        await change(`synced ${round}`);
        await cache.sync();
        expect(await theme(cache)).toBe(`synced ${round}`);
      }
      const db = createDatabase({ url: pooler.url, poolSize: 2 });
      await withUser(db, userId(1), (trx) => trx.updateTable('user_preferences').set({ theme: 'own' }).execute());
      expect(await theme(cache)).toBe('own');
      await db.destroy();
    });

    test('never leaves a LISTEN in a session of the pooler', async () => {
      const { rows } = await service.database.admin.query(
        `select query from pg_stat_activity where usename = $1 and query ilike 'listen%'`,
        [service.role],
      );
      expect(rows).toEqual([]);
    });
  });

  test('keeps nothing when the time is 0', async () => {
    const cache = cacheWith({ url: pooler.url, unheardTtlMs: 0 });
    await waitFor(async () => cache.status().problem !== undefined);
    for (let round = 0; round < 5; round += 1) {
      await change(`through ${round}`);
      expect(await theme(cache)).toBe(`through ${round}`);
    }
    expect(cache.status().localHits).toBe(0);
  });

  test('with the server itself as listenUrl it listens, and shows what was committed before sync', async () => {
    const cache = cacheWith({ url: pooler.url, listenUrl: service.url });
    expect(await cache.ready(60_000)).toBe(true);
    expect(cache.status()).toMatchObject({ isListening: true, problem: undefined });
    for (let round = 0; round < 10; round += 1) {
      await theme(cache);
      await change(`heard ${round}`);
      await cache.sync();
      expect(await theme(cache)).toBe(`heard ${round}`);
    }
  });

  test('with a pooler as listenUrl, too, it says that it does not listen', async () => {
    const cache = cacheWith({ url: service.url, listenUrl: pooler.url });
    await waitFor(async () => cache.status().problem !== undefined);
    expect(cache.status()).toMatchObject({ isListening: false, problem: { code: 'CACHE_UNAVAILABLE' } });
  });

  test('does not say that it listens where LISTEN is not in force in its session', async () => {
    const proxy = await startCuttingProxy(service.url);
    proxy.decide({ rewrites: ['listen "aisec', 'notify "aisec'] });
    const before = problems.length;
    const cache = cacheWith({ url: service.url, listenUrl: proxy.url });
    await waitFor(async () => problems.length > before);
    expect(cache.status().isListening).toBe(false);
    proxy.decide('pass');
    expect(await cache.ready(60_000)).toBe(true);
    proxy.stop();
  });

  test('sync ends where announcements are lost on their way, and later reads are not old', async () => {
    const proxy = await startCuttingProxy(service.url);
    const cache = cacheWith({ url: service.url, listenUrl: proxy.url, aliveForMs: 300 });
    expect(await cache.ready(60_000)).toBe(true);
    proxy.decide('without notifications');
    for (let round = 0; round < 3; round += 1) {
      await theme(cache);
      await change(`lost ${round}`);
      await cache.sync();
      expect(await theme(cache)).toBe(`lost ${round}`);
    }
    proxy.stop();
  });
});
