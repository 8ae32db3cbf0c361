import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createDatabase, withUser } from '../../../src/index.js';
import { describeOnServer } from '../../support/database.js';
import { pgbouncer, startPgbouncer } from './pgbouncer.js';
import { createServiceDatabase, userId, type ServiceDatabase, type Tables } from './service-role.js';

const one = async (db: Kysely<Tables>, text: string): Promise<unknown> =>
  (await sql.raw<{ value: unknown }>(text).execute(db)).rows[0]?.value;
const titles = async (db: Kysely<Tables>): Promise<unknown> =>
  (await db.selectFrom('conversations').select('title').orderBy('title').execute()).map(({ title }) => title);

const setting = (name: string): string => `select current_setting('${name}', true) as value`;
const count = (from: string): string => `select count(*)::int as value from ${from}`;
const LOCKS = count(`pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`);

/** What a transaction can leave in the session: the statement that leaves it, and what the next user asks. */
const leftovers: readonly { readonly what: string; readonly leave: string; readonly ask: string }[] = [
  { what: 'a temporary table', leave: 'create temp table left_table as select 1', ask: count(`pg_class where relname = 'left_table'`) },
  { what: 'a temporary view', leave: 'create temp view left_view as select 1', ask: count(`pg_class where relname = 'left_view'`) },
  { what: 'a temporary function', leave: 'create function pg_temp.left_function() returns int return 1', ask: count(`pg_proc where proname = 'left_function'`) },
  { what: 'a search_path', leave: 'set search_path = nowhere', ask: setting('search_path') },
  { what: 'a statement_timeout', leave: `set statement_timeout = '7s'`, ask: setting('statement_timeout') },
  { what: 'a time zone', leave: `set timezone = 'Asia/Tokyo'`, ask: setting('timezone') },
  { what: 'an application_name', leave: `set application_name = 'left'`, ask: setting('application_name') },
  { what: 'read only transactions', leave: 'set default_transaction_read_only = on', ask: setting('default_transaction_read_only') },
  { what: 'a setting of its own', leave: `set my.note = 'secret'`, ask: `select coalesce(current_setting('my.note', true), '') as value` },
  { what: 'a prepared statement', leave: 'prepare left_statement as select title from conversations', ask: count('pg_prepared_statements') },
  { what: 'a cursor with its rows', leave: 'declare left_cursor cursor with hold for select title from conversations', ask: count('pg_cursors') },
  { what: 'a LISTEN', leave: 'listen left_channel', ask: count('pg_listening_channels()') },
  { what: 'an advisory lock', leave: 'select pg_advisory_lock(4711)', ask: LOCKS },
  { what: 'an advisory lock of a function', leave: 'select take_left_lock()', ask: LOCKS },
  { what: 'an advisory lock of a function with a parsed body', leave: 'select take_parsed_lock()', ask: LOCKS },
  { what: 'the last value of a sequence', leave: `select nextval('left_sequence')`, ask: `select left_lastval() as value` },
]; // prettier-ignore

describeOnServer('What a callback of withUser leaves in the session', () => {
  let service: ServiceDatabase;
  /** One connection: whoever leaves something is followed by the next user on the same one. */
  let db: Kysely<Tables>;

  beforeAll(async () => {
    service = await createServiceDatabase(3);
    await service.database.admin.query(`
      create sequence left_sequence;
      grant usage on sequence left_sequence to public;
      create function left_lastval() returns bigint language plpgsql as
        $$ begin return lastval(); exception when object_not_in_prerequisite_state then return null; end $$;
      create function take_left_lock() returns void language plpgsql as $$ begin perform pg_advisory_lock(4712); end $$;
      create function take_parsed_lock() returns void return pg_advisory_lock(4713)`);
    db = createDatabase<Tables>({ url: service.url, poolSize: 1, maxOverflow: 0 });
  });
  afterAll(() => db.destroy());

  describe.each(leftovers)('$what', ({ what, leave, ask }) => {
    const leaveIt = (trx: Kysely<Tables>): Promise<unknown> => sql.raw(leave).execute(trx);
    /** What a new session says. */
    let before: unknown;
    beforeAll(async () => {
      const fresh = createDatabase<Tables>({ url: service.url, poolSize: 1, maxOverflow: 0 });
      before = await withUser(fresh, userId(2), (trx) => one(trx, ask));
      await fresh.destroy();
    });

    test('is there for itself, and gone for the next user', async () => {
      const during = await withUser(db, userId(1), async (trx) => {
        await leaveIt(trx);
        return one(trx, ask);
      });
      // LISTEN begins at COMMIT; the test below but one sees it.
      if (what !== 'a LISTEN') expect(during).not.toEqual(before);
      expect(await withUser(db, userId(2), (trx) => one(trx, ask))).toEqual(before);
      expect(await one(db, ask)).toEqual(before);
    });

    test('is gone after a rollback', async () => {
      await withUser(db, userId(1), async (trx) => {
        await leaveIt(trx);
        await sql.raw(`select 1 / 0`).execute(trx);
      }).catch(() => undefined);
      expect(await withUser(db, userId(2), (trx) => one(trx, ask))).toEqual(before);
    });

    test('is gone for a user who comes after a query without one', async () => {
      await leaveIt(db).catch(() => undefined);
      expect(await withUser(db, userId(2), (trx) => one(trx, ask))).toEqual(before);
      await db
        .transaction()
        .execute(leaveIt)
        .catch(() => undefined);
      expect(await withUser(db, userId(2), (trx) => one(trx, ask), { isolationLevel: 'serializable' })).toEqual(before);
    });
  });

  test.each([
    ['withUser', () => withUser(db, userId(1), shadow)],
    ['a query without a user', () => db.connection().execute(shadow)],
  ])(
    "a temporary table of %s that shadows one of the platform shows nobody's rows to the next user and swallows none",
    async (_, run) => {
      await run();
      expect(await withUser(db, userId(2), titles)).toEqual(['user2/1', 'user2/2']);
      const insert = { user_id: userId(2), title: 'kept' };
      await withUser(db, userId(2), (trx) =>
        trx
          .insertInto('conversations')
          .values(insert as never)
          .execute(),
      );
      const { rowCount } = await service.database.admin.query(`delete from conversations where title = 'kept'`);
      expect(rowCount).toBe(1);
    },
  );

  test.skipIf(pgbouncer === undefined && process.env['CI'] === undefined)(
    'does not reach the next user behind a pooler in transaction mode, whoever left it',
    async () => {
      expect(pgbouncer, 'pgbouncer is not installed (Debian: apt-get install pgbouncer)').toBeDefined();
      const pooler = await startPgbouncer(service.url, 1);
      const [mine, other] = [1, 2].map(() =>
        createDatabase<Tables>({ url: pooler.url, poolSize: 1, maxOverflow: 0, applicationName: 'test pooled' }),
      ) as [Kysely<Tables>, Kysely<Tables>];
      const faults: string[] = [];
      for (const { what, leave, ask } of leftovers) {
        const before = await withUser(other, userId(2), (trx) => one(trx, ask));
        await withUser(mine, userId(1), (trx) => sql.raw(leave).execute(trx));
        const after = await withUser(other, userId(2), (trx) => one(trx, ask));
        if (after !== before) faults.push(`${what} of withUser: ${String(after)}`);
        await sql
          .raw(leave)
          .execute(mine)
          .catch(() => undefined);
        const later = await withUser(other, userId(2), (trx) => one(trx, ask));
        if (later !== before) faults.push(`${what} of a query without a user: ${String(later)}`);
      }
      expect(await one(other, setting('application_name'))).toBe('test pooled');
      await Promise.all([mine.destroy(), other.destroy()]);
      await pooler.stop();
      expect(faults).toEqual([]);
    },
  );
});

async function shadow(trx: Kysely<Tables>): Promise<unknown> {
  return sql
    .raw(`create temp table conversations as select 'of user1' as title, '${userId(2)}'::uuid as user_id, 'x' as id`)
    .execute(trx);
}
