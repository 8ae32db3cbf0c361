import { beforeEach, expect, test } from 'vitest';

import { createEmbeddedDirectory, describeOnServer, type ServerDatabase } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';
import { createChat, fillMonth, fingerprint, monthAgo } from '../integration/archive/chat.js';

const PRUNED = monthAgo(50);
const [EXPORTED, ARCHIVED, FINISHED, MISSING] = [monthAgo(11), monthAgo(10), monthAgo(9), monthAgo(2)];
/** Done, nothing to do, or gave way to the other. */
const EXPECTED = [0, 5];

describeOnServer('two runs at once', () => {
  let database: ServerDatabase;
  let folder = '';
  const run = async (...args: readonly string[]): Promise<number> => {
    const { exitCode, stdout, stderr } = await runInProcess(args, { env: { DATABASE_URL: database.url }, cwd: folder });
    expect(EXPECTED, `${args.join(' ')}: ${stdout}${stderr}`).toContain(exitCode);
    return exitCode ?? -1;
  };
  const call = async (sql: string): Promise<number> => {
    try {
      await database.admin.query(`select ${sql}`);
      return 0;
    } catch (error) {
      const { code, message, detail } = error as { code: string; message: string; detail?: string };
      expect(['55P03', '55000'], `${sql}: ${message} ${detail ?? ''}`).toContain(code);
      return 5;
    }
  };
  const RUNS: Readonly<Record<string, () => Promise<number>>> = {
    'partitions ensure': () => run('partitions', 'ensure'),
    'partitions rebuild-keys': () => run('partitions', 'rebuild-keys'),
    archive: () => run('archive', '--no-analyze'),
    'archive --exact': () => run('archive', '--exact', '--older-than', '4mo', '--batch', '7', '--no-analyze'),
    'archive restore': () => run('archive', 'restore', ARCHIVED),
    'archive export': () => run('archive', 'export', EXPORTED, '--out', 'again.gz'),
    'archive prune': () => run('archive', 'prune', '--older-than', '3y', '--confirm', database.name, '--batch', '9'),
    'archive import': () => run('archive', 'import', 'out.gz'),
    'archive_old_messages()': () => call('archive_old_messages()'),
    'ensure_message_partitions()': () => call('ensure_message_partitions()'),
  };

  beforeEach(async () => {
    database = await createChat();
    folder = await createEmbeddedDirectory();
    for (const month of [PRUNED, EXPORTED, ARCHIVED]) await fillMonth(database, month, 40);
    await run('archive', '--no-analyze');
    await run('archive', 'export', PRUNED, '--out', 'out.gz');
    for (const month of [FINISHED, monthAgo(4)]) await fillMonth(database, month, 40);
    // Late messages, and messages of a month that has no partition.
    await database.admin.query(
      `insert into messages (conversation_id, role, created_at)
       select id, 'user', time::timestamptz from conversations, unnest($1::text[]) as time`,
      [[`${ARCHIVED}-03`, `${MISSING}-03`]],
    );
  });

  /** What must be there whatever the two have done: all but the month that is pruned or imported. */
  async function state(): Promise<unknown> {
    const { rows } = await database.admin.query(
      `select count(*)::int as messages, count(distinct a.id)::int as ids, count(k.id)::int as keys,
         md5(string_agg((a.id, conversation_id, role, content, metadata, a.created_at)::text, '' order by a.id)) as content
       from all_messages a left join message_keys k using (id, created_at)
       where a.created_at >= $1::timestamptz + interval '1 month'`,
      [`${PRUNED}-01T00:00:00Z`],
    );
    return rows[0];
  }

  const names = Object.keys(RUNS);
  test.each(names)(
    '%s, beside each of the others: one gives way or both are done, and nothing is lost',
    async (name) => {
      for (const other of names.slice(names.indexOf(name))) {
        const before = await state();
        const ended = await Promise.all([RUNS[name]?.(), RUNS[other]?.()]);
        expect(ended, `${name} beside ${other}`).toContain(0);
        expect(await state(), `${name} beside ${other}`).toEqual(before);
        // Each completes alone afterwards.
        for (const one of new Set([name, other]))
          expect(await RUNS[one]?.(), `${one} after ${name} beside ${other}`).toBe(0);
        expect(await state()).toEqual(before);
        const found = (await fingerprint(database)) as { messages: number; keys: number; good_keys: number };
        expect(found).toMatchObject({ keys: found.messages, good_keys: found.messages });
      }
    },
  );
});
