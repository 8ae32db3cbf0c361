import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createDatabase, withUser } from '../../../src/index.js';
import { describeOnServer } from '../../support/database.js';
import { createServiceDatabase, userId, type ServiceDatabase, type Tables } from './service-role.js';

const ATTACKER = userId(1);
const VICTIM = userId(2);
/** In every text of the victim's rows, so that whatever shows one of them shows it. */
const MARK = 'victim-secret';

const LOCKS = `
  select count(*)::int as count from pg_locks
  where mode = 'AccessExclusiveLock' and granted and relation = 'conversations'::regclass
    and database = (select oid from pg_database where datname = current_database())`;

/**
 * What an injected statement could try as role authenticated. `set_config('app.current_user_id', …)` is not among them: a caller that can
 * send SQL can become another user, which docs/client.md says.
 */
const ATTACKS: readonly (readonly [string, ...string[]])[] = [
  // Reading rows of others.
  ['select * from users'],
  ['select * from users where true or true'],
  ['select password_hash from users'],
  ['select u from users u'],
  ['select * from conversations union all select * from conversations'],
  ['select * from messages'],
  ['select * from messages_archive'],
  ['select * from all_messages'],
  [`select * from find_message('${VICTIM}')`],
  [`select * from find_message('20000000-0000-4000-8000-000000000001')`],
  ['select * from messages_2024_01'],
  ['select * from messages_archive_2024_01'],
  ['select * from messages_default'],
  ['select * from message_keys'],
  ['select * from knowledge_base'],
  ['select * from user_preferences'],
  ['select * from assistants for update'],
  ['select * from active_assistants'],
  ['select * from conversation_stats'],
  ['select * from api_usage'],
  ['select * from files'],
  ['table conversations'],
  ['select c.title from conversations c right join users u on true'],
  ['select (select string_agg(title, chr(44)) from conversations)'],
  // A function or operator that reports the rows that it is called with, before the policy sees them.
  [`create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0000001 as $$ begin if $1 like '%victim%' then raise exception '%', $1; end if; return true; end $$`, 'select * from conversations where pg_temp.leak(title)'],
  ['select * from conversations where title::int > 0'],
  ['select 1 / (length(title) - length(title)) from conversations'],
  [`select * from conversations where title ~ '${MARK}('`],
  ['select xmlparse(document title) from conversations'],
  // Row-level security itself.
  ['set row_security = off', 'select * from conversations'],
  ['alter table conversations disable row level security', 'select * from conversations'],
  ['create policy all_rows on conversations using (true)', 'select * from conversations'],
  ['create view pg_temp.everything as select * from conversations', 'select * from pg_temp.everything'],
  ['reset role', 'select * from conversations'],
  ['set role postgres', 'select * from conversations'],
  ['set session authorization postgres', 'select * from conversations'],
  ['grant select on conversations to public'],
  // Objects that outlive the transaction.
  ['create temp table mine as select * from conversations', 'select * from mine'],
  ['create temp table conversations (title text, user_id uuid)', 'select * from conversations'],
  ['declare held cursor with hold for select * from all_messages', 'fetch all from held'],
  ['declare scrolled scroll cursor for select * from conversations', 'move last in scrolled', 'fetch backward all from scrolled'],
  ['prepare everything as select * from conversations', 'execute everything'],
  ['create function public.leak() returns setof conversations language sql security definer return (select null::conversations)'],
  // Copies, statistics, the catalog, and the file system.
  ['copy conversations to stdout'],
  [`copy (select 1) to program 'id'`],
  [`select * from pg_stats where tablename in ('conversations', 'messages', 'users')`],
  ['select * from pg_statistic'],
  ['select query from pg_stat_activity'],
  [`select pg_read_file('postgresql.conf')`],
  [`select lo_import('/etc/passwd')`],
  [`select query_to_xml('select * from conversations', true, false, '')`],
  [`select database_to_xml(true, false, '')`],
  ['select * from conversations tablesample system (100)'],
  ['explain (analyze, verbose) select * from conversations'],
  // Writing rows of others.
  [`update conversations set title = 'taken' returning *`],
  ['delete from conversations returning *'],
  [`update conversations set user_id = '${VICTIM}' returning *`],
  [`insert into conversations (user_id, title) values ('${VICTIM}', 'planted') returning *`],
  [`insert into messages (conversation_id, role) values ('${VICTIM}', 'user') returning *`],
  [`insert into user_preferences (user_id) values ('${VICTIM}') on conflict (user_id) do update set theme = 'taken' returning *`],
  [`insert into conversations (id, user_id, title) values ('${VICTIM}', '${ATTACKER}', 'mine') on conflict (id) do update set title = 'taken' returning *`],
  [`merge into conversations c using (select '${VICTIM}'::uuid as id) n on c.id = n.id when matched then delete when not matched then do nothing`],
  ['truncate conversations cascade'],
  ['drop table conversations'],
  [`select aisec_archive_month('2024-01-01')`],
  [`select archive_old_messages()`],
  [`update messages_archive set content = 'taken' returning *`],
]; // prettier-ignore

/** Every row of the victim, as the owner of the tables sees it. */
const VICTIMS_ROWS = `
  select md5(string_agg(row, ',' order by row)) as sum, count(*)::int as count
  from (
    select users::text as row from users where id = '${VICTIM}'
    union all select c::text from conversations c where user_id = '${VICTIM}'
    union all select m::text from messages m where conversation_id = '${VICTIM}'
    union all select m::text from messages_archive m where conversation_id = '${VICTIM}'
    union all select a::text from assistants a where user_id = '${VICTIM}'
    union all select k::text from knowledge_base k where secretary_id = '${VICTIM}'
    union all select p::text from user_preferences p where user_id = '${VICTIM}'
    union all select f::text from files f where user_id = '${VICTIM}'
    union all select u::text from api_usage u where secretary_id = '${VICTIM}'
  ) as rows`;

/** Everything that an error says. */
function wordsOf(error: unknown): string {
  const { message, detail, hint, where } = error as Record<string, unknown>;
  return JSON.stringify([message, detail, hint, where]);
}

describeOnServer('Hostile SQL as role authenticated', () => {
  let service: ServiceDatabase;
  /** One connection, so that the victim comes next on the one of the attacker. */
  let db: Kysely<Tables>;
  let before: unknown;

  beforeAll(async () => {
    service = await createServiceDatabase(0);
    const { admin } = service.database;
    await admin.query(`select aisec_make_message_partitions(array['2024-01-01'::date])`);
    for (const [id, mark] of [
      [ATTACKER, 'own'],
      [VICTIM, MARK],
    ] as const)
      // prettier-ignore
      await admin.query(`
        insert into users (id, username, email, password_hash) values ('${id}', '${mark}', '${mark}@example.com', '${mark}');
        insert into assistants (id, user_id, name) values ('${id}', '${id}', '${mark}');
        insert into conversations (id, user_id, assistant_id, title) values ('${id}', '${id}', '${id}', '${mark}');
        insert into user_preferences (user_id, theme) values ('${id}', '${mark}');
        insert into knowledge_base (secretary_id, content) values ('${id}', '${mark}');
        insert into files (user_id, conversation_id, file_name) values ('${id}', '${id}', '${mark}');
        insert into api_usage (secretary_id, api_name) values ('${id}', '${mark}');
        insert into messages (conversation_id, role, content) values ('${id}', 'user', '${mark}');
        insert into messages (id, conversation_id, role, content, created_at)
        values ('${id === VICTIM ? '20000000-0000-4000-8000-000000000001' : '20000000-0000-4000-8000-000000000002'}', '${id}', 'user', '${mark}', '2024-01-15')`);
    await admin.query(`select aisec_archive_month('2024-01-01')`);
    await admin.query('analyze');
    db = createDatabase<Tables>({ url: service.url, poolSize: 1, maxOverflow: 0 });
    before = (await admin.query(VICTIMS_ROWS)).rows;
    expect(before).toMatchObject([{ count: 9 }]);
  });
  afterAll(() => db.destroy());

  const attack = async (statements: readonly string[]): Promise<string> =>
    withUser(db, ATTACKER, async (trx) => {
      const seen: unknown[] = [];
      for (const statement of statements) seen.push((await sql.raw(statement).execute(trx)).rows);
      return JSON.stringify(seen);
    }).catch(wordsOf);

  test('the mark is found where it is shown', async () => {
    const seen = await withUser(db, VICTIM, async (trx) =>
      JSON.stringify((await sql.raw('select * from all_messages').execute(trx)).rows),
    );
    expect(seen).toContain(MARK);
    expect(ATTACKS.length).toBeGreaterThanOrEqual(40);
  });

  test.each(ATTACKS.map((statements) => [statements.join('; '), statements] as const))(
    '%s: shows and changes nothing of another user, and leaves nothing to the next',
    async (_, statements) => {
      const seen = await attack(statements);
      expect(seen).not.toContain(MARK);
      expect(seen).not.toMatch(/root:x:0/);
      // The victim comes next, on the same connection, and sees the own rows and no others.
      const own = await withUser(db, VICTIM, async (trx) => ({
        titles: await trx.selectFrom('conversations').select('title').execute(),
        archived: (await sql.raw('select content from messages_archive').execute(trx)).rows,
        left: (await sql.raw(`select name from pg_cursors union all select name from pg_prepared_statements
          union all select relname from pg_class where relpersistence = 't' and pg_table_is_visible(oid)`).execute(trx)).rows, // prettier-ignore
      }));
      expect(own).toEqual({ titles: [{ title: MARK }], archived: [{ content: MARK }], left: [] });
      expect((await service.database.admin.query(VICTIMS_ROWS)).rows).toEqual(before);
    },
  );

  describe('what such SQL may still do, as docs/client.md says', () => {
    test('is to lock tables that it may write, for as long as its transaction lasts', async () => {
      const locked = withUser(db, ATTACKER, async (trx) => {
        await sql`lock table conversations in access exclusive mode`.execute(trx);
        return (await sql`select count(*)::int as count from pg_locks where mode = 'AccessExclusiveLock' and pid = pg_backend_pid()`.execute(trx)).rows; // prettier-ignore
      });
      expect(await locked).not.toEqual([{ count: 0 }]);
      expect((await service.database.admin.query(LOCKS)).rows).toEqual([{ count: 0 }]);
    });

    test('is to lift its time limits, but not the signal of withUser, which ends the lock, too', async () => {
      const { admin } = service.database;
      const stopped = new AbortController();
      const locked = withUser(
        db,
        ATTACKER,
        async (trx) => {
          await sql`set local statement_timeout = 0`.execute(trx);
          await sql`set local idle_in_transaction_session_timeout = 0`.execute(trx);
          await sql`lock table conversations in access exclusive mode`.execute(trx);
          await sql`select pg_sleep(3600)`.execute(trx);
        },
        { statementTimeoutMs: 60_000, idleTimeoutMs: 60_000, signal: stopped.signal },
      );
      const ended = expect(locked).rejects.toMatchObject({ name: 'AbortError' });
      await expect.poll(async () => (await admin.query(LOCKS)).rows, { timeout: 60_000 }).toEqual([{ count: 1 }]);
      stopped.abort();
      await ended;
      await expect.poll(async () => (await admin.query(LOCKS)).rows, { timeout: 60_000 }).toEqual([{ count: 0 }]);
    });

    test('is to listen, until its transaction ends', async () => {
      await withUser(db, ATTACKER, (trx) => sql`listen aisec_cache_public`.execute(trx));
      const channels = await withUser(db, VICTIM, (trx) => sql`select pg_listening_channels()`.execute(trx));
      expect(channels.rows).toEqual([]);
    });

    test('is to hold the lock of any number, until its transaction ends', async () => {
      const { admin } = service.database;
      await withUser(db, ATTACKER, (trx) => sql`select pg_advisory_lock(4711)`.execute(trx));
      expect((await admin.query('select pg_try_advisory_lock(4711) as free')).rows).toEqual([{ free: true }]);
      await admin.query('select pg_advisory_unlock(4711)');
    });

    test('is to make large objects, which are those of every user', async () => {
      const { rows } = await withUser(db, ATTACKER, (trx) =>
        sql<{ id: number }>`select lo_from_bytea(0, 'x')::int as id`.execute(trx),
      );
      const read = sql<{ text: string }>`select convert_from(lo_get(${rows[0]?.id}::oid), 'UTF8') as text`;
      expect(await withUser(db, VICTIM, async (trx) => (await read.execute(trx)).rows)).toEqual([{ text: 'x' }]);
      await withUser(db, VICTIM, (trx) => sql`select lo_unlink(${rows[0]?.id}::oid)`.execute(trx));
    });
  });
});
