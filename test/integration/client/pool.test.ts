import { execFile } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { sql, type Kysely } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';

import { createDatabase, hashPassword, toVector, verifyPassword, withUser } from '../../../src/index.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { waitFor } from '../../support/wait-for.js';
import { createServiceDatabase, userId, type Tables } from './service-role.js';

/** Passes bytes on until it is told to swallow those of the connections it has then, as a firewall does. */
async function startProxy(url: string): Promise<{ url: string; swallow: () => void; stop: () => void }> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const swallowed = new Set<Socket>();
  const server: Server = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(one);
      one.on('data', (bytes: Buffer) => {
        if (!swallowed.has(one)) other.write(bytes);
      });
      one.on('error', () => undefined).on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href,
    swallow: () => sockets.forEach((socket) => swallowed.add(socket)),
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describeOnServer('createDatabase', () => {
  let database: ServerDatabase;
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
  });
  const one = async <Value>(db: Kysely<Tables>, expression: string): Promise<Value | undefined> =>
    (await sql<{ value: Value }>`select ${sql.raw(expression)} as value`.execute(db)).rows[0]?.value;
  const sessions = async (name: string): Promise<number> =>
    (
      await database.admin.query(
        'select from pg_stat_activity where application_name = $1 and datname = current_database()',
        [name],
      )
    ).rowCount ?? 0;
  /** So many queries at once, until so many sessions hold one each. */
  const rushUntil = async (db: Kysely<Tables>, name: string, queries: number, count: number): Promise<void> => {
    await database.admin.query('select pg_advisory_lock(4712)');
    const rush = Promise.all(Array.from({ length: queries }, () => one(db, 'pg_advisory_xact_lock_shared(4712)')));
    await waitFor(async () => (await sessions(name)) === count);
    await database.admin.query('select pg_advisory_unlock(4712)');
    await rush;
  };

  test('is in UTC, says who it is, and gives numbers of vectors, texts of numeric and Dates of timestamptz', async () => {
    const db = createDatabase<Tables>({ url: database.url });
    expect(await one(db, "current_setting('timezone')")).toBe('UTC');
    expect(await one(db, "current_setting('application_name')")).toBe('ai_secretary_platform');
    expect(await one(db, "'[1,-0.5,2e-3]'::vector")).toEqual([1, -0.5, 0.002]);
    expect(await one(db, '0.1000::numeric')).toBe('0.1000');
    expect(await one(db, "'2026-03-01T00:00:00Z'::timestamptz")).toEqual(new Date('2026-03-01T00:00:00Z'));
    await db.destroy();
  });

  test('reads and writes the same whatever formats the role and the database have, also after withUser has cleaned up', async () => {
    const { database: own, url, role } = await createServiceDatabase(1);
    await own.admin
      .query(`alter role ${role} set datestyle = 'SQL, DMY'; alter role ${role} set intervalstyle = 'sql_standard';
      alter role ${role} set extra_float_digits = -3; alter role ${role} set bytea_output = 'escape'`);
    const db = createDatabase<Tables>({ url, poolSize: 1, maxOverflow: 0 });
    const text = `select '2026-03-01 12:00:00.5+09'::timestamptz as at, '2026-03-01'::date as day, '1 day 2 hours'::interval as took,
      0.1::float8 + 0.2::float8 as sum, '\\x005c00ff'::bytea as bytes, '1/2/2026'::date as typed, '{infinity,null}'::timestamptz[] as ends`;
    const wanted = {
      at: new Date('2026-03-01T03:00:00.500Z'),
      day: '2026-03-01',
      took: '1 day 02:00:00',
      sum: 0.1 + 0.2,
      bytes: Buffer.from('005c00ff', 'hex'),
      typed: '2026-02-01',
      ends: [new Date(8.64e15), null],
    };
    expect((await sql.raw(text).execute(db)).rows).toEqual([wanted]);
    expect(await withUser(db, userId(1), async (trx) => (await sql.raw(text).execute(trx)).rows)).toEqual([wanted]);
    expect((await sql.raw(text).execute(db)).rows).toEqual([wanted]);
    await db.destroy();
  });

  test('learns the types of a database once, also those that are made later', async () => {
    const db = createDatabase<Tables>({ url: database.url, applicationName: 'test types' });
    await sql`create type mood as enum ('happy', 'so, "so"'); create domain moods as mood[]`.execute(db);
    expect(await one(db, `array['happy', null, 'so, "so"']::mood[]`)).toEqual(['happy', null, 'so, "so"']);
    expect(await one(db, `array['{happy}']::moods[]`)).toEqual([['happy']]);
    expect(await one(db, `'[0:1][0:1]={{1,2},{3,4}}'::int[]`)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await one(db, `array['[1,2]']::halfvec[]`)).toEqual([[1, 2]]);
    const queries = await database.admin.query(
      `select query from pg_stat_activity where application_name = 'test types'`,
    );
    expect(queries.rows.filter(({ query }) => query.includes('with recursive needed')).length).toBeLessThan(2);
    await db.destroy();
  });

  test('opens no more than poolSize and maxOverflow, keeps poolSize, and closes all when it is destroyed', async () => {
    const name = 'test pool sizes';
    const db = createDatabase<Tables>({ url: database.url, applicationName: name, poolSize: 3, maxOverflow: 4 });
    await rushUntil(db, name, 30, 7);
    await waitFor(async () => (await sessions(name)) === 3);
    await db.destroy();
    await waitFor(async () => (await sessions(name)) === 0);
  });

  test('tells when no connection became free in time', async () => {
    // The limit counts for opening a connection, too, which may take seconds on a busy machine.
    const db = createDatabase<Tables>({ url: database.url, poolSize: 1, maxOverflow: 0, connectTimeoutMs: 10_000 });
    await db.connection().execute(async () => {
      await expect(one(db, '1')).rejects.toMatchObject({
        code: 'DATABASE_UNREACHABLE',
        detail: 'All 1 connections of the pool are in use.',
      });
    });
    await db.destroy();
  });

  test('does not hang on an idle connection that went dead without a word', async () => {
    const proxy = await startProxy(database.url);
    const db = createDatabase<Tables>({ url: proxy.url, poolSize: 3, prePingAfterMs: 100 });
    await Promise.all([1, 2, 3].map(() => one(db, 'pg_sleep(0.05)')));
    proxy.swallow();
    await sleep(200);
    const startedMs = performance.now();
    expect(await Promise.all([1, 2, 3].map(() => one(db, '1')))).toEqual([1, 1, 1]);
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    await db.destroy();
    proxy.stop();
  });

  test('goes on when all of its sessions are ended, and tells of it', async () => {
    const name = 'test pool killed';
    const told: Error[] = [];
    const db = createDatabase<Tables>({
      url: database.url,
      applicationName: name,
      onConnectionError: (error) => told.push(error),
    });
    await rushUntil(db, name, 3, 3);
    await database.admin.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
      name,
    ]);
    await waitFor(() => Promise.resolve(told.length >= 3));
    expect(await one(db, '1')).toBe(1);
    await db.destroy();
  });

  test('refuses numbers that cannot be, and says when no server is named', async () => {
    expect(() => createDatabase({ url: database.url, poolSize: 0 })).toThrow('createDatabase: poolSize is 0');
    expect(() => createDatabase({ url: 'mysql://x' })).toThrow('invalid database URL in the url option');
    const script = `import('${new URL('../../../dist/index.js', import.meta.url).href}').then(({ createDatabase }) => createDatabase()).catch((e) => console.log(e.code))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
      env: { PATH: process.env['PATH'] },
    });
    expect(stdout).toBe('DATABASE_NOT_CONFIGURED\n');
  });

  test.each([
    ['a port where nobody listens', (url: URL) => (url.port = '1'), 'DATABASE_UNREACHABLE'],
    ['a database that is not there', (url: URL) => (url.pathname = '/aisec_test_nowhere'), 'DATABASE_MISSING'],
  ])('tells %s with a hint, without the password', async (_, change, code) => {
    const url = new URL(database.url);
    url.password = 'open-sesame';
    change(url);
    const db = createDatabase<Tables>({ url: url.href });
    const error = await one(db, '1').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, hint: expect.any(String) as string });
    expect(JSON.stringify([error, (error as Error).stack, (error as Error).message])).not.toContain('open-sesame');
    await db.destroy();
  });
});

describeOnServer('passwords', () => {
  test('are hashed and verified by the database; an unknown user takes as long; no log of Kysely shows one', async () => {
    const { database, url, role } = await createServiceDatabase(1);
    await database.admin.query(`grant execute on function hash_password(text), verify_password(text, text) to ${role}`);
    const logged: string[] = [];
    const db = createDatabase<Tables>({ url, log: (event) => void logged.push(JSON.stringify(event)) });
    const hash = await hashPassword(db, 'correct horse');
    expect(hash).toMatch(/^\$2a\$12\$.{53}$/);
    expect(await verifyPassword(db, 'correct horse', hash)).toBe(true);
    expect(await verifyPassword(db, 'wrong horse', hash)).toBe(false);
    const timeOf = async (known: string | null): Promise<number> => {
      const startedMs = performance.now();
      expect(await verifyPassword(db, 'wrong horse', known)).toBe(false);
      return performance.now() - startedMs;
    };
    // The least of many: whatever else the machine does, it comes down to what the work itself takes.
    let [known, unknown] = [Infinity, Infinity];
    await waitFor(async () => {
      known = Math.min(known, await timeOf(hash));
      unknown = Math.min(unknown, await timeOf(null));
      return unknown / known > 0.5;
    });
    await expect(hashPassword(db, 'x'.repeat(73))).rejects.toMatchObject({ code: '22001' });
    await expect(hashPassword(db, 'a\0b')).rejects.toMatchObject({ code: 'USAGE' });
    expect(logged.length).toBeGreaterThan(5);
    expect(logged.join('\n')).not.toContain('horse');
    await db.destroy();
  });

  test("stay out of the server's log where the role may hide them", async () => {
    const { database, url, role } = await createServiceDatabase(1);
    await database.admin.query(`grant execute on function hash_password(text) to ${role}`);
    await database.admin.query(`grant set on parameter log_parameter_max_length to ${role}`);
    const db = createDatabase<Tables>({ url });
    const seen: string[] = [];
    const spied = db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: ({ result }) => {
        seen.push(JSON.stringify(result.rows[0]));
        return Promise.resolve(result);
      },
    });
    await hashPassword(spied, 'x');
    expect(seen[0]).toBe('{"log_parameter_max_length":"0"}');
    await db.destroy();
    await database.admin.query(`revoke set on parameter log_parameter_max_length from ${role}`);
  });
});

describe('toVector', () => {
  const numbers = (value: unknown): number[] =>
    Array.from({ length: 1536 }, (_, index) => (index === 7 ? value : 0.5)) as number[];
  test.each([
    [[1, 2], 'has 2 dimensions'],
    [numbers(Number.NaN), 'has NaN at position 7'],
    [numbers(Number.POSITIVE_INFINITY), 'has Infinity at position 7'],
    [numbers(1e39), 'has 1e+39 at position 7'],
    [numbers(null), 'has null at position 7'],
    [numbers('1'), 'has 1 at position 7'],
    [Array.from({ length: 1536 }, () => 0), 'is zero in every position'],
    [userId(1), 'is not an array'],
  ])('refuses what PostgreSQL would not compare: %#', (embedding, what) => {
    expect(() => toVector(embedding as number[])).toThrow(`the embedding ${what}`);
  });
  test('writes what PostgreSQL reads', () => {
    expect(toVector(numbers(-1e-7))).toMatch(/^\[0.5,.*,-1e-7,0.5/);
  });
});
