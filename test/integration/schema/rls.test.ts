import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCatalog } from '../../../src/adapters/catalog/snapshot.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import { accessRules } from '../../fixtures/access-rules.js';
import { key, twoUsers, userA, userB } from '../../fixtures/two-users.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { asUser, deniedStatements, outcome, owners } from './as-user.js';
import { openTestSession, withSession } from '../catalog/catalog-session.js';

interface Place {
  /** The owner's session. */
  readonly admin: Session;
  /** A service's: on a server of a login role that has nothing but authenticated, with inherit false, set true. */
  readonly service: Session;
}

const readable = Object.entries(accessRules).filter(([, rule]) => rule.reads !== 'denied');
const writable = readable.filter(([, rule]) => rule.writes.length > 0);
const views = ['active_assistants', 'conversation_stats', 'all_messages'];

function expectedOwners(reads: string, user: string | undefined): string {
  const own = { [userA]: 'a', [userB]: 'b' }[user ?? ''] ?? '';
  if (reads === 'all') return 'c';
  return reads === 'own' ? own : `${own}cde`;
}

function defineTests(open: () => Promise<Place>): void {
  let admin: Session;
  let service: Session;

  beforeAll(async () => {
    ({ admin, service } = await open());
    for (const sql of twoUsers) await admin.query(sql);
  });

  test('there is a rule for every table', async () => {
    const { tables, views: found } = await readCatalog(admin, { schema: 'public' });
    expect(Object.keys(accessRules).toSorted()).toEqual(tables.map(({ name }) => name).toSorted());
    expect(found.map(({ name }) => name).toSorted()).toEqual(views.toSorted());
  });

  test.each(readable)('%s shows a user exactly the rows of the rule', async (table, rule) => {
    // The owner sees that there is more to see.
    expect(await owners(admin, table, rule.key)).toMatch(rule.reads === 'all' ? /^c$/ : /^ab/);
    for (const user of [userA, userB]) {
      const seen = await asUser(service, user, (session) => owners(session, table, rule.key));
      expect(seen).toBe(expectedOwners(rule.reads, user));
    }
  });

  test.each(readable)(
    '%s shows nothing private without a user, or for an empty or unknown one',
    async (table, rule) => {
      for (const user of [undefined, '', key('f')]) {
        const seen = await asUser(service, user, (session) => owners(session, table, rule.key));
        expect(seen).toBe(expectedOwners(rule.reads, undefined));
      }
    },
  );

  test.each(views)('the view %s shows a user exactly the own rows', async (view) => {
    const seen = (user: string | undefined): Promise<string> =>
      asUser(service, user, (session) => owners(session, view));
    expect([await seen(userA), await seen(userB), await seen(''), await seen(undefined)]).toEqual(['a', 'b', '', '']);
  });

  test('the view all_messages shows what is live, archived and in no month', async () => {
    const sql = 'select id, is_archived from all_messages order by id';
    const { rows } = await asUser(service, userA, (session) => session.query(sql));
    expect(rows).toEqual([
      { id: key('a', 1), is_archived: false },
      { id: key('a', 2), is_archived: true },
      { id: key('a', 3), is_archived: false },
    ]);
  });

  test.each(writable)('%s lets a user change and delete own rows only', async (table, rule) => {
    await asUser(service, userA, async (session) => {
      const reached = async (sql: string): Promise<string> => {
        const { rows } = await session.query<{ owner: string }>(`${sql} returning left(${rule.key}::text, 1) as owner`);
        return [...new Set(rows.map(({ owner }) => owner))].toSorted().join('');
      };
      // Own public rows (e) are own rows, too.
      const own = rule.reads === 'own' ? 'a' : 'ae';
      if (rule.sets !== undefined) expect(await reached(`update ${table} set ${rule.sets} = ${rule.sets}`)).toBe(own);
      if (!rule.writes.includes('delete')) return;
      // What refers to a row by a plain reference goes before it.
      for (const child of { assistants: ['files', 'conversations', 'knowledge_base'], conversations: ['files'] }[
        table
      ] ?? [])
        await session.query(`delete from ${child}`);
      // The usage of the first assistant is not the user's to delete.
      const where = table === 'assistants' ? ` where id not in ('${key('a')}', '${key('b')}')` : '';
      expect(await reached(`delete from ${table}${where}`)).toBe(own);
    });
  });

  test.each(readable)('%s refuses every command that is not granted', async (table, rule) => {
    await asUser(service, userA, async (session) => {
      const refused = [
        `truncate ${table}`,
        `create trigger t before insert on ${table} execute function set_updated_at()`,
        `alter table ${table} disable row level security`,
        ...(rule.writes.includes('delete') ? [] : [`delete from ${table}`]),
        ...(rule.writes.includes('insert') ? [] : [`insert into ${table} default values`]),
        ...(rule.writes.includes('update') ? [] : [`update ${table} set ${rule.key} = ${rule.key}`]),
      ];
      for (const sql of refused) expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: '42501' });
    });
  });

  test.each(readable)('%s lets a user reach into no row of another', async (_table, rule) => {
    await asUser(service, userA, async (session) => {
      for (const sql of rule.intrusions ?? []) {
        expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: '42501' });
      }
    });
  });

  test('preferences cannot be made for another user', async () => {
    const other = key('d');
    await admin.query(
      `insert into users (id, username, email, password_hash) values ('${other}', 'd', 'd@example.com', 'hash')`,
    );
    await asUser(service, userA, async (session) => {
      expect(await outcome(session, `insert into user_preferences (user_id) values ('${other}')`)).toBe('42501');
    });
    await admin.query(`delete from users where id = '${other}'`);
  });

  test('own rows can be made, with what belongs to the user, is public or is the system’s', async () => {
    const statements = [
      `insert into conversations (user_id, assistant_id) values ('${userA}', '${key('a')}')`,
      `insert into messages (conversation_id, role, parent_id) values ('${key('a')}', 'user', '${key('a', 2)}')`,
      ...[1, 2, 3].map(
        (number) =>
          `insert into files (file_name, user_id, conversation_id, message_id) values ('x', '${userA}', '${key('a')}', '${key('a', number)}')`,
      ),
      `insert into assistant_skills (assistant_id, skill_definition_id) values ('${key('a')}', '${key('c')}')`,
      `insert into assistant_skills (assistant_id, skill_definition_id) values ('${key('a')}', '${key('d')}')`,
      `insert into knowledge_base (content, secretary_id) values ('x', '${key('a')}')`,
      `insert into assistants (name, user_id, voice_id) values ('x', '${userA}', '${key('c')}')`,
      `update user_preferences set default_assistant_id = '${key('a')}'`,
      `update messages set created_at = '2001-01-01' where id = '${key('a')}'`,
    ];
    await asUser(service, userA, async (session) => {
      for (const sql of statements) expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: 'ok' });
    });
  });

  test('every partition, the keys of messages and the history of migrations are closed', async () => {
    await admin.query('select ensure_message_partitions(14)');
    const { tables, columns, partitions } = await readCatalog(admin, { schema: 'public' });
    const archived = partitions.tables.filter(({ parents }) => parents.join() === 'messages_archive');
    expect(archived).toHaveLength(1);
    expect(partitions.tables.length).toBeGreaterThanOrEqual(16);
    const closed = [...tables.filter(({ name }) => accessRules[name]?.reads === 'denied'), ...partitions.tables];
    const allColumns = [...columns, ...partitions.columns];
    await asUser(service, userA, async (session) => {
      for (const { name } of closed) {
        const column = allColumns.find(({ table }) => table === name)?.name ?? '';
        for (const sql of deniedStatements(name, column)) {
          expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: '42501' });
        }
      }
    });
  });

  test('only the functions of the policies and those for users may be called', async () => {
    await asUser(service, userA, async (session) => {
      const callable = await session.query<{ name: string }>(`
        select proname::text as name
        from pg_proc
        where pronamespace = 'public'::regnamespace
          and has_function_privilege(oid, 'execute')
          and not exists (
            select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
          )
        order by 1`);
      expect(callable.rows.map(({ name }) => name)).toEqual([
        'aisec_keeps_reference',
        'aisec_match_knowledge',
        'aisec_match_own_knowledge',
        'aisec_may_refer_to_message',
        'aisec_previous_conversation_month',
        'aisec_question_terms',
        'aisec_sees',
        'aisec_text_terms',
        'conversation_messages',
        'current_user_id',
        'find_knowledge',
      ]);
      for (const sql of [
        "select hash_password('x')",
        'select archive_old_messages()',
        'create table mine (id integer)',
      ])
        expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: '42501' });
    });
  });

  test('a user that is not a UUID fails instead of showing anything', async () => {
    await asUser(service, 'nobody', async (session) => {
      for (const [table, rule] of readable) {
        if (rule.reads === 'all') continue;
        const sql = `select ${rule.key} from ${table}`;
        expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: '22P02' });
      }
    });
  });

  test('a prepared statement answers each user with the own rows, also when its plan is kept', async () => {
    await asUser(service, undefined, async (session) => {
      await session.query("prepare seen as select string_agg(distinct left(id::text, 1), '') as owners from messages");
      for (let round = 0; round < 8; round += 1) {
        for (const [user, owner] of Object.entries({ [userA]: 'a', [userB]: 'b' })) {
          await session.query("select set_config('app.current_user_id', $1, true)", [user]);
          expect((await session.query('execute seen')).rows).toEqual([{ owners: owner }]);
        }
      }
      await session.query('deallocate seen');
    });
  });

  test('deleting a conversation takes its live and archived messages and their keys along, and none of another user', async () => {
    // The owner's session, so that it may look behind the policies within the same transaction.
    await asUser(admin, userA, async (session) => {
      await session.query('delete from files');
      await session.query('delete from conversations');
      await session.query('reset role');
      const left = [];
      for (const table of ['messages', 'messages_archive', 'message_keys']) left.push(await owners(session, table));
      expect(left).toEqual(['b', 'b', 'b']);
    });
  });
}

const cleanUps: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

describeOnServer('Row level security for a service on a server', () => {
  let serviceUrl: string;

  defineTests(async () => {
    const role = `aisec_test_service_${randomBytes(4).toString('hex')}`;
    const database = await createServerDatabase({ migrated: true });
    await database.admin.query(`create role ${role} login password 'service'`);
    cleanUps.push(() => database.admin.query(`drop role ${role}`));
    await database.admin.query(`grant authenticated to ${role} with inherit false, set true`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'service';
    serviceUrl = url.href;
    const [admin, service] = [await openTestSession(database.url), await openTestSession(serviceUrl)];
    cleanUps.push(
      () => admin.close(),
      () => service.close(),
    );
    return { admin, service };
  });

  test('without the role, the login may do nothing at all', async () => {
    await withSession(serviceUrl, async (session) => {
      await session.query('begin');
      for (const table of [...Object.keys(accessRules), ...views]) {
        const sql = `select from ${table}`;
        expect({ sql, is: await outcome(session, sql) }).toEqual({ sql, is: '42501' });
      }
    });
  });

  test('in a session that never had a user, nothing private is shown', async () => {
    await withSession(serviceUrl, async (session) => {
      for (const [table, rule] of readable) {
        const seen = await asUser(session, undefined, () => owners(session, table, rule.key));
        expect({ table, seen }).toEqual({ table, seen: expectedOwners(rule.reads, undefined) });
      }
      const { rows } = await session.query("select current_setting('app.current_user_id', true) as setting");
      expect(rows).toEqual([{ setting: null }]);
    });
  });
});

describe('Row level security on the embedded database', () => {
  defineTests(async () => {
    const cwd = await createEmbeddedDirectory();
    const run = await runInProcess(['migrate', 'up', '--embedded'], { cwd });
    expect(run.exitCode).toBe(0);
    const session = await openTestSession({ kind: 'embedded', dataDir: path.join(cwd, '.aisec', 'pgdata') });
    cleanUps.push(() => session.close());
    return { admin: session, service: session };
  });
});
