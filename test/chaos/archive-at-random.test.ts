import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { createEmbeddedDirectory, describeOnServer, type ServerDatabase } from '../support/database.js';
import { startCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { chance, rounds, type Random } from '../support/chance.js';
import { waitFor } from '../support/wait-for.js';
import { ageOfTwentieth, createChat, fillMonth, monthAgo } from '../integration/archive/chat.js';

/** Each statement is a moment in archive-at-statement.test.ts; these are the moments between. */
const KILLS = rounds(4, 20);
const WRITERS = 2;
const THIS_MONTH = `${monthAgo(0)}-01`;

interface State {
  readonly old: number;
  readonly ids: string;
  readonly doubled: number;
  readonly unregistered: number;
  readonly orphaned_keys: number;
}

/** Old messages of both tables by their ids; the writers only add to this month. */
async function stateOf({ admin }: ServerDatabase): Promise<State> {
  const { rows } = await admin.query(
    `select count(*)::int as old, md5(string_agg(id::text, ',' order by id)) as ids,
       count(*)::int - count(distinct id)::int as doubled,
       count(*) filter (where not exists (select from message_keys k where k.id = a.id and k.created_at = a.created_at))::int as unregistered,
       (select count(*)::int from message_keys k where k.created_at < $1 and not exists (select from all_messages m where m.id = k.id and m.created_at = k.created_at)) as orphaned_keys
     from all_messages a where created_at < $1`,
    [THIS_MONTH],
  );
  return rows[0];
}

describeOnServer('kill -9 at any moment of aisec archive', () => {
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  let isOver = false;
  let writing: Promise<unknown> = Promise.resolve();
  let failures: string[] = [];
  let [killedAtWork, missed] = [0, 0];
  let random: Random = Math.random;

  beforeEach(async () => {
    random = chance();
    database = await createChat();
    env = { DATABASE_URL: database.url };
    isOver = false;
    failures = [];
    [killedAtWork, missed] = [0, 0];
  });
  afterEach(async () => {
    isOver = true;
    await writing;
    expect(killedAtWork).toBeGreaterThanOrEqual(KILLS / 6);
  });

  /** Chat goes on meanwhile: new messages that answer any old one, with a file. */
  function write(): void {
    writing = Promise.all(
      Array.from({ length: WRITERS }, async (_, index) => {
        const client = new pg.Client({ connectionString: database.url, application_name: `writer ${index}` });
        await client.connect();
        for (let n = index; !isOver; n += WRITERS) {
          const conversation = `10000000-0000-4000-8000-${String(n % 20).padStart(12, '0')}`;
          await client
            .query(
              `begin;
               insert into messages (conversation_id, role, parent_id) select '${conversation}', 'user', (select id from all_messages where conversation_id = '${conversation}' order by random() limit 1);
               update conversations set title = '${n}' where id = '${conversation}'; commit`,
            )
            .catch(async (error: unknown) => {
              const { code, message } = error as { code: string; message: string };
              failures.push(`${code} ${message}`);
              await client.query('rollback');
            });
          await sleep(5);
        }
        await client.end();
      }),
    );
  }

  const sessions = async (): Promise<number> =>
    (
      await database.admin.query(
        `select from pg_stat_activity where application_name like 'aisec archive%' and datname = current_database()`,
      )
    ).rowCount ?? 0;

  const isAtWork = async (): Promise<boolean> => (await sessions()) > 0;

  async function killDuring(
    args: readonly string[],
    afterMs: number,
    cwd?: string,
    hasBegun = isAtWork,
  ): Promise<void> {
    const running = startCli(['archive', ...args, '--wait', '20s'], { env, ...(cwd !== undefined && { cwd }) });
    await waitFor(async () => (await hasBegun()) || running.child.exitCode !== null);
    // Sooner after each that came too late, whatever the speed of the machine.
    await sleep((random() * afterMs) / 2 ** missed);
    if ((await sessions()) > 0 && running.child.exitCode === null) killedAtWork += 1;
    else missed += 1;
    running.child.kill('SIGKILL');
    await running.finished;
  }

  test(`${KILLS} times between archiving and restoring: every old message stays in exactly one table`, async () => {
    const months = [monthAgo(9), monthAgo(8), monthAgo(7)];
    for (const month of months) await fillMonth(database, month, 300);
    const before = await stateOf(database);
    write();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await killDuring(['--no-analyze'], 150);
      expect(await stateOf(database)).toEqual(before);
      await killDuring(['restore', months[kill % 3] ?? ''], 100);
      expect(await stateOf(database)).toEqual(before);
    }
    const last = await runInProcess(['archive', '--wait', '20s'], { env });
    expect(last.exitCode).toBe(0);
    expect(await stateOf(database)).toEqual(before);
    expect(failures).toEqual([]);
    const { rows } = await database.admin.query(`select j.month from archive_journal j where j.finished_at is null`);
    expect(rows).toEqual([]);
  });

  test(`${KILLS} times in --exact: every old message stays in exactly one table, and the journal counts each once`, async () => {
    await fillMonth(database, monthAgo(6), 12_000);
    const before = await stateOf(database);
    write();
    // A month of which no row has moved is archived as a whole in the end: then the journal has no rows to count.
    const hasMoved = async (): Promise<boolean> =>
      (await isAtWork()) &&
      ((await database.admin.query(`select from archive_journal where action = 'move rows'`)).rowCount ?? 0) > 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      await killDuring(
        ['--exact', '--older-than', ageOfTwentieth(monthAgo(6)), '--batch', '10', '--no-analyze'],
        250,
        undefined,
        hasMoved,
      );
      expect(await stateOf(database)).toEqual(before);
    }
    const last = await runInProcess(['archive', '--older-than', '4mo', '--wait', '20s'], { env });
    expect(last.exitCode).toBe(0);
    expect(await stateOf(database)).toEqual(before);
    expect(failures).toEqual([]);
    const { rows } = await database.admin.query(
      `select sum(row_count)::int as moved from archive_journal where action = 'move rows'`,
    );
    expect(rows).toEqual([{ moved: 12_000 }]);
  });

  test(`${KILLS} times in export: the file has its name only when it is whole, and the next run completes`, async () => {
    const month = monthAgo(9);
    await fillMonth(database, month, 20_000);
    expect((await runInProcess(['archive'], { env })).exitCode).toBe(0);
    const folder = await createEmbeddedDirectory();
    write();
    let completed = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const name = `export-${completed}.gz`;
      await killDuring(['export', month, '--out', name], 600, folder);
      if (!existsSync(path.join(folder, name))) continue;
      const seen = await runInProcess(['archive', 'export', month, '--out', name, '--wait', '20s', '--json'], {
        env,
        cwd: folder,
      });
      expect(JSON.parse(seen.stdout)).toMatchObject({ outcome: 'present', rows: 20_000 });
      completed += 1;
    }
    const args = ['archive', 'export', month, '--out', `export-${completed}.gz`, '--wait', '20s', '--json'];
    const last = await runInProcess(args, { env, cwd: folder });
    expect(JSON.parse(last.stdout)).toMatchObject({ rows: 20_000 });
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
    expect(failures).toEqual([]);
  });

  test(`${KILLS} times in prune: it goes on where it was, takes nothing else, and leaves no key behind`, async () => {
    const months = [monthAgo(42), monthAgo(41)];
    const kept = monthAgo(30);
    for (const month of [...months, kept]) await fillMonth(database, month, 6000);
    const { rows: keptRows } = await database.admin.query(
      'select count(*)::int as n from messages where created_at >= $1 and created_at < $2',
      [`${kept}-01`, THIS_MONTH],
    );
    const folder = await createEmbeddedDirectory();
    expect((await runInProcess(['archive', '--older-than', '20mo'], { env })).exitCode).toBe(0);
    for (const month of months)
      await runInProcess(['archive', 'export', month, '--out', `${month}.gz`], { env, cwd: folder });
    write();
    const args = ['prune', '--older-than', '3y', '--confirm', database.name, '--batch', '100'];
    for (let kill = 0; kill < KILLS; kill += 1) await killDuring(args, 700);
    const last = await runInProcess(['archive', ...args, '--wait', '20s'], { env });
    expect(last.stderr).not.toContain('error');
    expect(last.exitCode).toBe(0);
    const state = await stateOf(database);
    expect(state).toMatchObject({ old: keptRows[0].n, doubled: 0, unregistered: 0, orphaned_keys: 0 });
    expect(failures.filter((text) => !text.startsWith('23503'))).toEqual([]);
    const { rows } = await database.admin.query(
      `select count(*)::int as n, count(finished_at)::int as finished from archive_journal where action = 'prune'`,
    );
    expect(rows).toEqual([{ n: 2, finished: 2 }]);
  });
});
