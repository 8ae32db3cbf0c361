import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { sql, type Kysely, type Transaction } from 'kysely';

import {
  checkHealth,
  createDatabase,
  poolStats,
  withUser,
  writePosition,
  type UserOptions,
} from '../../../src/index.js';
import { startCuttingProxy } from '../../support/cutting-proxy.js';
import { databaseAddress } from '../../support/database-address.js';
import {
  describeOnPrivateServer,
  startPrivateServer,
  startStandby,
  type PrivateServer,
} from '../../support/private-server.js';
import { waitFor } from '../../support/wait-for.js';
import { userId, type Tables } from './service-role.js';

describeOnPrivateServer('withUser with a replica', () => {
  let primary: PrivateServer;
  let standby: PrivateServer;
  let admin: pg.Client;
  let onStandby: pg.Client;
  let db: Kysely<Tables>;
  let other: Kysely<Tables>;
  let primaryPort = 0;
  let standbyPort = 0;

  const open = (...replicaUrls: string[]): Kysely<Tables> =>
    createDatabase<Tables>({ url: serviceUrl(primary.url), replicaUrls, poolSize: 2, maxOverflow: 2 });
  const serviceUrl = (url: string): string =>
    Object.assign(new URL(databaseAddress(url, 'replicated')), { username: 'replica_service' }).href;
  /** Which server a transaction runs on, and the user's titles there. */
  const look = async (trx: Transaction<Tables>): Promise<{ port: number; titles: (string | null)[] }> => {
    const { rows } = await sql<{ port: number }>`select inet_server_port() as port`.execute(trx);
    const titles = await trx.selectFrom('conversations').select('title').orderBy('title').execute();
    return { port: rows[0]?.port ?? 0, titles: titles.map(({ title }) => title) };
  };
  const read = (user: number, options: UserOptions = {}, on = db): ReturnType<typeof look> =>
    withUser(on, userId(user), look, { isReadOnly: true, ...options });
  const write = (user: number, title: string, on = db): Promise<unknown> =>
    withUser(on, userId(user), (trx) => trx.updateTable('conversations').set({ title }).execute());

  beforeAll(async () => {
    primary = await startPrivateServer({ fsync: 'off' });
    const url = await primary.createDatabase('replicated', { migrated: true });
    admin = new pg.Client({ connectionString: url });
    await admin.connect();
    await admin.query('create role replica_service login');
    await admin.query('grant authenticated to replica_service with inherit false, set true');
    await admin.query(
      `insert into users (id, username, email, password_hash)
       select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user' || n, n || '@x', 'h' from generate_series(1, 3) n`,
    );
    await admin.query(`insert into conversations (user_id, title) select id, username from users`);
    standby = await startStandby(primary, { fsync: 'off' });
    onStandby = new pg.Client({ connectionString: databaseAddress(standby.url, 'replicated') });
    await onStandby.connect();
    primaryPort = Number(new URL(primary.url).port);
    standbyPort = Number(new URL(standby.url).port);
    db = open(`postgres://127.0.0.1:${standbyPort}`);
    other = open(databaseAddress(standby.url, 'replicated'));
  });
  afterAll(async () => {
    await db?.destroy();
    await other?.destroy();
    await admin?.end();
    await onStandby?.end().catch(() => undefined);
  });
  beforeEach(async () => {
    await onStandby.query('select pg_wal_replay_resume()');
    await waitFor(async () => (await read(1)).port === standbyPort);
  });

  test('reads there what is read only, as the user, and writes and reads on the primary what is not', async () => {
    expect(await read(1)).toEqual({ port: standbyPort, titles: ['user1'] });
    expect(await read(2)).toEqual({ port: standbyPort, titles: ['user2'] });
    expect((await withUser(db, userId(1), look)).port).toBe(primaryPort);
    await expect(
      withUser(db, userId(1), (trx) => trx.updateTable('conversations').set({ title: 'x' }).execute(), {
        isReadOnly: true,
      }),
    ).rejects.toMatchObject({ code: '25006' });
  });

  test('reads on the primary on demand, and what a standby cannot do', async () => {
    expect((await read(1, { needsPrimary: true })).port).toBe(primaryPort);
    expect((await read(1, { isolationLevel: 'serializable' })).port).toBe(primaryPort);
    expect((await read(1, { isolationLevel: 'repeatable read' })).port).toBe(standbyPort);
  });

  test('shows a user the own writes while the replica lags, and others what it has', async () => {
    await onStandby.query('select pg_wal_replay_pause()');
    await write(2, 'user2 again');
    expect(await read(2)).toEqual({ port: primaryPort, titles: ['user2 again'] });
    expect(await read(2, { isolationLevel: 'repeatable read' })).toEqual({
      port: primaryPort,
      titles: ['user2 again'],
    });
    expect(await read(1)).toEqual({ port: standbyPort, titles: ['user1'] });
    await onStandby.query('select pg_wal_replay_resume()');
    await waitFor(async () => (await read(2)).port === standbyPort);
    expect((await read(2)).titles).toEqual(['user2 again']);
  });

  test('waits for a replica as long as it was asked to, until the caller gives up', async () => {
    const patient = createDatabase<Tables>({
      url: serviceUrl(primary.url),
      replicaUrls: [`postgres://127.0.0.1:${standbyPort}`],
      replicaWaitMs: 60_000,
      poolSize: 1,
    });
    await onStandby.query('select pg_wal_replay_pause()');
    await write(1, 'user1 in time', patient);
    const givenUp = new AbortController();
    const tooLong = read(1, { signal: givenUp.signal }, patient);
    givenUp.abort(new Error('the caller has gone'));
    await expect(tooLong).rejects.toThrow('the caller has gone');
    const reading = read(1, {}, patient);
    await onStandby.query('select pg_wal_replay_resume()');
    expect(await reading).toEqual({ port: standbyPort, titles: ['user1 in time'] });
    await write(1, 'user1', patient);
    await patient.destroy();
  });

  test('cancels a statement on the replica by a signal, and keeps the connection', async () => {
    const controller = new AbortController();
    const reason = new Error('the caller went away');
    const idle = poolStats(db);
    const run = withUser(db, userId(1), (trx) => sql`select pg_sleep(30)`.execute(trx), {
      isReadOnly: true,
      signal: controller.signal,
    }).catch((error: unknown) => error);
    const running = async (): Promise<number> =>
      (
        await onStandby.query(
          `select from pg_stat_activity where state = 'active' and query like 'select pg_sleep(30)'`,
        )
      ).rowCount ?? 0;
    await waitFor(async () => (await running()) === 1);
    controller.abort(reason);
    expect(await run).toBe(reason);
    expect(await running()).toBe(0);
    expect(poolStats(db)).toEqual(idle);
    expect(await read(1)).toMatchObject({ port: standbyPort });
  });

  test('shows in the health of a service how far a replica is behind', async () => {
    const name = `replica 127.0.0.1:${standbyPort}`;
    const replicaOf = async () =>
      (await checkHealth(db, { timeoutMs: 60_000 })).checks.find((check) => check.name === name);
    let found: Awaited<ReturnType<typeof replicaOf>>;
    await waitFor(async () => {
      found = await replicaOf();
      return found?.lagBytes === 0;
    });
    expect(found).toMatchObject({ status: 'pass', lagBytes: 0, lagMs: 0 });
    await onStandby.query('select pg_wal_replay_pause()');
    await write(2, 'user2 behind');
    await waitFor(async () => {
      found = await replicaOf();
      return (found?.lagBytes ?? 0) > 0;
    });
    expect(found).toMatchObject({ status: 'pass' });
    expect(found?.lagMs).toBeGreaterThan(0);
    await write(2, 'user2');
  });

  test('never shows a user an old row, however fast it reads after a write', async () => {
    const ports = new Set<number>();
    for (let round = 0; round < 200; round += 1) {
      await write(3, `round ${round}`);
      const { port, titles } = await read(3);
      expect(titles).toEqual([`round ${round}`]);
      ports.add(port);
    }
    // However slow the replica is, in the end it has what was written.
    await waitFor(async () => {
      const { port, titles } = await read(3);
      expect(titles).toEqual(['round 199']);
      ports.add(port);
      return ports.has(standbyPort);
    });
  });

  test('waits in another process for the position that is handed over', async () => {
    await onStandby.query('select pg_wal_replay_pause()');
    await write(1, 'elsewhere');
    const notBefore = writePosition(db, userId(1)) ?? '';
    expect(notBefore).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    expect(writePosition(other, userId(1))).toBeUndefined();
    expect(await read(1, {}, other)).toEqual({ port: standbyPort, titles: ['user1'] });
    expect(await read(1, { notBefore }, other)).toEqual({ port: primaryPort, titles: ['elsewhere'] });
    await expect(read(1, { notBefore: 'yesterday' }, other)).rejects.toMatchObject({ code: 'USER_SCOPE' });
  });

  test('reads on the primary while there is no replica, says so, and returns to it', async () => {
    await onStandby.end();
    await standby.stop('immediate');
    // A read that the end of the replica meets is lost; the next one is not, and one with a retry never.
    expect(await read(1, { retry: 1 })).toMatchObject({ port: primaryPort });
    const startedMs = performance.now();
    for (let round = 0; round < 20; round += 1) expect((await read(1)).port).toBe(primaryPort);
    expect(performance.now() - startedMs).toBeLessThan(60_000);
    expect(poolStats(db).replicas).toMatchObject([{ port: standbyPort, isUsed: false }]);
    expect(await checkHealth(db, { timeoutMs: 60_000 })).toMatchObject({
      status: 'warn',
      checks: [
        { name: 'database', status: 'pass' },
        { name: `replica 127.0.0.1:${standbyPort}`, status: 'warn' },
      ],
    });
    await standby.start();
    onStandby = new pg.Client({ connectionString: databaseAddress(standby.url, 'replicated') });
    await onStandby.connect();
    await waitFor(async () => (await read(1)).port === standbyPort);
  });

  test('reads on the primary when a replica falls silent between two reads, as a machine that is paused does', async () => {
    const proxy = await startCuttingProxy(standby.url);
    const service = open(databaseAddress(proxy.url, 'replicated'));
    await waitFor(async () => (await read(1, {}, service)).port === standbyPort);
    proxy.decide({ holdsFrom: 'BEGIN', until: 'what it never says' });
    expect(await read(1, {}, service)).toMatchObject({ port: primaryPort });
    expect(poolStats(service).replicas).toMatchObject([{ isUsed: false }]);
    await service.destroy();
    proxy.stop();
  });

  test('does not read from a server that is no standby', async () => {
    const wrong = open(primary.url);
    expect(await checkHealth(wrong, { timeoutMs: 60_000 })).toMatchObject({
      status: 'warn',
      checks: [{ status: 'pass' }, { message: 'it is no standby: the primary serves its reads' }],
    });
    expect((await read(1, {}, wrong)).port).toBe(primaryPort);
    expect(poolStats(wrong).replicas).toMatchObject([{ port: primaryPort, isUsed: false }]);
    await wrong.destroy();
  });

  test('refuses the address of a replica that cannot be read, before anything is asked', () => {
    expect(() => open('http://replica')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
