import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import { sql, type Kysely, type Transaction } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { createDatabase, poolStats, streamMessages, withUser } from '../../../src/index.js';
import { describeOnServer } from '../../support/database.js';
import { waitFor } from '../../support/wait-for.js';
import { countMessages } from './count-messages.js';
import { pgbouncer, startPgbouncer } from './pgbouncer.js';
import { createServiceDatabase, userId, type ServiceDatabase, type Tables } from './service-role.js';

const REASON = new Error('the caller went away');

describeOnServer('withUser with a signal', () => {
  let service: ServiceDatabase;
  let db: Kysely<Tables>;
  let controller: AbortController;

  beforeAll(async () => {
    service = await createServiceDatabase(40);
    db = createDatabase<Tables>({ url: service.url, poolSize: 1, maxOverflow: 0 });
  });
  afterAll(() => db.destroy());
  beforeEach(() => {
    controller = new AbortController();
  });
  /** Whatever a test did, nothing runs any more, and the connection serves the next. */
  afterEach(async () => {
    expect(await running()).toBe(0);
    expect(await titles(3)).toEqual(['user3/1', 'user3/2']);
  });

  const slow = (trx: Transaction<Tables>): Promise<unknown> => sql`select pg_sleep(30)`.execute(trx);
  const rename = (trx: Transaction<Tables>): Promise<unknown> =>
    trx.updateTable('conversations').set({ title: 'renamed' }).execute();
  const pid = async (trx: Transaction<Tables>): Promise<number> =>
    (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)).rows[0]?.pid ?? 0;
  const titles = async (user: number): Promise<(string | null)[]> =>
    (
      await withUser(db, userId(user), (trx) =>
        trx.selectFrom('conversations').select('title').orderBy('title').execute(),
      )
    ).map(({ title }) => title);
  const running = async (): Promise<number> =>
    (
      await service.database.admin.query(
        `select from pg_stat_activity where usename = $1 and state = 'active' and query like '%pg_sleep(30)%'`,
        [service.role],
      )
    ).rowCount ?? 0;
  const abortOnceRunning = async (count = 1): Promise<void> => {
    await waitFor(async () => (await running()) === count);
    controller.abort(REASON);
  };
  const outcome = (run: Promise<unknown>): Promise<unknown> =>
    run.then(
      () => 'done',
      (error: unknown) => error,
    );

  test('cancels the statement on the server, rolls back, and keeps the connection', async () => {
    const before = await withUser(db, userId(1), pid);
    const run = outcome(
      withUser(
        db,
        userId(1),
        async (trx) => {
          await rename(trx);
          await slow(trx);
        },
        { signal: controller.signal },
      ),
    );
    await abortOnceRunning();
    expect(await run).toBe(REASON);
    expect(await running()).toBe(0);
    expect(await titles(1)).toEqual(['user1/1', 'user1/2']);
    expect(await withUser(db, userId(1), pid)).toBe(before);
  });

  test('cancels statements that wait behind the one that runs, too', async () => {
    const both = (trx: Transaction<Tables>): Promise<unknown> => Promise.allSettled([slow(trx), slow(trx), slow(trx)]);
    const run = outcome(withUser(db, userId(1), both, { signal: controller.signal }));
    await abortOnceRunning();
    expect(await run).toBe(REASON);
  });

  test('sends nothing once the signal is aborted', async () => {
    const { messages, proxied, close } = await countMessages(service.url);
    await withUser(proxied, userId(1), pid);
    messages.length = 0;
    const run = outcome(withUser(proxied, userId(1), pid, { signal: AbortSignal.abort(REASON) }));
    expect(await run).toBe(REASON);
    expect(messages).toEqual([]);
    await close();
  });

  test('ends the wait for a connection, and leaves the pool to the others', async () => {
    let end: () => void = () => undefined;
    const until = new Promise<void>((resolve) => (end = resolve));
    const holder = withUser(db, userId(2), async (trx) => pid(trx).then(() => until));
    await waitFor(async () => poolStats(db).inUse === 1);
    const run = outcome(withUser(db, userId(1), pid, { signal: controller.signal }));
    const next = titles(2);
    await waitFor(async () => poolStats(db).waiting === 2);
    controller.abort(REASON);
    expect(await run).toBe(REASON);
    end();
    await holder;
    expect(await next).toEqual(['user2/1', 'user2/2']);
    expect(poolStats(db)).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test('ends a callback that waits for something else, and refuses its later queries', async () => {
    let end: () => void = () => undefined;
    const until = new Promise<void>((resolve) => (end = resolve));
    let later: Promise<unknown> | undefined;
    const run = outcome(
      withUser(
        db,
        userId(1),
        async (trx) => {
          await rename(trx);
          later = until.then(() => outcome(rename(trx)));
          controller.abort(REASON);
          await later;
        },
        { signal: controller.signal },
      ),
    );
    expect(await run).toBe(REASON);
    end();
    expect(await later).toBeInstanceOf(Error);
    expect(await titles(1)).toEqual(['user1/1', 'user1/2']);
  });

  test('rolls back when it is aborted by the last moment of the callback', async () => {
    const run = withUser(
      db,
      userId(1),
      async (trx) => {
        await rename(trx);
        controller.abort(REASON);
      },
      { signal: controller.signal },
    );
    expect(await outcome(run)).toBe(REASON);
    expect(await titles(1)).toEqual(['user1/1', 'user1/2']);
  });

  test('is no longer bound to the signal when it is done', async () => {
    expect(await withUser(db, userId(1), () => Promise.resolve('done'), { signal: controller.signal })).toBe('done');
    controller.abort(REASON);
    expect(await titles(1)).toEqual(['user1/1', 'user1/2']);
  });

  test('does not run again what was aborted, and ends the wait for the next attempt', async () => {
    let attempts = 0;
    const conflict = async (trx: Transaction<Tables>): Promise<void> => {
      attempts += 1;
      if (attempts === 3) controller.abort(REASON);
      await sql`do $$ begin raise exception using errcode = '40001'; end $$`.execute(trx);
    };
    const run = withUser(db, userId(1), conflict, { retry: 50, signal: controller.signal });
    expect(await outcome(run)).toBe(REASON);
    expect(attempts).toBe(3);
  });

  test('rejects with TimeoutError after AbortSignal.timeout', async () => {
    const run = withUser(db, userId(1), slow, { signal: AbortSignal.timeout(50) });
    await expect(run).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('takes one signal for many calls, without a warning of a leak', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    const runs = Array.from({ length: 40 }, (_, index) =>
      outcome(withUser(db, userId(index + 1), slow, { signal: controller.signal })),
    );
    await abortOnceRunning();
    expect(new Set(await Promise.all(runs))).toEqual(new Set([REASON]));
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });

  test('closes the connection of a statement whose cancel does not get through', async () => {
    const target = new URL(service.url);
    const cancels: Socket[] = [];
    let isDeaf = false;
    const server = createServer((incoming) => {
      if (isDeaf) {
        cancels.push(incoming);
        return;
      }
      const outgoing = connect(Number(target.port), target.hostname);
      incoming.pipe(outgoing).pipe(incoming);
      for (const socket of [incoming, outgoing]) socket.on('error', () => undefined);
      incoming.on('close', () => outgoing.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = Object.assign(new URL(service.url), { host: `127.0.0.1:${port}` }).href;
    const proxied = createDatabase<Tables>({ url, poolSize: 1, maxOverflow: 0 });
    const run = outcome(withUser(proxied, userId(1), slow, { signal: controller.signal }));
    await waitFor(async () => (await running()) === 1);
    isDeaf = true;
    controller.abort(REASON);
    expect(await run).toBe(REASON);
    expect(cancels).toHaveLength(1);
    expect(poolStats(proxied)).toMatchObject({ total: 0 });
    await service.database.admin.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = $1 and query like '%pg_sleep(30)%'`,
      [service.role],
    );
    await proxied.destroy();
    server.close();
  });

  test('ends the stream of the messages of a conversation', async () => {
    await service.database.admin.query(
      `insert into messages (conversation_id, role, content)
       select (select id from conversations where user_id = $1 limit 1), 'user', n::text from generate_series(1, 5) n`,
      [userId(4)],
    );
    const read: string[] = [];
    const run = withUser(db, userId(4), async (trx) => {
      const { rows } = await sql<{ id: string }>`select conversation_id as id from messages limit 1`.execute(trx);
      const conversationId = rows[0]?.id ?? '';
      for await (const { content } of streamMessages(trx, { conversationId, pageSize: 3, signal: controller.signal })) {
        read.push(content ?? '');
        if (read.length === 2) controller.abort(REASON);
      }
    });
    expect(await outcome(run)).toBe(REASON);
    expect(read).toHaveLength(2);
  });

  test.skipIf(pgbouncer === undefined && process.env['CI'] === undefined)(
    'behind pgbouncer in transaction mode cancels its own statement, and no one else',
    async () => {
      expect(pgbouncer, 'pgbouncer is not installed (Debian: apt-get install pgbouncer)').toBeDefined();
      const pooler = await startPgbouncer(service.url, 4);
      const pooled = createDatabase<Tables>({ url: pooler.url, poolSize: 8, maxOverflow: 0 });
      const long = (trx: Transaction<Tables>): Promise<unknown> => sql`select pg_sleep(0.2)`.execute(trx);
      let isOver = false;
      const others = Promise.all(
        Array.from({ length: 4 }, async (_, index) => {
          const outcomes = new Set<unknown>();
          while (!isOver) outcomes.add(await outcome(withUser(pooled, userId(index + 10), long)));
          return [...outcomes];
        }),
      );
      for (let time = 0; time < 5; time += 1) {
        controller = new AbortController();
        const run = outcome(withUser(pooled, userId(1), slow, { signal: controller.signal }));
        await abortOnceRunning();
        expect(await run).toBe(REASON);
        expect(await running()).toBe(0);
      }
      isOver = true;
      expect(await others).toEqual([['done'], ['done'], ['done'], ['done']]);
      await pooled.destroy();
      await pooler.stop();
    },
  );
});
