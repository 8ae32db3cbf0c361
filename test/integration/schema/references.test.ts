import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Session } from '../../../src/adapters/postgres/session.js';
import { key, twoUsers, userA, userB } from '../../fixtures/two-users.js';
import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { openTestSession } from '../catalog/catalog-session.js';
import { asUser, outcome } from './as-user.js';

interface ForeignKey {
  readonly table: string;
  readonly column: string;
  readonly target: string;
  readonly primaryKey: readonly string[];
  readonly mayInsert: boolean;
  readonly mayUpdate: boolean;
}

const foreignKeys = `
  select c.conrelid::regclass::text as "table",
         a.attname::text as "column",
         c.confrelid::regclass::text as target,
         array(
           select k.attname::text
           from pg_index i
           join pg_attribute k on k.attrelid = i.indrelid and k.attnum = any (i.indkey)
           where i.indrelid = c.conrelid and i.indisprimary
           order by 1
         ) as "primaryKey",
         has_column_privilege('authenticated', c.conrelid, a.attname, 'insert') as "mayInsert",
         has_column_privilege('authenticated', c.conrelid, a.attname, 'update') as "mayUpdate"
  from pg_constraint c
  join pg_class r on r.oid = c.conrelid
  join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
  where c.contype = 'f'
    and c.conparentid = 0
    and r.relnamespace = 'public'::regnamespace
  order by 1, 2`;

/** Tables whose rows belong to no user. */
const withoutOwner = ['size_records'];

/** Tables whose rows may be public or the system's. */
const shared = ['voices', 'avatars', 'personality_templates', 'skill_definitions'];

describeOnServer('A reference', () => {
  let admin: Session;
  let keys: readonly ForeignKey[];

  const asA = async <Result>(use: (session: Session) => Promise<Result>): Promise<Result> => asUser(admin, userA, use);

  /** What happens when the column is set in the row of user a, and in a new row like it. */
  async function write(session: Session, { table, column, primaryKey }: ForeignKey, value: string): Promise<string[]> {
    const where = primaryKey
      .filter((name) => name !== 'created_at')
      .map((name) => `t.${name} = '${key('a')}'`)
      .join(' and ');
    const changes = { ...(primaryKey.includes('id') && { id: key('f') }), [column]: value };
    return [
      await outcome(session, `update ${table} t set ${column} = '${value}' where ${where}`),
      await outcome(
        session,
        `insert into ${table}
         select r.*
         from ${table} t
         cross join jsonb_populate_record(t, '${JSON.stringify(changes)}') r
         where ${where}`,
      ),
    ];
  }

  beforeAll(async () => {
    const database = await createServerDatabase({ migrated: true });
    admin = await openTestSession(database.url);
    for (const sql of twoUsers) await admin.query(sql);
    ({ rows: keys } = await admin.query<ForeignKey>(foreignKeys));
    expect(keys.length).toBeGreaterThan(20);
  });

  afterAll(() => admin.close());

  test('to a row of another user is refused, whichever foreign key it is', async () => {
    expect(keys.filter(({ target }) => withoutOwner.includes(target)).map(({ table }) => table)).toEqual([
      'size_record_tables',
    ]);
    await asA(async (session) => {
      for (const foreignKey of keys.filter(({ target }) => !withoutOwner.includes(target))) {
        const { table, column } = foreignKey;
        const result = await write(session, foreignKey, key('b'));
        expect({ table, column, result }).toEqual({ table, column, result: ['42501', '42501'] });
      }
    });
  });

  test('to an own row is taken, and to a public one and one of the system where there are such', async () => {
    await asA(async (session) => {
      for (const foreignKey of keys.filter(({ mayInsert, mayUpdate }) => mayInsert && mayUpdate)) {
        const { table, column, target, primaryKey } = foreignKey;
        // Here the new row would be the second with its primary key; that is found after the policies were checked.
        const isTwin = primaryKey.includes(column) || table === 'user_preferences';
        const values = shared.includes(target) ? [key('a'), key('c'), key('d'), key('e')] : [key('a')];
        for (const value of values) {
          const result = await write(session, foreignKey, value);
          const inserted = isTwin && (value === key('a') || table === 'user_preferences') ? '23505' : 'ok';
          expect({ table, column, value, result }).toEqual({ table, column, value, result: ['ok', inserted] });
        }
      }
    });
  });

  test('to a message of another user is refused, live, archived or in no month, and like one that does not exist', async () => {
    await asA(async (session) => {
      for (const other of [key('b'), key('b', 2), key('b', 3), key('f', 9)])
        for (const sql of [
          `insert into messages (conversation_id, role, parent_id) values ('${key('a')}', 'user', '${other}')`,
          `insert into files (user_id, file_name, message_id) values ('${userA}', 'f', '${other}')`,
        ])
          expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: '42501' });
    });
  });

  test('is checked by functions that tell a user no more than a SELECT would', async () => {
    await asA(async (session) => {
      const { rows } = await session.query(
        `select aisec_may_refer_to_message('${key('a', 2)}') as own,
                aisec_may_refer_to_message('${key('b', 2)}') as other,
                aisec_may_refer_to_message(null) as none,
                aisec_sees('assistants', '${key('b', 2)}') as seen,
                aisec_keeps_reference('assistants', 'id', '${key('b', 2)}', 'user_id', '${userB}') as kept`,
      );
      expect(rows).toEqual([{ own: true, other: false, none: false, seen: false, kept: false }]);
    });
  });

  test('to an own message is taken, live, archived, in no month, or inserted by the same statement', async () => {
    const message = `insert into messages (id, conversation_id, role, parent_id) values`;
    await asA(async (session) => {
      for (const own of [1, 2, 3].map((number) => key('a', number)))
        expect(await outcome(session, `${message} ('${key('f')}', '${key('a')}', 'user', '${own}')`)).toBe('ok');
      const [first, second] = [key('f', 1), key('f', 2)];
      for (const sql of [
        `${message} ('${first}', '${key('a')}', 'user', null), ('${second}', '${key('a')}', 'user', '${first}')`,
        `with parent as (${message} ('${first}', '${key('a')}', 'user', null) returning id)
         ${message.replace('values', '')} select '${second}', '${key('a')}', 'user', id from parent`,
        `with message as (${message} ('${first}', '${key('a')}', 'user', null) returning id)
         insert into files (user_id, file_name, message_id) select '${userA}', 'f', id from message`,
        `update messages set content = 'x', parent_id = '${key('a', 2)}' where id = '${key('a', 3)}'`,
      ])
        expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: 'ok' });
    });
  });

  test('to a row that the same statement inserts is taken', async () => {
    await asA(async (session) => {
      const sql = `
        with voice as (insert into voices (user_id, name) values ('${userA}', 'v') returning id),
        assistant as (
          insert into assistants (user_id, name, voice_id) select '${userA}', 'a', id from voice returning id
        ),
        conversation as (
          insert into conversations (user_id, assistant_id) select '${userA}', id from assistant returning id
        )
        insert into files (user_id, file_name, conversation_id) select '${userA}', 'f', id from conversation`;
      expect(await outcome(session, sql)).toBe('ok');
    });
  });

  test('stays as it is when its target is no longer public, and the row can still be changed', async () => {
    await admin.query(`
      update assistants set voice_id = '${key('d')}' where id = '${key('a')}';
      update conversations set voice_id = '${key('d')}' where id = '${key('a')}';
      insert into assistant_skills (assistant_id, skill_definition_id) values ('${key('a')}', '${key('d')}');
      update voices set is_public = false where id = '${key('d')}';
      update skill_definitions set is_public = false where id = '${key('d')}'`);
    await asA(async (session) => {
      const results = [];
      for (const sql of [
        `update assistants set name = 'x' where id = '${key('a')}'`,
        `insert into assistants (id, user_id, name, voice_id) values ('${key('a')}', '${userA}', 'x', '${key('d')}')
         on conflict (id) do update set name = excluded.name`,
        `update conversations set title = 'x', voice_id = '${key('d')}' where id = '${key('a')}'`,
        `update assistant_skills set is_enabled = false`,
        `update assistants set voice_id = '${key('d')}' where id = '${key('a', 2)}'`,
        `update assistants set avatar_id = '${key('d')}', voice_id = '${key('b')}' where id = '${key('a')}'`,
        `insert into assistant_skills (assistant_id, skill_definition_id) values ('${key('a', 2)}', '${key('d')}')`,
      ])
        results.push(await outcome(session, sql));
      expect(results).toEqual(['ok', 'ok', 'ok', 'ok', '42501', '42501', '42501']);
    });
  });
});
