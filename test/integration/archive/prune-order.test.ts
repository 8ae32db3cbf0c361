import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { CONVERSATIONS, fillMonth, monthAgo } from './chat.js';

const OLD = monthAgo(40);

describeOnServer('aisec archive prune where the collation sorts a fraction of a second before none', () => {
  test('deletes a month whole, batch by batch', async () => {
    const database = await createServerDatabase({ icuLocale: 'en-US' });
    const env = { DATABASE_URL: database.url };
    expect((await runInProcess(['migrate', 'up'], { env })).exitCode).toBe(0);
    await database.admin.query(CONVERSATIONS);
    await fillMonth(database, OLD, 3);
    await database.admin.query(
      `insert into messages (conversation_id, role, created_at)
       select id, 'user', time::timestamptz
       from (select id from conversations limit 1) as conversation,
         unnest(array['${OLD}-15 10:00:00Z', '${OLD}-15 10:00:00.5Z', '${OLD}-15 10:00:01Z']) as time`,
    );
    const { rows: sorted } = await database.admin.query(
      `select time from unnest(array['10:00:00+00', '10:00:00.5+00']) as time order by time`,
    );
    expect(sorted.map(({ time }) => time)).toEqual(['10:00:00.5+00', '10:00:00+00']);
    expect((await runInProcess(['archive'], { env })).exitCode).toBe(0);

    const args = ['archive', 'prune', '--older-than', '3y', '--without-export', '--batch', '1', '--json'];
    const pruned = await runInProcess([...args, '--confirm', database.name], { env });
    expect(pruned).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(pruned.stdout).months).toMatchObject([{ month: OLD, outcome: 'pruned', error: null }]);
    const { rows } = await database.admin.query(
      'select (select count(*) from message_keys)::int as keys, (select count(*) from all_messages)::int as messages',
    );
    expect(rows).toEqual([{ keys: 0, messages: 0 }]);
  });
});
