import { beforeEach, expect, test } from 'vitest';

import { createEmbeddedDirectory, describeOnServer, type ServerDatabase } from '../support/database.js';
import { countStatements, killedAt, positions, terminatedAt } from '../support/kill-at-statement.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { rounds } from '../support/chance.js';
import { createChat, fillMonth, fingerprint, monthAgo } from '../integration/archive/chat.js';

const ROWS = 40;
/** Of the month that is pruned or imported: its messages do not count, those of all other months do. */
const OTHERS = `
  select count(*)::int as messages, count(distinct id)::int as ids,
    md5(string_agg((id, conversation_id, role, content, metadata, created_at)::text, '' order by id)) as content,
    (select count(*)::int from message_keys k join all_messages a using (id, created_at)
     where k.created_at < $1::timestamptz or k.created_at >= $1 + interval '1 month') as keys
  from all_messages where created_at < $1 or created_at >= $1 + interval '1 month'`;
const MONTH = `
  select count(*)::int as messages, count(k.id)::int as keys
  from all_messages a left join message_keys k using (id, created_at)
  where created_at >= $1::timestamptz and created_at < $1 + interval '1 month'`;

interface Work {
  readonly args: readonly string[];
  /** What no kill may change. */
  readonly state: () => Promise<unknown>;
}

describeOnServer('aisec archive that is ended between two statements', () => {
  let database: ServerDatabase;
  let folder = '';
  let months = 0;
  beforeEach(async () => {
    database = await createChat();
    folder = await createEmbeddedDirectory();
    months = 0;
  });
  const run = (args: readonly string[]): Promise<CliResult> =>
    runInProcess(['archive', ...args, '--wait', '20s'], { env: { DATABASE_URL: database.url }, cwd: folder });
  async function runWell(args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await run(args);
    expect(exitCode, stderr).toBe(0);
  }
  const everything = (): Promise<unknown> => fingerprint(database);
  /** A month that no earlier call has given, with messages. */
  async function newMonth(): Promise<string> {
    const month = monthAgo(40 + months);
    months += 1;
    await fillMonth(database, month, ROWS);
    return month;
  }
  async function archivedMonth(): Promise<string> {
    const month = await newMonth();
    await runWell(['--no-analyze']);
    return month;
  }
  async function prunedMonth(): Promise<string> {
    const month = await archivedMonth();
    await runWell(['export', month, '--out', `${month}.gz`]);
    await runWell(['prune', '--older-than', '3y', '--confirm', database.name]);
    return month;
  }
  const late = (month: string): Promise<unknown> =>
    database.admin.query(
      `insert into messages (conversation_id, role, content, created_at) select id, 'user', 'late', '${month}-03' from conversations`,
    );
  /** Messages of other months as they are; of this one each has its key, or it has none that is missing. */
  const others = (month: string) => async (): Promise<unknown> =>
    (await database.admin.query(OTHERS, [`${month}-01T00:00:00Z`])).rows;
  async function wholeOrNot(month: string): Promise<void> {
    const { rows } = await database.admin.query(MONTH, [`${month}-01T00:00:00Z`]);
    expect(rows[0].keys).toBe(rows[0].messages);
  }

  async function importing(into: string): Promise<Work> {
    const month = await prunedMonth();
    const state = async (): Promise<unknown> => {
      await wholeOrNot(month);
      return others(month)();
    };
    return { args: ['import', `${month}.gz`, '--into', into], state };
  }

  const WORKS: Readonly<Record<string, () => Promise<Work>>> = {
    'moving a month, late messages and the rest of a month that the archive has a part of': async () => {
      await late(await archivedMonth());
      await newMonth();
      await database.admin.query('select aisec_ensure_archive_month($1)', [`${await newMonth()}-01`]);
      return { args: [], state: everything };
    },
    'moving the older messages of the month that the age ends in': async () => {
      await fillMonth(database, monthAgo(4), ROWS);
      return { args: ['--exact', '--older-than', '4mo', '--batch', '10'], state: everything };
    },
    'restoring a month with late messages': async () => {
      const month = await archivedMonth();
      await late(month);
      return { args: ['restore', month], state: everything };
    },
    'pruning a month': async () => {
      const month = await archivedMonth();
      await runWell(['export', month, '--out', `${month}.gz`]);
      return {
        args: ['prune', '--older-than', '3y', '--confirm', database.name, '--batch', '10'],
        state: others(month),
      };
    },
    'importing a month into the archive': () => importing('archive'),
    'importing a month into messages': () => importing('messages'),
  };

  /** Back to where the next month can be made. */
  async function putAway(): Promise<void> {
    await runWell(['--no-analyze']);
  }

  test.each(Object.keys(WORKS))(
    '%s: nothing is lost or doubled, and the next run completes',
    async (title) => {
      const prepare = WORKS[title];
      if (prepare === undefined) throw new Error('no such work');
      const first = await prepare();
      const statements = await countStatements(() => run(first.args));
      expect(statements).toBeGreaterThan(15);
      await putAway();
      let ended = 0;
      for (const position of positions(statements, rounds(6, 1))) {
        const { args, state } = await prepare();
        const before = await state();
        if ((await terminatedAt(position, database, () => run(args))).exitCode !== 0) ended += 1;
        expect(await state(), `statement ${position}`).toEqual(before);
        await runWell(args);
        expect(await state(), `after statement ${position}`).toEqual(before);
        await putAway();
      }
      expect(ended).toBeGreaterThan(1);
      for (const position of positions(statements, rounds(20, 1))) {
        const { args, state } = await prepare();
        const before = await state();
        const killed = {
          args: ['archive', ...args, '--wait', '20s'],
          env: { DATABASE_URL: database.url },
          cwd: folder,
        };
        await killedAt(position, killed);
        expect(await state(), `statement ${position}`).toEqual(before);
        await runWell(args);
        expect(await state(), `after statement ${position}`).toEqual(before);
        await putAway();
      }
      const { rows } = await database.admin.query(
        `select (select count(*) from all_messages)::int as messages, (select count(*) from message_keys)::int as keys`,
      );
      expect(rows[0].keys).toBe(rows[0].messages);
    },
    900_000,
  );
});
