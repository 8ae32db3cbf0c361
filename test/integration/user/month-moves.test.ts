import { expect, test } from 'vitest';

import { choosePerson, prepareChoice } from '../../../src/features/user/graph/choose-person.js';
import { tableIn } from '../../../src/adapters/catalog/references/reference.js';
import { readOwnership } from '../../../src/features/user/graph/read-ownership.js';
import { monthsOf } from '../../../src/features/user/erase/months.js';
import { readRows } from '../../../src/features/user/export/rows.js';
import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { withSession } from '../catalog/catalog-session.js';

const ID = '00000000-0000-4000-8000-000000000001';
const FILL = `
  select aisec_make_message_partitions(array['2026-06-01', '2026-07-01']::date[]);
  insert into users (id, username, email, password_hash) values ('${ID}', 'hanako', 'h@example.com', 'x');
  insert into conversations (id, user_id) values ('${ID}', '${ID}');
  insert into messages (conversation_id, role, created_at)
  select '${ID}', 'user', '2026-06-02T00:00:00Z'::timestamptz + n * interval '12 hours' from generate_series(1, 100) n`;

describeOnServer('the rows of a person, in a snapshot', () => {
  test('are read from a month that was archived after it, under the name of now', async () => {
    const database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await database.admin.query(sql);
    await withSession(database.url, async (session) => {
      const ownership = await readOwnership(session, 'public');
      const choice = await prepareChoice(session, ownership);
      await session.query('begin isolation level repeatable read, read only');
      await session.query('select from users');
      await database.admin.query("select aisec_archive_month('2026-06-01')");
      await choosePerson(choice, ownership, 'public', { id: ID }, { mentions: false });
      const read: Record<string, number> = {};
      for (const key of ['messages', 'messages_archive'].map((table) => tableIn('public', table))) {
        const columns = [{ name: 'id', type: 'uuid', isNullable: false, isKey: true, isReadable: true, isTableReadable: true }]; // prettier-ignore
        read[key] = 0;
        for await (const _ of readRows(session, choice, { key, columns })) read[key] += 1;
      }
      expect(read).toEqual({ '"public"."messages"': 43, '"public"."messages_archive"': 57 });
      expect(await monthsOf(session, choice, 'public')).toEqual(['2026-06', '2026-07']);
      await session.query('rollback');
    });
  });
});
