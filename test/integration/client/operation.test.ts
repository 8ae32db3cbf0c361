import { createServer, type Server } from 'node:net';

import { sql, type Kysely } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import {
  checkHealth,
  closeDatabase,
  createCache,
  createDatabase,
  poolStats,
  withUser,
  type DatabaseOptions,
} from '../../../src/index.js';
import { createTestDatabase } from '../../../src/testing/index.js';
import { describeOnServer } from '../../support/database.js';
import { waitFor } from '../../support/wait-for.js';
import { cacheDirOfRun } from '../../support/run-in-process.js';
import { createServiceDatabase, userId, type ServiceDatabase, type Tables } from './service-role.js';

/** For what must not run out of time on a machine that stops for a moment. */
const PATIENT = { timeoutMs: 60_000 } as const;

describeOnServer('A service in operation', () => {
  let service: ServiceDatabase;
  let db: Kysely<Tables>;
  const open = (options: DatabaseOptions = {}): Kysely<Tables> =>
    createDatabase<Tables>({ url: service.url, poolSize: 1, maxOverflow: 1, ...options });
  /** Keeps a connection in use until `end` is called. */
  const hold = async (): Promise<{ end: () => void; done: Promise<unknown> }> => {
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    let begun: () => void = () => undefined;
    const isRunning = new Promise<void>((resolve) => (begun = resolve));
    const done = withUser(db, userId(1), async (trx) => {
      await trx.selectFrom('users').select('id').execute();
      begun();
      await held;
      return trx.selectFrom('users').select('id').execute();
    });
    done.catch(() => undefined);
    await isRunning;
    return { end, done };
  };

  beforeAll(async () => {
    service = await createServiceDatabase(1);
  });
  beforeEach(() => {
    db = open();
  });
  afterEach(async () => closeDatabase(db, { timeoutMs: 0 }));

  describe('poolStats', () => {
    test('counts connections that are open, idle and in use, and callers that wait', async () => {
      expect(poolStats(db)).toEqual({ total: 0, idle: 0, inUse: 0, waiting: 0, max: 2, replicas: [] });
      const holders = [await hold(), await hold()];
      const waiting = withUser(db, userId(1), (trx) => trx.selectFrom('users').select('id').execute());
      await waitFor(async () => poolStats(db).waiting === 1);
      expect(poolStats(db)).toMatchObject({ total: 2, idle: 0, inUse: 2, waiting: 1, max: 2 });
      for (const { end } of holders) end();
      await Promise.all([waiting, ...holders.map(({ done }) => done)]);
      await waitFor(async () => poolStats(db).inUse === 0);
      expect(poolStats(db.withSchema('public'))).toMatchObject({ waiting: 0, max: 2 });
    });

    test('refuses a transaction, and a database of another pool', async () => {
      await db.transaction().execute(async (trx) => {
        expect(() => poolStats(trx)).toThrow(expect.objectContaining({ code: 'USAGE' }));
      });
    });
  });

  describe('checkHealth', () => {
    test('passes when the database answers', async () => {
      expect(await checkHealth(db, PATIENT)).toMatchObject({
        status: 'pass',
        checks: [{ name: 'database', status: 'pass' }],
      });
    });

    test('fails within its time when every connection is in use, and says so', async () => {
      const holders = [await hold(), await hold()];
      const startedMs = performance.now();
      const reports = await Promise.all([checkHealth(db, { timeoutMs: 200 }), checkHealth(db, { timeoutMs: 200 })]);
      expect(performance.now() - startedMs).toBeLessThan(30_000);
      for (const report of reports) {
        expect(report).toMatchObject({ status: 'fail', checks: [{ name: 'database', status: 'fail' }] });
        expect(report.checks[0]?.message).toMatch(/^no connection to the database within 200 ms: 2 of 2 are in use/);
      }
      for (const { end } of holders) end();
      await Promise.all(holders.map(({ done }) => done));
      await waitFor(async () => (await checkHealth(db, PATIENT)).status === 'pass');
      expect(poolStats(db).waiting).toBe(0);
    });

    test('fails at once when there is no server, and within its time when nothing answers', async () => {
      const nowhere = open({ url: 'postgres://service:geheim@127.0.0.1:1/none' });
      const report = await checkHealth(nowhere, PATIENT);
      expect(report).toMatchObject({ status: 'fail', checks: [{ name: 'database', status: 'fail' }] });
      expect(JSON.stringify(report)).not.toContain('geheim');

      const silent: Server = createServer(() => undefined);
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as { port: number };
      const hanging = open({ url: `postgres://service@127.0.0.1:${port}/none`, connectTimeoutMs: 60_000 });
      const startedMs = performance.now();
      expect((await checkHealth(hanging, { timeoutMs: 100 })).status).toBe('fail');
      expect(performance.now() - startedMs).toBeLessThan(30_000);
      silent.close();
    });

    test('warns when the database accepts no writes', async () => {
      await service.database.admin.query(`alter role ${service.role} set default_transaction_read_only = on`);
      try {
        expect(await checkHealth(db, PATIENT)).toMatchObject({
          status: 'warn',
          checks: [{ message: 'the database accepts no writes' }],
        });
      } finally {
        await service.database.admin.query(`alter role ${service.role} reset default_transaction_read_only`);
      }
    });

    test('warns of a cache that does not hear of changes, and passes when it does', async () => {
      const deaf = createCache({
        url: service.url,
        listenUrl: 'postgres://x@127.0.0.1:1/none',
        redisUrl: 'redis://127.0.0.1:1',
      });
      await waitFor(async () => deaf.status().problem !== undefined);
      const report = await checkHealth(db, { ...PATIENT, cache: deaf });
      expect(report.status).toBe('warn');
      expect(report.checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
        'database pass',
        'cache warn',
        'redis warn',
      ]);
      await deaf.close();
      const cache = createCache({ url: service.url });
      expect(await cache.ready(60_000)).toBe(true);
      expect((await checkHealth(db, { ...PATIENT, cache })).checks).toContainEqual({ name: 'cache', status: 'pass' });
      await cache.close();
    });

    test('never throws, whatever it is given', async () => {
      const other = { getExecutor: () => ({ adapter: {} }) } as unknown as Kysely<Tables>;
      expect((await checkHealth(other)).status).toBe('fail');
      expect((await checkHealth({} as Kysely<Tables>)).status).toBe('fail');
      const broken = {
        status: () => {
          throw new Error('broken');
        },
      };
      expect(await checkHealth(db, { cache: broken, timeoutMs: Number.NaN })).toMatchObject({ status: 'fail' });
    });
  });

  describe('closeDatabase', () => {
    test('waits for what runs and for what waits, refuses what comes later, and closes every connection', async () => {
      const holders = [await hold(), await hold()];
      const waiting = withUser(db, userId(1), (trx) => trx.selectFrom('users').select('id').execute());
      await waitFor(async () => poolStats(db).waiting === 1);
      const closing = closeDatabase(db, { timeoutMs: 60_000 });
      const late = withUser(db, userId(1), (trx) => trx.selectFrom('users').select('id').execute());
      await expect(late).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
      await expect(db.selectFrom('users').select('id').execute()).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
      expect(await checkHealth(db, PATIENT)).toMatchObject({
        status: 'fail',
        checks: [{ message: 'the database was closed' }],
      });
      for (const { end } of holders) end();
      for (const { done } of holders) expect(await done).toEqual([{ id: userId(1) }]);
      expect(await waiting).toEqual([{ id: userId(1) }]);
      expect(await closing).toBe(0);
      expect(poolStats(db)).toMatchObject({ total: 0, waiting: 0 });
      expect(await closeDatabase(db)).toBe(0);
      await db.destroy();
    });

    test('cuts what is not over in time, which the server rolls back', async () => {
      const running = withUser(db, userId(1), async (trx) => {
        await trx.updateTable('conversations').set({ title: 'half' }).execute();
        await sql`select pg_sleep(60)`.execute(trx);
      });
      running.catch(() => undefined);
      await waitFor(async () => poolStats(db).inUse === 1);
      const other = await hold();
      const waiting = withUser(db, userId(1), (trx) => trx.selectFrom('users').select('id').execute());
      waiting.catch(() => undefined);
      await waitFor(async () => poolStats(db).waiting === 1);
      const startedMs = performance.now();
      expect(await closeDatabase(db, { timeoutMs: 100 })).toBe(3);
      expect(performance.now() - startedMs).toBeLessThan(30_000);
      other.end();
      await expect(running).rejects.toMatchObject({ name: 'ConnectionLostError' });
      await expect(other.done).rejects.toMatchObject({ name: 'ConnectionLostError' });
      await expect(waiting).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
      const { rows } = await service.database.admin.query(`select from conversations where title = 'half'`);
      expect(rows).toEqual([]);
    });

    test('closes a database that was never used, and the cache with it', async () => {
      const cache = createCache({ url: service.url });
      expect(await closeDatabase(db, { cache })).toBe(0);
      await expect(cache.setting('x')).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
      await expect(db.selectFrom('users').select('id').execute()).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    });

    test('refuses a time that is none', async () => {
      await expect(closeDatabase(db, { timeoutMs: -1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    });
  });
});

describe('The database of tests', () => {
  let kit: Awaited<ReturnType<typeof createTestDatabase>>;
  beforeAll(async () => {
    kit = await createTestDatabase({ cacheDir: cacheDirOfRun() });
  });
  afterAll(async () => kit.close());

  test('has the same health check and figures', async () => {
    expect(await checkHealth(kit.db, PATIENT)).toMatchObject({ status: 'pass' });
    expect(poolStats(kit.db)).toMatchObject({ total: 1, max: 1 });
  });
});
