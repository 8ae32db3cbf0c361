import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { startCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';
import { chance, rounds, type Random } from '../support/chance.js';
import { Ledger, startWriters } from '../integration/archive-life/writers.js';

const DATABASES = 3;
const KILLS_EACH = rounds(5, 40);
const MOST_RUNS_EACH = 250;
/** Of the months with messages, some get their partition late, others are archived when late messages come. */
const MONTHS = 14;
const ROWS_A_MONTH = 150;
/** In the last month, so that every month that was archived in part before is now old enough to go as a whole. */
const CUTOFF_DAYS = new Date().getUTCDate() + 10;

interface Kill {
  readonly command: string;
  readonly by: 'SIGKILL' | 'terminate';
}

const pick = <Item>(random: Random, items: readonly [Item, ...Item[]]): Item =>
  items[Math.floor(random() * items.length)] ?? items[0];

function monthsAgo(ledger: Ledger, months: number): string {
  const time = new Date(ledger.newestMonth);
  time.setUTCMonth(time.getUTCMonth() - months);
  return time.toISOString().slice(0, 7);
}

/** Of the kinds in turn, so that few runs have all of them. */
function randomCommand(ledger: Ledger, run: number): readonly string[] {
  const { random } = ledger;
  const months = 2 + Math.floor(random() * MONTHS);
  const commands = [
    ['partitions', 'ensure', '--since', monthsAgo(ledger, months), '--wait', '30s'],
    ['archive', '--older-than', `${pick(random, [2, 4, 6])}mo`, '--wait', '30s'],
    ['archive', '--exact', '--older-than', `${pick(random, [2, 3, 5])}mo`, '--batch', '40', '--wait', '30s'],
    ['archive', 'restore', monthsAgo(ledger, months), '--wait', '30s'],
  ];
  return commands[run % commands.length] ?? [];
}

async function fill(database: ServerDatabase, ledger: Ledger): Promise<void> {
  await database.admin.query(`
    insert into users (username, email, password_hash) values ('the first', 'first@example.com', 'hash');
    insert into conversations (user_id) select id from users;`);
  const { rows } = await database.admin.query(
    `insert into messages (conversation_id, role, content, created_at)
     select (select id from conversations), 'user', 'text ' || n,
            date_trunc('milliseconds', $1::timestamptz - make_interval(months => m) + random() * interval '27 days')
     from generate_series(0, ${MONTHS - 1}) as m, generate_series(1, ${ROWS_A_MONTH}) as n
     returning id, conversation_id as conversation, created_at, content`,
    [ledger.newestMonth.toISOString()],
  );
  for (const { id, conversation, created_at: createdAt, content } of rows)
    ledger.messages.set(id, { conversation, createdAt: (createdAt as Date).toISOString(), content });
}

/** True when the run was hit while its session worked, not before it logged in or after it ended. */
async function killOnce(
  database: ServerDatabase,
  args: readonly string[],
  { by, afterMs }: { readonly by: Kill['by']; readonly afterMs: number },
): Promise<boolean> {
  const sessions = `pg_stat_activity where datname = current_database() and application_name like 'aisec%'`;
  const running = startCli(args, { env: { DATABASE_URL: database.url } });
  const isThere = async (): Promise<boolean> =>
    (await database.admin.query(`select from ${sessions}`)).rowCount !== 0 || running.child.exitCode !== null;
  await waitFor(isThere, 60_000);
  await sleep(afterMs);
  const isRunning = running.child.exitCode === null;
  if (by === 'SIGKILL') {
    running.child.kill('SIGKILL');
    await running.finished;
    return isRunning;
  }
  const { rows } = await database.admin.query(
    `select bool_or(pg_terminate_backend(pid)) as hit from (select pid from ${sessions} order by random() limit 1) as one`,
  );
  await running.finished;
  return isRunning && rows[0].hit === true;
}

/** In one snapshot, whatever the writers do: every message once, each with its key. */
async function expectWhole(database: ServerDatabase, after: readonly string[]): Promise<void> {
  const { rows } = await database.admin.query(`
    select count(*)::int as rows,
           count(distinct m.id)::int as ids,
           count(k.id)::int as with_key,
           (select count(*)::int from message_keys) as keys
    from all_messages m
    left join message_keys k on k.id = m.id and k.created_at = m.created_at`);
  const [{ rows: count }] = rows;
  expect(rows, `after ${after.join(' ')}`).toEqual([{ rows: count, ids: count, with_key: count, keys: count }]);
}

const COMMANDS = ['partitions ensure', 'archive --older-than', 'archive --exact', 'archive restore'] as const;

/** @param all kills of every database, to which it adds its own */
async function live(database: ServerDatabase, random: Random, all: Kill[]): Promise<void> {
  const ledger = new Ledger(new Date(), MONTHS, random);
  await fill(database, ledger);
  const writers = await startWriters(database.url, ledger, 2);
  const isMissing = (): boolean => COMMANDS.some((name) => !all.some(({ command }) => command === name));
  let hits = 0;
  // Follows the speed of the machine: about three of four runs are hit, some of them near their end.
  let withinMs = 150;
  try {
    for (let run = 0; run < MOST_RUNS_EACH && (hits < KILLS_EACH || isMissing()); run += 1) {
      const args = randomCommand(ledger, run);
      const by = hits % 2 === 0 ? 'SIGKILL' : 'terminate';
      const isHit = await killOnce(database, args, { by, afterMs: random() * withinMs });
      if (isHit) {
        hits += 1;
        all.push({ command: args.slice(0, 2).join(' '), by });
      }
      withinMs = Math.min(400, Math.max(20, withinMs * (isHit ? 1.05 : 0.85)));
      await expectWhole(database, args);
    }
  } finally {
    await writers.stop();
  }
  expect(ledger.errors).toEqual([]);

  const env = { DATABASE_URL: database.url };
  for (const args of [
    ['partitions', 'ensure', '--wait', '30s'],
    ['archive', '--exact', '--older-than', `${CUTOFF_DAYS}d`, '--wait', '30s'],
  ]) {
    const clean = await runInProcess(args, { env });
    expect(clean, clean.stderr).toMatchObject({ exitCode: 0 });
  }
  await expectSame(database, ledger);
}

async function expectSame(database: ServerDatabase, ledger: Ledger): Promise<void> {
  const { rows } = await database.admin.query('select id, created_at, content from all_messages order by id');
  const expected = [...ledger.messages].map(([id, { createdAt, content }]) => `${id} ${createdAt} ${content}`);
  const found = rows.map((row) => `${row.id} ${(row.created_at as Date).toISOString()} ${row.content}`);
  expect(found.toSorted()).toEqual(expected.toSorted());
  const old = await database.admin.query(
    `select (select count(*)::int from messages where created_at < now() - interval '${CUTOFF_DAYS + 1} days') as live,
            (select count(*)::int from messages_archive where created_at >= now() - interval '${CUTOFF_DAYS - 1} days') as young,
            (select count(*)::int from messages_default where created_at < now()) as waiting,
            (select count(*)::int from pg_inherits where inhdetachpending) as pending,
            (select count(*)::int from pg_class
             where relkind = 'r' and not relispartition and relname ~ '^messages(_archive)?_y') as strays,
            (select count(*)::int from files f where not exists (select from all_messages m where m.id = f.message_id)
               and f.message_id is not null) as lost_files,
            (select count(*)::int from all_messages m where m.parent_id is not null
               and not exists (select from all_messages p where p.id = m.parent_id)) as lost_parents`,
  );
  expect(old.rows).toEqual([{ live: 0, young: 0, waiting: 0, pending: 0, strays: 0, lost_files: 0, lost_parents: 0 }]);
  await expectWhole(database, ['the end']);
}

describeOnServer('commands of partitions and archive killed at random', () => {
  test(
    `${DATABASES * KILLS_EACH} times under writers lose, double and hide no message, and a clean run completes`,
    { timeout: 900_000 },
    async () => {
      const databases = await Promise.all(
        Array.from({ length: DATABASES }, () => createServerDatabase({ migrated: true })),
      );
      const random = chance();
      const kills: Kill[] = [];
      await Promise.all(databases.map((database) => live(database, random, kills)));
      expect(kills.length).toBeGreaterThanOrEqual(DATABASES * KILLS_EACH * 0.8);
      for (const by of ['SIGKILL', 'terminate'] as const)
        expect(kills.filter((kill) => kill.by === by).length).toBeGreaterThan(kills.length / 6);
      for (const command of COMMANDS)
        expect(kills.filter((kill) => kill.command === command).length).toBeGreaterThan(0);
    },
  );
});
