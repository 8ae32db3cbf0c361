import { setImmediate as nextTurn } from 'node:timers/promises';

import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';

import { openSession } from '../../../src/adapters/postgres/open.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import { readRedisFacts } from '../../../src/adapters/redis/facts.js';
import { resolveConfig } from '../../../src/config/config.js';
import { resolveDatabaseTarget } from '../../../src/config/database-target.js';
import { resolveServiceRedis } from '../../../src/config/redis-target.js';
import { checkHealth, createDatabase } from '../../../src/index.js';
import { createServerDatabase, describeOnRedis, describeOnServer } from '../../support/database.js';

/** Nothing runs meanwhile, no timer and no reading of a socket, as between SIGSTOP and SIGCONT. */
function beStopped(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

/** Stops once a moment after each of the next turns, in one of which the other side is waited for. */
async function stopNowAndThen(times: number, forMs: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await nextTurn();
    beStopped(forMs);
  }
}

describeOnServer('a process that is stopped for a while', () => {
  test('logs in to a server that answers, however short connect_timeout is', async () => {
    const { url } = await createServerDatabase();
    const address = new URL(url);
    address.searchParams.set('connect_timeout', '2');
    const target = resolveDatabaseTarget(resolveConfig({}, { DATABASE_URL: address.href }, process.cwd()));
    const open = (): Promise<Session> =>
      openSession(target, {
        applicationName: 'test of a stopped process',
        schema: 'public',
        extensionSchema: 'public',
        lockTimeoutMs: 0,
        statementTimeoutMs: 0,
        idleTimeoutMs: 0,
        embedded: 'existing',
        signal: new AbortController().signal,
      });
    // Modules that are loaded take no turns.
    await (await open()).close();
    const opening = open();
    await stopNowAndThen(3, 2500);
    const session = await opening;
    await session.close();
  });

  test('keeps a connection of the pool that answers', async () => {
    const { url } = await createServerDatabase();
    const db = createDatabase({ url, prePingAfterMs: 0 });
    const pid = async (): Promise<number | undefined> =>
      (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid;
    const before = await pid();
    const after = pid();
    await stopNowAndThen(1, 800);
    expect(await after).toBe(before);
    await db.destroy();
  });

  test('reports a database that answers as healthy', async () => {
    const { url } = await createServerDatabase();
    const db = createDatabase({ url });
    await sql`select`.execute(db);
    const health = checkHealth(db, { timeoutMs: 1000 });
    await stopNowAndThen(1, 1500);
    expect((await health).checks).toMatchObject([{ name: 'database', status: 'pass' }]);
    await db.destroy();
  });
});

describeOnRedis('a process that is stopped for a while', () => {
  test('reads the facts of a Redis that answers', async () => {
    const target = resolveServiceRedis(inject('redisUrl') ?? undefined);
    if (target === undefined) throw new Error('no address');
    await readRedisFacts(target, 'aisec-test', 10_000);
    const facts = readRedisFacts(target, 'aisec-test', 1500);
    await stopNowAndThen(2, 1800);
    expect((await facts).version).toMatch(/^\d/);
  });
});
