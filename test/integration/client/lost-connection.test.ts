import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createDatabase, withSavepoint, withUser } from '../../../src/index.js';
import { startCuttingProxy, type CuttingProxy } from '../../support/cutting-proxy.js';
import { describeOnServer } from '../../support/database.js';
import { waitFor } from '../../support/wait-for.js';
import { createServiceDatabase, userId, type ServiceDatabase, type Tables } from './service-role.js';

describeOnServer('A connection that ends while withUser holds it', () => {
  let service: ServiceDatabase;
  let proxy: CuttingProxy;
  let db: Kysely<Tables>;

  beforeAll(async () => {
    service = await createServiceDatabase(3);
    proxy = await startCuttingProxy(service.url);
    db = createDatabase<Tables>({ url: proxy.url, poolSize: 1, maxOverflow: 0 });
  });
  afterAll(async () => {
    await db.destroy();
    proxy.stop();
  });

  const pidOf = async (trx: Kysely<Tables>): Promise<number> =>
    (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)).rows[0]?.pid ?? 0;
  const isGone = (pid: number) => async (): Promise<boolean> =>
    (await service.database.admin.query('select from pg_stat_activity where pid = $1', [pid])).rowCount === 0;
  /** Ends the backend and waits until the server has. */
  const terminate = async (trx: Kysely<Tables>): Promise<void> => {
    const pid = await pidOf(trx);
    await service.database.admin.query('select pg_terminate_backend($1)', [pid]);
    await waitFor(isGone(pid));
  };
  const rename = (trx: Kysely<Tables>, title: string): Promise<unknown> =>
    trx.updateTable('conversations').set({ title }).execute();
  const titles = async (number: number): Promise<unknown[]> =>
    (
      await service.database.admin.query('select distinct title from conversations where user_id = $1', [
        userId(number),
      ])
    ).rows;

  test('is told with 25P03 and the name of the timeout when the pause was too long', async () => {
    const run = withUser(
      db,
      userId(1),
      async (trx) => {
        await waitFor(isGone(await pidOf(trx)));
        await pidOf(trx);
      },
      { idleTimeoutMs: 50 },
    );
    await expect(run).rejects.toMatchObject({
      code: '25P03',
      message: expect.stringMatching(/idle-in-transaction/),
      hint: expect.stringMatching(/idleTimeoutMs/),
    });
  });

  test('is told with 57P01 when an administrator ended it between two statements', async () => {
    const run = withUser(db, userId(1), async (trx) => {
      await terminate(trx);
      await pidOf(trx);
    });
    await expect(run).rejects.toMatchObject({ name: 'ConnectionLostError', code: '57P01', sqlState: '57P01' });
  });

  test('is told again by each further statement, with the same code', async () => {
    const codes: unknown[] = [];
    await withUser(db, userId(1), async (trx) => {
      await terminate(trx);
      for (let time = 0; time < 3; time += 1)
        await pidOf(trx).catch((error: unknown) => codes.push((error as { code: string }).code));
    }).catch((error: unknown) => codes.push((error as { code: string }).code));
    expect(codes).toEqual(['57P01', '57P01', '57P01', '57P01']);
  });

  test('is told with 57P01 when it ended during a statement, also outside of withUser', async () => {
    const slow = sql`select pg_sleep(20) /* lost */`.execute(db).then(() => undefined);
    await Promise.all([
      expect(slow).rejects.toMatchObject({ code: '57P01' }),
      waitFor(async () => {
        const text = `select pg_terminate_backend(pid) from pg_stat_activity where query like '%/* lost */' and state = 'active' and pid <> pg_backend_pid()`;
        return (await service.database.admin.query(text)).rowCount === 1;
      }),
    ]);
  });

  test('is told with 08006 when the network broke without a word, between or during statements', async () => {
    const between = withUser(db, userId(1), async (trx) => {
      await pidOf(trx);
      proxy.cut();
      await pidOf(trx);
    });
    await expect(between).rejects.toMatchObject({ name: 'ConnectionLostError', code: '08006' });
    const during = withUser(db, userId(1), async (trx) => {
      await Promise.all([sql`select pg_sleep(20)`.execute(trx), Promise.resolve().then(() => proxy.cut())]);
    });
    await expect(during).rejects.toMatchObject({ name: 'ConnectionLostError', code: '08006' });
    expect(await withUser(db, userId(1), pidOf)).toBeGreaterThan(0);
  });

  describe('at COMMIT', () => {
    test('is told with 08007 when nobody knows whether it was committed', async () => {
      const run = withUser(db, userId(2), async (trx) => {
        await rename(trx, 'unknown');
        proxy.decide({ swallowAfterClientSays: /commit/ });
      });
      await expect(run).rejects.toMatchObject({ code: '08007' });
      proxy.decide('pass');
    });

    test('is no error when the server had confirmed it', async () => {
      const run = withUser(db, userId(2), async (trx) => {
        await rename(trx, 'confirmed');
        proxy.decide({ cutAfterServerSays: 'COMMIT\0' });
        return 'done';
      });
      expect(await run).toBe('done');
      proxy.decide('pass');
      expect(await titles(2)).toEqual([{ title: 'confirmed' }]);
    });
  });

  describe('with retry', () => {
    /** Fails the first `times` times as told. */
    const counted = (times: number, fail: (trx: Kysely<Tables>) => Promise<unknown>) => {
      const count = { runs: 0 };
      const run = async (trx: Kysely<Tables>): Promise<number> => {
        count.runs += 1;
        await rename(trx, `run ${count.runs}`);
        if (count.runs <= times) await fail(trx);
        return pidOf(trx);
      };
      return { count, run };
    };
    const raise = (state: string) => (trx: Kysely<Tables>) =>
      sql.raw(`do $$ begin raise exception 'as told' using errcode = '${state}'; end $$`).execute(trx);

    test.each([
      ['40001', raise('40001')],
      ['40P01', raise('40P01')],
      ['57P01', terminate],
      ['08006', async () => proxy.cut()],
    ])('runs the callback again after %s, and keeps what the last run did', async (_, fail) => {
      const { count, run } = counted(2, fail);
      await withUser(db, userId(3), run, { retry: 2 });
      expect(count.runs).toBe(3);
      expect(await titles(3)).toEqual([{ title: 'run 3' }]);
    });

    test('runs it again after a conflict that the server itself found', async () => {
      let runs = 0;
      const run = async (trx: Kysely<Tables>): Promise<void> => {
        runs += 1;
        await trx.selectFrom('conversations').selectAll().execute();
        if (runs === 1)
          await service.database.admin.query(`update conversations set title = 'theirs' where user_id = $1`, [
            userId(3),
          ]);
        await rename(trx, 'mine');
      };
      await withUser(db, userId(3), run, { isolationLevel: 'repeatable read', retry: 1 });
      expect(runs).toBe(2);
      expect(await titles(3)).toEqual([{ title: 'mine' }]);
    });

    test('runs it again after a conflict that the callback swallowed', async () => {
      const { count, run } = counted(1, (trx) => raise('40001')(trx).catch(() => undefined));
      const swallowing = (trx: Kysely<Tables>): Promise<unknown> => run(trx).catch(() => undefined);
      await withUser(db, userId(3), swallowing, { retry: 1 });
      expect(count.runs).toBe(2);
    });

    test('ends with the last error when it fails every time', async () => {
      const { count, run } = counted(9, raise('40001'));
      await expect(withUser(db, userId(3), run, { retry: 2 })).rejects.toMatchObject({ code: '40001' });
      expect(count.runs).toBe(3);
    });

    test('does not run again after any other error, nor when the commit may have succeeded', async () => {
      const other = counted(1, raise('23505'));
      await expect(withUser(db, userId(3), other.run, { retry: 2 })).rejects.toMatchObject({ code: '23505' });
      expect(other.count.runs).toBe(1);
      const unknown = counted(1, async () => proxy.decide({ swallowAfterClientSays: /commit/ }));
      await expect(withUser(db, userId(3), unknown.run, { retry: 2 })).rejects.toMatchObject({ code: '08007' });
      proxy.decide('pass');
      expect(unknown.count.runs).toBe(1);
    });

    test('runs once without it', async () => {
      const { count, run } = counted(1, raise('40001'));
      await expect(withUser(db, userId(3), run)).rejects.toMatchObject({ code: '40001' });
      expect(count.runs).toBe(1);
    });

    test.each([-1, 1.5, Number.NaN, '3'])('refuses %j', async (retry) => {
      await expect(withUser(db, userId(3), pidOf, { retry: retry as number })).rejects.toMatchObject({
        code: 'USER_SCOPE',
      });
    });
  });

  describe('withSavepoint', () => {
    test('keeps what came before it when what is inside fails, also nested', async () => {
      await withUser(db, userId(3), async (trx) => {
        await rename(trx, 'before');
        const failed = withSavepoint(trx, async (inner) => {
          await rename(inner, 'inside');
          await withSavepoint(inner, (deepest) => sql`select 1 / 0`.execute(deepest)).catch(() => undefined);
          await rename(inner, 'still inside');
          await sql`select 1 / 0`.execute(inner);
        });
        await expect(failed).rejects.toMatchObject({ code: '22012' });
      });
      expect(await titles(3)).toEqual([{ title: 'before' }]);
    });

    test('returns what the callback returns, and keeps its writes', async () => {
      const result = await withUser(db, userId(3), (trx) =>
        withSavepoint(trx, async (inner) => {
          await rename(inner, 'kept');
          return 'value';
        }),
      );
      expect(result).toBe('value');
      expect(await titles(3)).toEqual([{ title: 'kept' }]);
    });
  });
});
