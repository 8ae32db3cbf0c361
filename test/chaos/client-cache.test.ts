import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';

import { createCache, type Cache } from '../../src/index.js';
import { chance, type Random } from '../support/chance.js';
import { describeOnServer } from '../support/database.js';
import { needsRedis } from '../support/needs.js';
import { createRedisProcess, type RedisProcess } from '../support/redis-process.js';
import { waitFor } from '../support/wait-for.js';
import { createServiceDatabase, userId, type ServiceDatabase } from '../integration/client/service-role.js';

const USERS = 50;
const PROCESSES = 3;
const ROUND_MS = 700;

/**
 * Fifty users, each with a writer of the own that counts up the theme of its preferences and the name of its assistant, in
 * sessions that the caches know nothing of, and three caches as of three processes on one Redis. A read that begins after
 * `sync` said that a count was heard must not show a lower one; nor may one cache show a lower count after a higher one.
 */
describeOnServer(`A cache while everything breaks ${needsRedis}`, () => {
  let service: ServiceDatabase;
  let redis: RedisProcess;
  let caches: readonly Cache[];
  let writers: pg.Pool;
  /** By cache and user, the least count that a read which begins now may show. */
  const least = Array.from({ length: PROCESSES }, () => new Map<string, number>());
  const committed = new Map<string, number>();
  const faults: string[] = [];
  let reads = 0;
  let isOver = false;
  let random: Random = Math.random;

  beforeAll(async () => {
    service = await createServiceDatabase(USERS);
    await service.database.admin.query(
      `insert into user_preferences (user_id, theme) select id, id || ' 0' from users;
       update assistants set name = user_id || ' 0'`,
    );
    redis = await createRedisProcess();
    await redis.start();
    const options = { url: service.url, redisUrl: redis.url, aliveForMs: 1500 };
    // One lives mostly in its process, one in Redis alone, one in both.
    caches = [60_000, 0, 40].map((localTtlMs) => createCache({ ...options, localTtlMs }));
    writers = new pg.Pool({ connectionString: service.database.url, max: 4, application_name: 'test writers' });
    writers.on('error', () => undefined);
  });
  afterAll(async () => {
    await Promise.all((caches ?? []).map((cache) => cache.close()));
    await writers?.end();
    await redis?.remove();
  });

  async function write(user: string, count: number): Promise<void> {
    await writers.query(
      `with preferences as (update user_preferences set theme = user_id || ' ' || $2::int where user_id = $1)
       update assistants set name = user_id || ' ' || $2::int where user_id = $1`,
      [user, count],
    );
    committed.set(user, count);
    for (const [index, cache] of caches.entries()) {
      await cache.sync();
      const known = least[index]!;
      known.set(user, Math.max(known.get(user) ?? 0, count));
    }
  }

  async function writeOn(user: string): Promise<void> {
    for (let count = 1; !isOver; count += 1) {
      await write(user, count);
      await sleep(random() * 3000);
    }
  }

  function judge(index: number, user: string, atLeast: number, seen: string): void {
    reads += 1;
    const [owner, count] = seen.split(' ');
    if (owner !== user) faults.push(`cache ${index} showed user ${user} a row of ${owner}`);
    else if (Number(count) < atLeast) faults.push(`cache ${index} showed count ${count} after ${atLeast}`);
  }

  async function readOn(index: number, user: string): Promise<void> {
    const cache = caches[index]!;
    const known = least[index]!;
    while (!isOver) {
      for (const kind of ['theme', 'name'] as const) {
        const atLeast = known.get(user) ?? 0;
        const seen =
          kind === 'theme' ? (await cache.preferences(user))?.theme : (await cache.assistant(user, user))?.name;
        judge(index, user, atLeast, seen ?? 'nobody 0');
      }
      await sleep(random() * 60);
    }
  }

  async function cutListeners(): Promise<void> {
    // Not those of the pool, whose last statement may be UNLISTEN.
    await service.database.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'aisec cache' and query ~* '(^|[^n])listen|notify|announces_changes'`,
    );
  }

  const total = (key: 'localHits' | 'redisHits' | 'databaseReads'): number =>
    caches.reduce((sum, cache) => sum + cache.status()[key], 0);

  test('never shows a stale or a foreign row', async () => {
    random = chance();
    for (const cache of caches) expect(await cache.ready(60_000)).toBe(true);
    const users = Array.from({ length: USERS }, (_, index) => userId(index + 1));
    const work = [
      ...users.map((user) => writeOn(user)),
      ...users.flatMap((user) => caches.map((_, index) => readOn(index, user))),
    ];
    const failed = Promise.all(work);
    // Whatever a reader or writer fails with ends the test at once.
    const step = async (what: () => unknown): Promise<void> => {
      await what();
      await Promise.race([sleep(ROUND_MS), failed]);
    };
    // Entries are read and changed before anything breaks, and again after the last repair.
    const answersFromRedis = async (): Promise<void> => {
      const before = total('redisHits');
      await Promise.race([waitFor(async () => total('redisHits') > before + 100), failed]);
    };
    await answersFromRedis();
    await step(() => redis.pause());
    await step(() => redis.resume());
    await step(cutListeners);
    await step(() => redis.save());
    await step(() => redis.kill());
    // It comes back with the data of a while ago.
    await step(() => redis.start());
    await step(async () => {
      redis.pause();
      await cutListeners();
    });
    await step(() => redis.resume());
    await step(async () => {
      await redis.kill();
      await cutListeners();
      await redis.start();
    });
    for (const cache of caches) expect(await cache.ready(60_000)).toBe(true);
    await answersFromRedis();
    isOver = true;
    await failed;
    console.log(
      `chaos: ${reads} reads of ${USERS} users by ${PROCESSES} caches, ${[...committed.values()].reduce((sum, count) => sum + count, 0)} changes; ` +
        `answered by the process ${total('localHits')}, by Redis ${total('redisHits')}, by the database ${total('databaseReads')}`,
    );
    expect(faults).toEqual([]);
    expect(total('localHits')).toBeGreaterThan(0);
  });

  test('while Redis is paused, one read asks it and goes on without an answer, and the others do not ask', async () => {
    const cache = caches[1];
    await waitFor(() => cache!.ready());
    const sent = vi.spyOn(Redis.prototype, 'sendCommand');
    onTestFinished(() => sent.mockRestore());
    const asked = (): number => sent.mock.calls.filter(([{ name }]) => name === 'mget').length;
    redis.pause();
    await cache!.preferences(userId(1));
    expect(asked()).toBe(1);
    for (let read = 0; read < 10; read += 1) await cache!.preferences(userId(1));
    expect(asked()).toBe(1);
    expect(cache!.status().redis).toBe('down');
    redis.resume();
    expect(await cache!.ready(60_000)).toBe(true);
    await cache!.preferences(userId(1));
    expect(asked()).toBe(2);
  });

  test('an old copy of its data, which Redis loads when it starts again, is not believed', async () => {
    const cache = caches[1]!;
    const user = userId(1);
    const theme = async (): Promise<string | null | undefined> => (await cache.preferences(user))?.theme;
    const hits = (): number => cache.status().redisHits;
    const old = await theme();
    await waitFor(async () => {
      const before = hits();
      await theme();
      return hits() > before;
    });
    await redis.save();
    await write(user, 1_000_000);
    expect(await theme()).toBe(`${user} 1000000`);
    await redis.kill();
    await redis.start();
    expect((await redis.keys()).some((key) => key.includes(user))).toBe(true);
    expect(await cache.ready(60_000)).toBe(true);
    expect(await theme()).toBe(`${user} 1000000`);
    expect(old).not.toBe(`${user} 1000000`);
  });
});
