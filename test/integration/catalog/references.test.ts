import { expect, test } from 'vitest';

import { ChosenRows } from '../../../src/adapters/catalog/references/chosen-rows.js';
import { readReferences } from '../../../src/adapters/catalog/references/read-references.js';
import { reachable, tableIn, tableKey, type TableKey } from '../../../src/adapters/catalog/references/reference.js';
import { platformReferences } from '../../../src/features/messages/index.js';
import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { withSession } from './catalog-session.js';

const FILL = `
  select aisec_make_message_partitions(array['2026-06-01', '2026-07-01']::date[]);
  insert into users (id, username, email, password_hash)
  select ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'user' || n, 'u' || n || '@example.com', 'x' from generate_series(1, 2) n;
  insert into conversations (id, user_id)
  select ('10000000-0000-4000-8000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid from generate_series(1, 2) n;
  insert into messages (id, conversation_id, role, created_at)
  select ('20000000-0000-4000-8000-' || lpad((c * 1000 + n)::text, 12, '0'))::uuid, ('10000000-0000-4000-8000-00000000000' || c)::uuid, 'user', '2026-06-02T00:00:00Z'::timestamptz + n * interval '12 hours'
  from generate_series(1, 2) c, generate_series(1, 100) n;
  create schema team;
  create table team.reactions (message_id uuid references message_keys on delete cascade, emoji text);
  insert into team.reactions select id, '👍' from messages where conversation_id = '10000000-0000-4000-8000-000000000001' and created_at < '2026-06-10';
  create table team.boards (id integer primary key, members uuid[]);
  comment on column team.boards.members is 'Who may read it. refers: public.users.id';
  insert into team.boards select n, array['00000000-0000-4000-8000-000000000002', ('00000000-0000-4000-8000-00000000000' || n)::uuid] from generate_series(1, 3) n;
  create table team.notes (id integer primary key, owner_type text, owner_id text);
  comment on column team.notes.owner_id is 'refers: boards.id if owner_type = ''board''; refers: public.users.id if owner_type = ''user''';
  select aisec_archive_month('2026-06-01')`;

describeOnServer('the walk over references', () => {
  test('chooses the rows of one person, live, archived and of other schemas, and what they refer to', async () => {
    const database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await database.admin.query(sql);
    await withSession(database.url, async (session) => {
      const all = [...(await readReferences(session)), ...platformReferences('public')];
      const references = all.filter(({ table }) => table !== 'notes');
      const keys = [...reachable(tableIn('public', 'users'), references)];
      expect(keys).toContain(tableIn('team', 'boards'));
      const choice = await ChosenRows.of(
        session,
        keys.map((key) => ({ key, name: key })),
      );
      const count = async (key: TableKey): Promise<number> =>
        (await choice.parts(key)).reduce((sum, { rows }) => sum + rows, 0);
      await session.query('begin isolation level repeatable read, read only');
      expect(await choice.where(tableIn('public', 'users'), "username = 'user1'")).toBe(1);
      await choice.follow(references);
      expect(
        await Promise.all(
          [
            tableIn('public', 'users'),
            tableIn('public', 'message_keys'),
            tableIn('team', 'reactions'),
            tableIn('team', 'boards'),
          ].map(count),
        ),
      ).toEqual([1, 100, 15, 1]);
      expect((await count(tableIn('public', 'messages'))) + (await count(tableIn('public', 'messages_archive')))).toBe(
        100,
      );
      expect((await choice.parts(tableIn('public', 'messages_archive'))).map((part) => part.name)).toEqual([
        'public.messages_archive_y2026m06',
      ]);
      expect(await choice.follow(references)).toBe(0);
      // The board has a second member, whose row is needed for it to hold.
      expect(await choice.followUp(references)).toBe(1);
      await session.query('rollback');
    });
  });

  test('reads how a reference is kept, and conditions that a comment declares', async () => {
    const database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await database.admin.query(sql);
    const references = await withSession(database.url, readReferences);
    const of = (table: string): unknown => references.filter((each) => each.table === table);
    expect(of('notes')).toMatchObject([
      {
        columns: ['owner_id'],
        refersTo: { schema: 'team', table: 'boards' },
        onlyIf: { column: 'owner_type', value: 'board' },
      },
      {
        refersTo: { schema: 'public', table: 'users', columns: ['id'] },
        onlyIf: { column: 'owner_type', value: 'user' },
      },
    ]);
    expect(of('api_usage')).toMatchObject([{ onDelete: 'no action', isNullable: true, isArray: false, onlyIf: null }]);
    expect(references.filter((each) => tableKey(each).includes('messages_y'))).toEqual([]);
  });
});
