import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { startCli } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { messagesFrom, monthFromNow, ONE_CONVERSATION, rowsOf } from './messages.js';

/** aisec asks for its locks during 100 ms at a time; the bound leaves room for a machine that stops for a moment. */
const LONGEST_LOCK_WAIT = '9s';

describeOnServer('aisec partitions ensure beside others', () => {
  let database: ServerDatabase;
  const clients: pg.Client[] = [];
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
  });
  const env = (): { readonly DATABASE_URL: string } => ({ DATABASE_URL: database.url });

  async function connect(name: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url, application_name: name });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  }

  /** Writes messages as an application until told to stop, and counts them; rejects when a lock took it too long. */
  async function writeMessages(): Promise<{ readonly stop: () => Promise<number> }> {
    const client = await connect('the application');
    await client.query(`set lock_timeout to '${LONGEST_LOCK_WAIT}'`);
    let isOver = false;
    const work = (async () => {
      let writes = 0;
      while (!isOver) {
        await client.query(messagesFrom(`${monthFromNow(-1)}-05 00:00+00`, 1));
        writes += 1;
        await sleep(5);
      }
      return writes;
    })();
    work.catch(() => undefined);
    return {
      stop: () => {
        isOver = true;
        return work;
      },
    };
  }

  test('beside a report on one month makes the months ahead', async () => {
    const reader = await connect('a report');
    await reader.query(`begin; select count(*) from messages where created_at < '${monthFromNow(1)}-01 00:00+00'
                                                               and created_at >= '${monthFromNow(0)}-01 00:00+00'`);
    const run = await runInProcess(['partitions', 'ensure', '--ahead', '8'], { env: env() });
    await reader.query('commit');
    expect(run.exitCode).toBe(0);
    expect(run.stdout.trim().split('\n').length).toBe(1 + 5);
  });

  test('names what a session that holds messages does now, not what it did when the waiting began', async () => {
    const waiter = await connect('maintenance');
    const holder = await connect('a report');
    const describe = async (): Promise<string | null | undefined> =>
      (await waiter.query<{ holders: string | null }>(`select aisec_describe_lock_holders('messages', 'access exclusive') as holders`))
        .rows[0]?.holders; // prettier-ignore
    await waiter.query('begin; lock table users in access share mode');
    await holder.query('begin; lock table messages in access share mode');
    expect(await describe()).toContain('(a report) holds AccessShareLock, idle in transaction');
    const report = holder.query('select pg_sleep(600)').catch(() => undefined);
    await waitFor(async () =>
      (await rowsOf(database, `select from pg_stat_activity where datname = current_database() and query like '%pg_sleep(600)' and state = 'active'`)).length > 0
    ); // prettier-ignore
    expect(await describe()).toContain('(a report) holds AccessShareLock, active');
    await database.admin.query(
      `select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(600)'`,
    );
    await report;
  });

  test('beside a report that holds all of messages gives up after a while, exits 5 naming it, and no writer waits long', async () => {
    await database.admin.query(messagesFrom(`${monthFromNow(-1)}-05 00:00+00`, 50));
    const reader = await connect('a long report');
    await reader.query('begin; select count(*) from messages');
    const writer = await writeMessages();
    const run = await runInProcess(['partitions', 'ensure', '--ahead', '6', '--max-wait', '12s', '--json'], {
      env: env(),
    });
    const writes = await writer.stop();
    await reader.query('commit');

    expect(run.exitCode).toBe(5);
    const { months } = JSON.parse(run.stdout) as { months: { month: string; state: string; problem: string | null }[] };
    expect(months.map(({ month, state }) => [month, state])).toEqual(
      [-1, 4, 5, 6].map((offset) => [monthFromNow(offset), 'failed']),
    );
    // On a machine that is busy enough a writer stands in the way for two seconds, too.
    for (const { problem } of months) expect(problem).toMatch(/a long report|the application/);
    expect(months.map(({ problem }) => problem).join('\n')).toContain('a long report');
    expect(run.stderr).toContain('LOCK_TIMEOUT');
    expect(writes).toBeGreaterThan(20);

    const again = await runInProcess(['partitions', 'ensure', '--ahead', '6'], { env: env() });
    expect(again.exitCode).toBe(0);
    expect(await rowsOf(database, 'select count(*)::int as rows from messages')).toEqual([{ rows: 50 + writes }]);
    expect(await rowsOf(database, 'select from messages_default')).toEqual([]);
  });

  test('120 months made at once beside a writer never make it wait long for a lock, and none of its messages is lost', async () => {
    const writer = await writeMessages();
    const run = await runInProcess(['partitions', 'ensure', '--ahead', '120'], { env: env() });
    const writes = await writer.stop();
    expect(run.exitCode).toBe(0);
    await runInProcess(['partitions', 'ensure'], { env: env() });
    expect(await rowsOf(database, 'select count(*)::int as rows from messages')).toEqual([{ rows: writes }]);
  });

  test('a count beside the draining of twelve months is the same at every moment', async () => {
    for (let offset = -14; offset < -2; offset += 1)
      await database.admin.query(messagesFrom(`${monthFromNow(offset)}-05 00:00+00`, 400));
    const running = startCli(['partitions', 'ensure'], { env: env() });
    const counts = new Map<number, number>();
    const counter = await connect('the counter');
    let isOver = false;
    void running.finished.finally(() => (isOver = true));
    while (!isOver || (counts.get(4800) ?? 0) <= 20) {
      const { rows } = await counter.query<{ rows: number }>('select count(*)::int as rows from messages');
      counts.set(rows[0]?.rows ?? -1, (counts.get(rows[0]?.rows ?? -1) ?? 0) + 1);
      await sleep(1);
    }
    expect((await running.finished).exitCode).toBe(0);
    expect([...counts.keys()]).toEqual([4800]);
    expect(await rowsOf(database, 'select from messages_default')).toEqual([]);
  });

  test('two at once: one works, the other exits 5 and names it; with --wait it waits its turn', async () => {
    await database.admin.query(messagesFrom(`${monthFromNow(-1)}-05 00:00+00`, 5));
    const reader = await connect('a long report');
    await reader.query('begin; select count(*) from messages');
    const first = startCli(['partitions', 'ensure', '--max-wait', '180s'], { env: env() });
    const isAtWork = async (): Promise<boolean> =>
      (
        await rowsOf(
          database,
          `select from pg_locks
           where locktype = 'advisory' and granted and objsubid = 1
             and database = (select oid from pg_database where datname = current_database())`,
        )
      ).length > 0;
    await waitFor(isAtWork);
    const second = await runInProcess(['partitions', 'ensure'], { env: env() });
    expect(second).toMatchObject({ exitCode: 5, stdout: '' });
    expect(second.stderr).toContain('"aisec partitions ensure"');
    const third = startCli(['partitions', 'ensure', '--wait', '180s'], { env: env() });
    await reader.query('commit');
    expect((await first.finished).exitCode).toBe(0);
    expect(await third.finished).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('list and check wait for nobody who writes, drains or makes months', async () => {
    const other = await connect('the application');
    await other.query(`begin; ${messagesFrom(`${monthFromNow(0)}-01 00:00+00`, 3)}`);
    const holder = await connect('another run');
    await holder.query(
      'begin; select pg_advisory_lock(7241865325823964); lock table only messages in share update exclusive mode',
    );
    for (const verb of ['list', 'check', 'ensure']) {
      const args = ['partitions', verb, ...(verb === 'ensure' ? ['--dry-run'] : [])];
      expect((await runInProcess(args, { env: env() })).exitCode).toBe(0);
    }
    await other.query('rollback');
    await holder.query('rollback');
  });

  test('list and check say so, exit 5, when a partition is locked against readers', async () => {
    const holder = await connect('vacuum full');
    await holder.query(`begin; lock table only messages_default in access exclusive mode`);
    for (const verb of ['list', 'check']) {
      const run = await runInProcess(['partitions', verb], { env: env() });
      expect(run).toMatchObject({ exitCode: 5, stdout: '' });
      expect(run.stderr).toContain('error: another session has a partition of messages locked against readers');
    }
    await holder.query('rollback');
  });
});
