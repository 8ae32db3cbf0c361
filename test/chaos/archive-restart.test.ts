import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';

import { describeOnPrivateServer, startPrivateServer, type PrivateServer } from '../support/private-server.js';
import { startCli, type RunningCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';
import { messagesFrom, monthFromNow, ONE_CONVERSATION } from '../integration/partitions/messages.js';

/** Writes messages of this and of an old month, and connects again when the server is back. */
class Writer {
  readonly acknowledged: string[] = [];
  /** The connection went before the answer came: committed or not, nobody was told. */
  readonly uncertain: string[] = [];
  isOver = false;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async work(): Promise<void> {
    while (!this.isOver) {
      const client = new pg.Client({ connectionString: this.#url, application_name: 'the application' });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await this.#write(client);
      } catch {
        await sleep(20);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  async #write(client: pg.Client): Promise<void> {
    for (let n = 0; !this.isOver; n += 1) {
      const id = randomUUID();
      const month = n % 4 === 0 ? monthFromNow(-8) : monthFromNow(0);
      try {
        await client.query(
          `insert into messages (id, conversation_id, role, created_at)
           select $1, id, 'user', $2::timestamptz + $3 * interval '1 second' from conversations`,
          [id, `${month}-01 00:00+00`, n],
        );
        this.acknowledged.push(id);
      } catch (error) {
        this.uncertain.push(id);
        throw error;
      }
      await sleep(2);
    }
  }
}

describeOnPrivateServer('the server stops in the middle', () => {
  let server: PrivateServer;
  let url = '';
  let number = 0;
  beforeEach(async () => {
    server ??= await startPrivateServer({ fsync: 'off' });
    url = await server.createDatabase(`restart_${(number += 1)}`, { migrated: true });
    await query(ONE_CONVERSATION);
  });

  async function query(sql: string): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends it in the middle, has the next run complete, and compares what is there with what everybody was told. */
  async function stopDuring(
    args: readonly string[],
    isInTheMiddle: () => Promise<boolean>,
    stop: () => Promise<void>,
  ): Promise<RunningCli> {
    const before = await query('select id from all_messages');
    const writer = new Writer(url);
    const writing = writer.work();
    const env = { DATABASE_URL: url };
    await waitFor(() => Promise.resolve(writer.acknowledged.length > 0));
    const running = startCli([...args], { env });
    await waitFor(isInTheMiddle);
    await stop();
    const { exitCode, stderr } = await running.finished;
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/^error: .*connection/m);
    expect(stderr).not.toMatch(/^ +at /m);
    await server.start();
    const acknowledged = writer.acknowledged.length;
    await waitFor(() => Promise.resolve(writer.acknowledged.length > acknowledged));
    expect(await runInProcess([...args, '--wait', '10s'], { env })).toMatchObject({ exitCode: 0 });
    writer.isOver = true;
    await writing;

    const found = (await query('select id from all_messages')).map(({ id }) => String(id));
    const there = new Set(found);
    expect(found.length).toBe(there.size);
    expect([...before.map(({ id }) => String(id)), ...writer.acknowledged].filter((id) => !there.has(id))).toEqual([]);
    const told = before.length + writer.acknowledged.length;
    expect(found.length).toBeLessThanOrEqual(told + writer.uncertain.length);
    expect(
      await query(
        `select count(*)::int as keys, count(m.id)::int as good
         from message_keys k left join all_messages m on m.id = k.id and m.created_at = k.created_at`,
      ),
    ).toEqual([{ keys: found.length, good: found.length }]);
    return running;
  }

  const stops = {
    crashes: () => server.stop('immediate'),
    'is restarted': () => server.stop('fast'),
    'is killed': () => server.kill(),
  };

  test.each(Object.entries(stops))(
    'while months are made and the default partition drained, and it %s: exit 4, nothing lost or doubled, the next run completes',
    async (_, stop) => {
      for (let month = -30; month < -8; month += 1)
        await query(messagesFrom(`${monthFromNow(month)}-02 00:00+00`, 1500));
      const made = `select from pg_inherits where inhparent = 'messages'::regclass`;
      const atFirst = (await query(made)).length;
      await stopDuring(['partitions', 'ensure'], async () => (await query(made)).length > atFirst + 2, stop);
      expect(await query(`select from messages_default where created_at < '${monthFromNow(0)}-01'`)).toEqual([]);
      expect(await runInProcess(['partitions', 'check'], { env: { DATABASE_URL: url } })).toMatchObject({
        exitCode: 0,
      });
    },
  );

  test.each(Object.entries(stops))(
    'while months are archived, one of them row by row, and it %s: exit 4, nothing lost or doubled, the next run completes',
    async (_, stop) => {
      const [oldest, boundary] = [monthFromNow(-9), monthFromNow(-6)];
      for (const month of [oldest, boundary]) {
        await query(`select aisec_make_message_partitions(array['${month}-01'::date])`);
        await query(messagesFrom(`${month}-01 00:00+00`, 20_000));
      }
      const cutoffDays = Math.floor((Date.now() - Date.parse(`${boundary}-20T00:00:00Z`)) / 86_400_000);
      const args = ['archive', '--exact', '--older-than', `${cutoffDays}d`, '--batch', '50'];
      const moved = `select from messages_archive where created_at >= '${boundary}-01' limit 200`;
      await stopDuring(args, async () => (await query(moved)).length === 200, stop);
      expect(
        await query(
          `select from messages where created_at < now() - interval '${cutoffDays + 1} days' and created_at >= '${boundary}-01'`,
        ),
      ).toEqual([]);
      expect(await query('select from archive_journal where finished_at is null')).toEqual([]);
    },
  );
});
