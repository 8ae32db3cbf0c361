import { setTimeout as sleep } from 'node:timers/promises';

import { sql, type Kysely } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { AisecError, ConnectionLostError, createCache, createDatabase, withUser, type Cache } from '../../src/index.js';
import { chance, rounds, type Random } from '../support/chance.js';
import { needsRedis } from '../support/needs.js';
import { describeOnPrivateServer, startPrivateServer, type PrivateServer } from '../support/private-server.js';
import { createRedisProcess, type RedisProcess } from '../support/redis-process.js';
import { waitFor } from '../support/wait-for.js';
import { pgbouncer, startPgbouncer, type Pgbouncer } from '../integration/client/pgbouncer.js';
import { userId, type Tables } from '../integration/client/service-role.js';

const USERS = 8;
const STEP_MS = 500;
const users = Array.from({ length: USERS }, (_, index) => userId(index + 1));

/**
 * A service behind a pooler with two connections and eight users at once, with two caches on one Redis: one hears of changes
 * from the server itself, one cannot. Each user counts up in a conversation and in the preferences, in one transaction. A read
 * that begins when a count was committed and heard must not show a lower one, nor ever the row of another user.
 */
describeOnPrivateServer(`A service while pooler, Redis and server restart ${needsRedis}`, () => {
  let server: PrivateServer;
  let pooler: Pgbouncer;
  let redis: RedisProcess;
  let db: Kysely<Tables>;
  let caches: readonly Cache[];
  const committed = new Map(users.map((user) => [user, 0]));
  const heard = [new Map<string, number>(), new Map<string, number>()];
  const faults: string[] = [];
  const counts = { reads: 0, cached: 0, writes: 0, failed: 0 };
  let isOver = false;

  beforeAll(async () => {
    expect(pgbouncer, 'pgbouncer is not installed (Debian: apt-get install pgbouncer)').toBeDefined();
    server = await startPrivateServer({ fsync: 'off' });
    const admin = new pg.Client({ connectionString: await server.createDatabase('restarts', { migrated: true }) });
    await admin.connect();
    await admin.query('create role restarts_service login');
    await admin.query('grant authenticated to restarts_service with inherit false, set true');
    await admin.query(
      `insert into users (id, username, email, password_hash)
       select id, 'user' || n, n || '@x', 'h' from unnest($1::uuid[]) with ordinality as u (id, n)`,
      [users],
    );
    await admin.query(`insert into conversations (user_id, title) select id, id || ' 0' from users`);
    await admin.query(`insert into user_preferences (user_id, theme) select id, id || ' 0' from users`);
    await admin.end();
    const direct = Object.assign(new URL(server.url), { username: 'restarts_service', pathname: '/restarts' }).href;
    pooler = await startPgbouncer(direct, 2);
    redis = await createRedisProcess();
    await redis.start();
    db = createDatabase<Tables>({
      url: pooler.url,
      poolSize: 8,
      maxOverflow: 8,
      connectTimeoutMs: 5000,
      prePingAfterMs: 0,
    });
    const options = { url: pooler.url, redisUrl: redis.url, aliveForMs: 900 };
    caches = [createCache({ ...options, listenUrl: direct }), createCache({ ...options, unheardTtlMs: 200 })];
  });
  afterAll(async () => {
    await Promise.all((caches ?? []).map((cache) => cache.close()));
    await db?.destroy();
    await pooler?.stop();
    await redis?.remove();
  });

  /** What breaks may fail, but only in the ways that are documented. */
  function judgeError(error: unknown): void {
    counts.failed += 1;
    const isKnown =
      error instanceof ConnectionLostError ||
      (error instanceof AisecError && error.code.startsWith('DATABASE_')) ||
      /^(08|57P0|53300|25P02)/.test((error as { code?: string }).code ?? '');
    if (!isKnown) faults.push(`unexpected error: ${String(error)}`);
  }

  function judge(what: string, user: string, atLeast: number, seen: string | null | undefined): void {
    const [owner, count] = (seen ?? '').split(' ');
    if (owner !== user) faults.push(`${what} showed user ${user} the row "${String(seen)}"`);
    else if (Number(count) < atLeast) faults.push(`${what} showed count ${String(count)} after ${atLeast}`);
  }

  let random: Random;

  async function writeOn(user: string): Promise<void> {
    for (let count = 1; !isOver; count += 1) {
      const text = `${user} ${count}`;
      try {
        await withUser(db, user, async (trx) => {
          await trx.updateTable('conversations').set({ title: text }).execute();
          await sql`update user_preferences set theme = ${text}`.execute(trx);
        }); // prettier-ignore
        committed.set(user, count);
        counts.writes += 1;
        // As a careless service does it: a table that hides the real one.
        if (count % 5 === 0) await withUser(db, user, (trx) => sql`set search_path = nowhere`.execute(trx));
        for (const [index, cache] of caches.entries()) {
          await cache.sync();
          heard[index]?.set(user, count);
        }
      } catch (error) {
        judgeError(error);
      }
      // Each user at a pace of its own.
      await sleep(random() * 400);
    }
  }

  async function readOn(user: string): Promise<void> {
    while (!isOver) {
      try {
        const atLeast = committed.get(user) ?? 0;
        const rows = await withUser(db, user, (trx) => trx.selectFrom('conversations').select('title').execute());
        if (rows.length !== 1) faults.push(`user ${user} saw ${rows.length} rows`);
        judge('withUser', user, atLeast, rows[0]?.title);
        counts.reads += 1;
        for (const [index, cache] of caches.entries()) {
          const least = heard[index]?.get(user) ?? 0;
          judge(`cache ${index}`, user, least, (await cache.preferences(user))?.theme);
          counts.cached += 1;
        }
      } catch (error) {
        judgeError(error);
      }
      // Reads fall between the writes by chance.
      await sleep(random() * 20);
    }
  }

  const BREAKS: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['the pooler is killed', async () => pooler.kill().then(() => pooler.start())],
    ['Redis is killed', async () => redis.kill().then(() => redis.start())],
    ['the server crashes', async () => server.stop('immediate').then(() => server.start())],
    ['the server restarts', async () => server.stop('fast').then(() => server.start())],
    ['Redis hangs', async () => { redis.pause(); await sleep(STEP_MS); redis.resume(); }],
    ['pooler and Redis are killed', async () => Promise.all([pooler.kill().then(() => pooler.start()), redis.kill().then(() => redis.start())])],
    ['all restart at once', async () => {
      await Promise.all([pooler.kill(), redis.kill(), server.stop('immediate')]);
      await Promise.all([server.start().then(() => pooler.start()), redis.start()]);
    }],
  ]; // prettier-ignore

  test('never shows an old row, nor one of another user', { timeout: 600_000 }, async () => {
    random = chance();
    expect(await caches[0]?.ready(60_000)).toBe(true);
    const work = Promise.all(users.flatMap((user) => [writeOn(user), readOn(user), readOn(user)]));
    await sleep(STEP_MS);
    // All of them once; in the long form, then at random.
    for (let round = 0; round < rounds(BREAKS.length, 60) && faults.length === 0; round += 1) {
      const index = round < BREAKS.length ? round : Math.floor(random() * BREAKS.length);
      await BREAKS[index]?.[1]();
      await sleep(STEP_MS);
    }
    expect(await caches[0]?.ready(60_000)).toBe(true);
    const before = { ...counts };
    await waitFor(async () => (counts.writes > before.writes && counts.reads > before.reads) || faults.length > 0);
    isOver = true;
    await work;
    const hits: number[] = [];
    for (const cache of caches) {
      const count = (): number => cache.status().localHits + cache.status().redisHits;
      // Nothing changes any more, so that the second of two reads is one, unless the machine takes long for the first.
      await waitFor(async () => {
        await cache.preferences(users[0] ?? '');
        await cache.preferences(users[0] ?? '');
        return count() > 0;
      });
      hits.push(count());
    }
    console.log(`restarts: ${JSON.stringify(counts)}; of the reads of the caches ${hits.join(' and ')} were hits`);
    expect(faults).toEqual([]);
    for (const count of hits) expect(count).toBeGreaterThan(0);
    // It works again, and did so in between.
    expect(counts.writes).toBeGreaterThan(before.writes);
    expect(counts.reads).toBeGreaterThan(before.reads);
    expect(counts.failed).toBeGreaterThan(0);
  });
});
