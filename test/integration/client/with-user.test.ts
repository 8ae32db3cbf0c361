import { setTimeout as sleep } from 'node:timers/promises';

import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { createDatabase, withSavepoint, withUser } from '../../../src/index.js';
import { describeOnServer } from '../../support/database.js';
import { waitFor } from '../../support/wait-for.js';
import { countMessages } from './count-messages.js';
import { createServiceDatabase, userId, type ServiceDatabase, type Tables } from './service-role.js';

const USERS = 50;

describeOnServer('withUser', () => {
  let service: ServiceDatabase;
  /** Two connections: whoever leaves something behind is followed by another user on the same one at once. */
  let db: Kysely<Tables>;

  beforeAll(async () => {
    service = await createServiceDatabase(USERS);
    db = createDatabase<Tables>({ url: service.url, poolSize: 2, maxOverflow: 0 });
  });
  afterAll(() => db.destroy());

  const titles = async (trx: Kysely<Tables>): Promise<string[]> =>
    (await trx.selectFrom('conversations').select('title').orderBy('title').execute()).map(({ title }) => title ?? '');
  const own = (number: number): string[] => [`user${number}/1`, `user${number}/2`];
  const code = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'no error',
      (error: unknown) => (error as { code: string }).code,
    );

  /** Whatever a test did, the connections of the pool are the login role's again, without user or transaction. */
  afterEach(async () => {
    const seen = await Promise.all(
      [1, 2, 3, 4].map(() =>
        sql<{ state: string }>`
          select concat_ws(' ', current_user, current_setting('app.current_user_id', true),
            (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'transactionid')) as state
        `.execute(db),
      ),
    );
    for (const { rows } of seen) expect(rows[0]?.state.replace(/ +/, ' ')).toBe(`${service.role} 0`);
  });

  test("shows a user's own rows, and what it returns", async () => {
    expect(await withUser(db, userId(1), titles)).toEqual(own(1));
    expect(await withUser(db, userId(2).toUpperCase(), titles)).toEqual(own(2));
    expect(await withUser(db, userId(999), titles)).toEqual([]);
  });

  test('without it a query fails with 42501 instead of showing anything', async () => {
    expect(await code(titles(db))).toBe('42501');
    expect(await code(db.transaction().execute(titles))).toBe('42501');
  });

  test(`serves ${USERS} users at once over two connections, 20 rounds, and nobody sees a foreign row`, async () => {
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    const faults: string[] = [];
    await Promise.all(
      Array.from({ length: USERS }, async (_, index) => {
        for (const round of rounds) {
          const seen = await withUser(db, userId(index + 1), async (trx) => {
            if ((index + round) % 3 === 0) await sql`select pg_sleep(0.001)`.execute(trx);
            if ((index + round) % 7 === 0) await sql`select 1 / 0`.execute(trx);
            return titles(trx);
          }).catch((error: unknown) => (error as { code: string }).code);
          const isRight = seen === '22012' || JSON.stringify(seen) === JSON.stringify(own(index + 1));
          if (!isRight) faults.push(`user ${index + 1}: ${String(seen)}`);
        }
      }),
    );
    expect(faults).toEqual([]);
  });

  test('begins with role and user in one message', async () => {
    const { messages, proxied, close } = await countMessages(service.url);
    await withUser(proxied, userId(1), titles);
    messages.length = 0;
    await withUser(proxied, userId(1), titles);
    await close();
    expect(messages).toHaveLength(3);
    expect(messages[0]).toMatch(/begin; set local role .*authenticated/s);
  });

  test('commits what the callback wrote and rolls it back when it throws, with its own error', async () => {
    const write = async (trx: Transaction<Tables>): Promise<void> => {
      await trx.updateTable('conversations').set({ title: 'changed' }).execute();
    };
    const failure = new Error('mine');
    const run = withUser(db, userId(3), async (trx) => {
      await write(trx);
      throw failure;
    });
    await expect(run).rejects.toBe(failure);
    expect(await withUser(db, userId(3), titles)).toEqual(own(3));
    await withUser(db, userId(3), write);
    expect(await withUser(db, userId(3), titles)).toEqual(['changed', 'changed']);
    expect(await withUser(db, userId(4), titles)).toEqual(own(4));
  });

  test('is told that nothing was kept when the callback swallowed the error of a statement', async () => {
    const run = withUser(db, userId(5), async (trx) => {
      await trx.updateTable('conversations').set({ title: 'lost' }).execute();
      await sql`select 1 / 0`.execute(trx).catch(() => undefined);
      return 'all is well';
    });
    await expect(run).rejects.toMatchObject({ code: 'ROLLED_BACK' });
    expect(await withUser(db, userId(5), titles)).toEqual(own(5));
  });

  test.each(['', 'me', "1'; drop table users; --", `${userId(1)} `, '10000000000040008000000000000001'])(
    'refuses the user id %j',
    async (id) => {
      await expect(withUser(db, id, titles)).rejects.toMatchObject({
        code: 'USER_SCOPE',
        message: 'withUser: the user id is not a UUID',
      });
    },
  );

  test.each(['none', 'a"b', 'authenticated; reset role'])('refuses the role %j', async (role) => {
    expect(await code(withUser(db, userId(1), titles, { role }))).toBe('USER_SCOPE');
  });

  test('fails with 42501 when the login role may not take the role, and 22023 when there is none', async () => {
    expect(await code(withUser(db, userId(1), titles, { role: 'postgres' }))).toBe('42501');
    expect(await code(withUser(db, userId(1), titles, { role: 'nobody_at_all' }))).toBe('22023');
  });

  test('refuses at once what would leave the scope: the outer database, a scope in a scope, a transaction', async () => {
    expect(await code(withUser(db, userId(1), () => titles(db)))).toBe('USER_SCOPE');
    expect(await code(withUser(db, userId(1), () => titles(db.withSchema('public'))))).toBe('USER_SCOPE');
    expect(await code(withUser(db, userId(1), () => withUser(db, userId(2), titles)))).toBe('USER_SCOPE');
    expect(await code(withUser(db, userId(1), (trx) => withUser(trx, userId(2), titles)))).toBe('USER_SCOPE');
    const nested = withUser(db, userId(1), (trx) => trx.transaction().execute(titles));
    await expect(nested).rejects.toThrow('transaction');
  });

  test('refuses a pool of somebody else, which would not set the user', async () => {
    const foreign = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: service.database.url, max: 1 }) }),
    });
    expect(await code(withUser(foreign, userId(1), titles))).toBe('USER_SCOPE');
    await foreign.destroy();
  });

  test('may use another database meanwhile', async () => {
    const other = createDatabase<Tables>({ url: service.url, poolSize: 1, maxOverflow: 0 });
    const seen = await withUser(db, userId(1), async (trx) => [
      ...(await titles(trx)),
      ...(await withUser(other, userId(2), titles)),
    ]);
    expect(seen).toEqual([...own(1), ...own(2)]);
    await other.destroy();
  });

  test('lets work that the callback left running use the database when the scope is over', async () => {
    let later: Promise<string> | undefined;
    const scope: Promise<void> = withUser(db, userId(1), async (trx) => {
      later = scope.then(() => withUser(db, userId(2), titles).then(String));
      await titles(trx);
    });
    expect(await scope.then(() => later)).toBe(String(own(2)));
  });

  test('never runs a query of a transaction object that was kept, or that nobody waited for', async () => {
    let kept: Transaction<Tables> | undefined;
    const stray: Promise<string>[] = [];
    await withUser(db, userId(1), async (trx) => {
      kept = trx;
      for (let query = 0; query < 3; query += 1) stray.push(code(titles(trx)));
      return Promise.resolve();
    });
    await expect(titles(kept as Transaction<Tables>)).rejects.toThrow();
    // The first may have been on its way; the others came too late.
    expect((await Promise.all(stray)).slice(1)).toEqual(['USER_SCOPE', 'USER_SCOPE']);
  });

  test.each([
    'commit',
    'rollback',
    'commit; begin',
    'rollback; begin',
    'rollback; start transaction',
    'commit and chain',
    'rollback and chain',
  ])('tells a "%s" in the callback at once, and at the end', async (word) => {
    const run = withUser(db, userId(1), async (trx) => {
      const first = await code(sql.raw(word).execute(trx));
      // Neither as the user nor as anybody else.
      expect([first, await code(titles(trx))]).toEqual(['USER_SCOPE', 'USER_SCOPE']);
    });
    expect(await code(run)).toBe('USER_SCOPE');
  });

  test('lets the callback roll back to a savepoint', async () => {
    const run = withUser(db, userId(1), async (trx) => {
      await sql.raw('savepoint mine').execute(trx);
      await sql.raw('rollback to savepoint mine').execute(trx);
      return titles(trx);
    });
    expect(await run).toEqual(own(1));
  });

  test('works on a connection that the caller holds', async () => {
    const seen = db
      .connection()
      .execute(async (held) => [
        await withUser(held, userId(1), titles),
        await withUser(held, userId(2), titles),
        await code(titles(held)),
      ]);
    expect(await seen).toEqual([own(1), own(2), '42501']);
  });

  test.each([
    ['a query that it did not run', (trx: Kysely<Tables>) => trx.selectFrom('users').select('id'), 'execute()'],
    ['one in a promise', async (trx: Kysely<Tables>) => trx.selectFrom('users').select('id'), 'execute()'],
    ['an insert that it did not run', (trx: Kysely<Tables>) => trx.deleteFrom('users'), 'execute()'],
    ['text of SQL that it did not run', () => sql`select 1`, 'execute()'],
    ['a value instead of a promise', () => 5, 'await'],
    ['nothing, with a query that it did not await', (trx: Kysely<Tables>) => void code(titles(trx)), 'await'],
  ])('is told when the callback returned %s', async (_, run, hint) => {
    const callback = run as unknown as () => Promise<unknown>;
    const told = { code: 'USER_SCOPE', hint: expect.stringContaining(hint) as string };
    await expect(withUser(db, userId(1), callback)).rejects.toMatchObject(told);
    await expect(withUser(db, userId(1), (trx) => withSavepoint(trx, callback))).rejects.toMatchObject(told);
  });

  test('takes back a role or user that the callback set for the session', async () => {
    await withUser(db, userId(1), async (trx) => {
      await sql`select set_config('app.current_user_id', ${userId(2)}, false)`.execute(trx);
      await sql`set session role authenticated`.execute(trx);
    });
    await withUser(db, userId(1), async (trx) => {
      await sql`set session role authenticated`.execute(trx);
      throw new Error('mine');
    }).catch(() => undefined);
  });

  test('ends with the error when a statement takes too long, is cancelled, or the pause is too long', async () => {
    const slow = (trx: Transaction<Tables>): Promise<unknown> => sql`select pg_sleep(20)`.execute(trx);
    expect(await code(withUser(db, userId(1), slow, { statementTimeoutMs: 50 }))).toBe('57014');
    const idle = withUser(db, userId(1), (trx) => sleep(300).then(() => titles(trx)), { idleTimeoutMs: 50 });
    expect(await code(idle)).not.toBe('no error');
    const cancelled = code(withUser(db, userId(1), slow));
    await waitFor(async () => (await signalSlow('pg_cancel_backend')) > 0);
    expect(await cancelled).toBe('57014');
  });

  test('survives its backend being killed: the error is told, and the next caller gets a good connection', async () => {
    const killed = code(withUser(db, userId(1), (trx) => sql`select pg_sleep(20)`.execute(trx)));
    await waitFor(async () => (await signalSlow('pg_terminate_backend')) > 0);
    expect(await killed).toBe('57P01');
    expect(await withUser(db, userId(2), titles)).toEqual(own(2));
  });

  test('gives a connection away that was left in a transaction, failed or not', async () => {
    for (const text of ['begin', "begin; select set_config('app.current_user_id', 'x', true); select 1 / 0"]) {
      const left = sql.raw(text);
      await db.connection().execute((connection) => left.execute(connection).catch(() => undefined));
    }
    expect(await withUser(db, userId(2), titles)).toEqual(own(2));
  });

  test('takes isolation level and read only', async () => {
    const ask = sql`select current_setting('transaction_isolation') as level`;
    const options = { isolationLevel: 'serializable', isReadOnly: true } as const;
    const { rows } = await withUser(db, userId(1), (trx) => ask.execute(trx), options);
    expect(rows).toEqual([{ level: 'serializable' }]);
    const write = withUser(db, userId(1), (trx) => trx.updateTable('conversations').set({ title: 'x' }).execute(), {
      isReadOnly: true,
    });
    expect(await code(write)).toBe('25006');
  });

  async function signalSlow(signal: string): Promise<number> {
    const { rowCount } = await service.database.admin.query(
      `select ${signal}(pid) from pg_stat_activity where usename = $1 and query like '%pg_sleep(20)%' and state = 'active'`,
      [service.role],
    );
    return rowCount ?? 0;
  }

  test('says what to do where a query is streamed', async () => {
    const stream = withUser(db, userId(1), async (trx) => {
      for await (const row of trx.selectFrom('conversations').selectAll().stream()) return row;
      return undefined;
    });
    await expect(stream).rejects.toMatchObject({ code: 'USAGE', hint: expect.stringContaining('streamMessages') });
  });
});
