import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { IS_LONG, rounds, seeded, seedOfTest, type Random } from '../support/chance.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';

/** Each has a seed of its own: that of the test plus its number. */
const GRAPHS = rounds(2, 1000);
/** Of each graph some people are erased, one after the other. */
const [PEOPLE, MOST_ERASED] = [6, 3];
/** Graphs in one database, since what was archived stays in the archive; and databases at once. */
const [IN_A_DATABASE, AT_ONCE] = [rounds(2, 8), rounds(1, 4)];
const monthsOf = (place: number): readonly string[] =>
  [0, 1, 2].map((n) => new Date(Date.UTC(2000, place * 3 + n, 1)).toISOString().slice(0, 10));

const id = (kind: number, owner: number, n: number): string =>
  `${kind}0000000-0000-4000-8000-${String(owner * 1000 + n).padStart(12, '0')}`;
const person = (n: number): string => id(0, n, 0);

/** A team's tables: whom a row refers to, and what becomes of it. Every row has the number of its owner as `owner`. */
const TEAM = ['cascade', 'restrict', 'no action', 'set null', 'set default'].flatMap((action) =>
  (['users', 'conversations', 'assistants', 'message_keys'] as const).map((target) => ({
    action,
    target,
    name: `${target}_${action.replace(' ', '_')}`,
    stays: action.startsWith('set'),
  })),
);

const SCHEMA = [
  'create schema team',
  ...TEAM.map(
    ({ name, target, action, stays }) =>
      `create table team.${name} (n serial primary key, owner integer, ref uuid ${stays ? '' : 'not null'} references ${target} on delete ${action})`,
  ),
  // A row of one user that may use a message of another.
  `create table team.pins (n serial primary key, owner integer, user_id uuid not null references users on delete cascade,
     message_id uuid references message_keys, note text)`,
  `create table team.shares (n serial primary key, owner integer, user_id uuid not null references users, readers uuid[])`,
  `comment on column team.shares.readers is 'refers: public.users.id'`,
];

type Rows = readonly Record<string, unknown>[];

async function query({ admin }: ServerDatabase, sql: string): Promise<Rows> {
  return (await admin.query(sql)).rows as Rows;
}

/** Fills the database. Every row of a person has the person's number in its id, or as owner. */
async function fill(database: ServerDatabase, random: Random, months: readonly string[]): Promise<void> {
  const below = (most: number): number => Math.floor(random() * most);
  await query(database, 'truncate users, erasures, message_keys, team.pins, team.shares cascade');
  await query(database, 'delete from messages_archive');
  await query(
    database,
    `select aisec_make_message_partitions(array[${months.map((month) => `'${month}'`).join(', ')}]::date[])`,
  );
  const people = Array.from({ length: PEOPLE }, (_, n) => n);
  const sql: string[] = [];
  const messages: { readonly owner: number; readonly key: string }[] = [];
  for (const owner of people)
    sql.push(
      `insert into users (id, username, email, password_hash) values ('${person(owner)}', 'person${owner}', 'p${owner}@example.com', 'x')`,
      `insert into assistants (id, user_id, name, is_public) values ('${id(3, owner, 0)}', '${person(owner)}', 'a', ${random() < 0.7})`,
    );
  for (const owner of people)
    for (let c = 0; c <= below(3); c += 1) {
      const conversation = id(1, owner, c);
      const assistant = random() < 0.3 ? `'${id(3, below(PEOPLE), 0)}'` : 'null';
      sql.push(
        `insert into conversations (id, user_id, assistant_id) values ('${conversation}', '${person(owner)}', ${assistant})`,
      );
      for (let m = 0; m < below(12); m += 1) {
        const key = id(2, owner, c * 20 + m);
        const parents = messages.filter((each) => each.owner === owner || random() < 0.05);
        const parent = random() < 0.6 ? parents[below(Math.max(1, parents.length))]?.key : undefined;
        const month = months[below(months.length)] ?? '';
        sql.push(
          `insert into messages (id, conversation_id, parent_id, role, content, created_at)
           values ('${key}', '${conversation}', ${parent === undefined ? 'null' : `'${parent}'`}, 'user', 'said by ${owner}', timestamptz '${month} 00:00:00+00' + interval '${below(27)} days')`,
        );
        messages.push({ owner, key });
      }
      sql.push(
        `insert into files (user_id, conversation_id, file_name) values ('${person(owner)}', '${conversation}', 'of ${owner}')`,
      );
    }
  for (const { name, target } of TEAM)
    for (const owner of people) {
      const own = messages.filter((each) => each.owner === owner);
      const refs = {
        users: person(owner),
        conversations: id(1, owner, 0),
        assistants: id(3, owner, 0),
        message_keys: own[below(Math.max(1, own.length))]?.key,
      };
      const ref = refs[target];
      if (ref !== undefined && random() < 0.7)
        sql.push(`insert into team.${name} (owner, ref) values (${owner}, '${ref}')`);
    }
  for (const owner of people) {
    const message = messages[below(Math.max(1, messages.length))]?.key;
    sql.push(
      `insert into team.pins (owner, user_id, message_id) values (${owner}, '${person(owner)}', ${message === undefined ? 'null' : `'${message}'`})`,
      `insert into team.shares (owner, user_id, readers) values (${owner}, '${person(owner)}', array['${person(below(PEOPLE))}', '${person(below(PEOPLE))}']::uuid[])`,
    );
  }
  await query(database, sql.join(';\n'));
  for (const month of months) if (random() < 0.5) await query(database, `select aisec_archive_month('${month}')`);
}

/** Rows by owner: what is there of whom, without what refers to another one. */
async function rowsOf(database: ServerDatabase, owner: number): Promise<Record<string, unknown>> {
  const like = `'_0000000-0000-4000-8000-%' and right(id::text, 12)::bigint / 1000 = ${owner}`;
  const team = [...TEAM.map(({ name }) => name), 'pins', 'shares'];
  const [row] = await query(
    database,
    `select
    (select count(*)::int from users where id = '${person(owner)}') as users,
    (select count(*)::int from assistants where id::text like ${like}) as assistants,
    (select count(*)::int from conversations where id::text like ${like}) as conversations,
    (select md5(string_agg((id, conversation_id, content, created_at)::text, ',' order by id)) from all_messages where id::text like ${like}) as messages,
    (select count(*)::int from message_keys where id::text like ${like}) as keys,
    (select count(*)::int from files where file_name = 'of ${owner}') as files,
    ${team.map((name) => `(select count(*)::int from team.${name} where owner = ${owner}) as "team.${name}"`).join(',\n')}`,
  );
  return row ?? {};
}

describeOnServer('aisec user erase, on graphs by chance', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-graphs-'));
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  async function erase(database: ServerDatabase, owner: number, heir: number): Promise<void> {
    const args = ['user', 'erase', person(owner), '--shared', `hand-over=person${heir}`, '--confirm', `person${owner}`];
    const result = await runInProcess([...args, '--json'], {
      env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' },
      cwd: directory,
    });
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ certificate: { hits: [] } });
  }

  /** Fills one graph and erases some of its people. Returns how many. */
  async function tryGraph(database: ServerDatabase, random: Random, months: readonly string[]): Promise<number> {
    const below = (most: number): number => Math.floor(random() * most);
    await fill(database, random, months);
    const there = new Set(Array.from({ length: PEOPLE }, (_, n) => n));
    const erasures = 1 + below(MOST_ERASED);
    for (let erased = 0; erased < erasures; erased += 1) {
      const owner = [...there][below(there.size)] ?? 0;
      there.delete(owner);
      const heir = [...there][below(there.size)] ?? 0;
      const rowsOfOthers = (): Promise<readonly object[]> => Promise.all([...there].map((n) => rowsOf(database, n)));
      const before = await rowsOfOthers();
      const own = await rowsOf(database, owner);
      await erase(database, owner, heir);
      expect(await rowsOfOthers()).toEqual(before);
      for (const [name, count] of Object.entries(await rowsOf(database, owner))) {
        const stays = TEAM.some((each) => each.stays && `team.${each.name}` === name);
        // What others use was handed over, and with it what hangs on it.
        if (name === 'assistants' || name.startsWith('team.assistants_')) continue;
        expect({ name, count }).toEqual({ name, count: stays ? own[name] : name === 'messages' ? null : 0 });
      }
      for (const { name } of TEAM.filter(({ stays, target }) => stays && target !== 'assistants'))
        expect(await query(database, `select from team.${name} where owner = ${owner} and ref is not null`)).toEqual(
          [],
        );
    }
    const [orphans] = await query(
      database,
      'select (select count(*)::int from all_messages m full join message_keys k using (id) where m.id is null or k.id is null) as keys, (select count(*)::int from all_messages m left join conversations c on c.id = m.conversation_id where c.id is null) as messages',
    );
    expect(orphans).toEqual({ keys: 0, messages: 0 });
    return erasures;
  }

  /** Some graphs in a database of their own. Says of one that fails how to have it again, as the first of the short form. */
  async function tryGraphs(seed: number, first: number): Promise<number> {
    const database = await createServerDatabase({ migrated: true });
    for (const sql of SCHEMA) await query(database, sql);
    let erased = 0;
    for (let graph = first; graph < Math.min(GRAPHS, first + IN_A_DATABASE); graph += 1)
      try {
        erased += await tryGraph(database, seeded(seed + graph), monthsOf(graph - first));
      } catch (error) {
        console.log(`graph ${graph}: AISEC_TEST_SEED=${seed + graph}`);
        throw error;
      }
    await database.drop();
    return erased;
  }

  test(
    'nothing of the person is left, and nothing of anybody else is gone',
    async () => {
      const seed = seedOfTest();
      const startedMs = performance.now();
      let [next, erased] = [0, 0];
      const work = async (): Promise<void> => {
        while (next < GRAPHS) {
          next += IN_A_DATABASE;
          const own = await tryGraphs(seed, next - IN_A_DATABASE);
          erased += own;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      if (IS_LONG)
        console.log(`${GRAPHS} graphs, ${erased} erasures in ${Math.round((performance.now() - startedMs) / 1000)} s`);
    },
    rounds(600_000, 3_600_000),
  );
});
