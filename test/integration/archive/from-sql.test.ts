import { expect, test } from 'vitest';

import { describeOnServer } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { archivedName, createChat, fillMonth, fingerprint, liveName, monthAgo } from './chat.js';

const OLD = monthAgo(9);
const OLDER = monthAgo(10);

describeOnServer('The archive from SQL, as pg_cron calls it', () => {
  test('archive_old_messages writes what it does to the journal, in its own transaction', async () => {
    const database = await createChat();
    for (const month of [OLDER, OLD]) await fillMonth(database, month, 100);
    const before = await fingerprint(database);
    await database.admin.query('begin');
    await database.admin.query('select archive_old_messages()');
    await database.admin.query('rollback');
    expect((await database.admin.query('select from archive_journal')).rowCount).toBe(0);

    expect((await database.admin.query('select archive_old_messages() as n')).rows).toEqual([{ n: 200 }]);
    // Late messages of an archived month wait in the default partition and follow row by row.
    await database.admin.query(
      `insert into messages (conversation_id, role, created_at) select id, 'user', '${OLD}-03' from conversations limit 7`,
    );
    expect((await database.admin.query('select archive_old_messages() as n')).rows).toEqual([{ n: 7 }]);
    expect((await database.admin.query('select archive_old_messages() as n')).rows).toEqual([{ n: 0 }]);

    const { rows } = await database.admin.query(
      `select to_char(month, 'YYYY-MM') as month, action, partition_name, row_count::int, tool_version,
         cutoff = date_trunc('month', now() at time zone 'UTC' - interval '6 months') at time zone 'UTC' as has_cutoff,
         finished_at >= started_at as is_finished
       from archive_journal order by id`,
    );
    const whole = { tool_version: 'archive_old_messages', has_cutoff: true, is_finished: true };
    expect(rows).toEqual([
      { month: OLDER, action: 'archive', partition_name: archivedName(OLDER), row_count: 100, ...whole },
      { month: OLD, action: 'archive', partition_name: archivedName(OLD), row_count: 100, ...whole },
      { month: OLD, action: 'move rows', partition_name: archivedName(OLD), row_count: 7, ...whole },
    ]);
    expect(await fingerprint(database)).toMatchObject({ messages: (before as { messages: number }).messages + 7 });
    const list = await runInProcess(['archive', 'list', '--json'], { env: { DATABASE_URL: database.url } });
    expect(list.exitCode).toBe(0);
  });

  test('restore refuses a month whose prune was begun and not finished', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 50);
    await database.admin.query('select archive_old_messages()');
    await database.admin.query(
      `insert into archive_journal (month, action, partition_name, tool_version)
       values ('${OLD}-01', 'prune', '${archivedName(OLD)}', '1')`,
    );
    const env = { DATABASE_URL: database.url };
    const refused = await runInProcess(['archive', 'restore', OLD], { env });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`month ${OLD} is being pruned`);
    await database.admin.query(`update archive_journal set finished_at = now() where action = 'prune'`);
    expect((await runInProcess(['archive', 'restore', OLD], { env })).exitCode).toBe(0);
  });

  test('a problem of a lock is one whatever language the server speaks: exit 5', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 5);
    await database.admin.query(`drop table ${liveName(monthAgo(-1))}`);
    await database.admin.query(
      `create or replace function aisec_lock_tables(relations regclass[], modes text[]) returns void language plpgsql
       as $$ begin raise exception 'Sperre auf Relation nicht erhalten' using errcode = 'lock_not_available'; end $$`,
    );
    const env = { DATABASE_URL: database.url };
    for (const args of [
      ['partitions', 'ensure', '--max-wait', '0'],
      ['archive', '--max-wait', '0'],
    ]) {
      const run = await runInProcess(args, { env });
      expect(run.stderr).toContain('Sperre auf Relation');
      expect(run.exitCode).toBe(5);
    }
  });
});
