import type { Kysely } from 'kysely';
import { beforeAll, expect, test } from 'vitest';

import { createDatabase, withUser } from '../../../src/index.js';
import type { DB } from '../../../src/schema/index.js';
import { sqlFile } from '../../../src/adapters/postgres/sql-file.js';
import { describeOnCitus } from '../../support/citus.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { expectError } from '../../support/expect-error.js';
import { runInProcess } from '../../support/run-in-process.js';
import { writeMigrations } from '../../support/migrations-folder.js';

const [ANN, BEN] = ['10000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000002'];
const PEOPLE = `insert into users (id, username, email, password_hash) values ('${ANN}', 'ann', 'a@x', 'h'), ('${BEN}', 'ben', 'b@x', 'h')`;

/** What a person does who has rows of another one beside the own ones; and what is left in the end. */
async function live(db: Kysely<DB>): Promise<readonly string[]> {
  const said: string[] = [];
  const say = async (what: string, run: () => Promise<unknown>): Promise<void> => {
    const result = await run().catch((error: unknown) => (error as { readonly code?: string }).code ?? 'error');
    said.push(`${what}: ${JSON.stringify(result)}`);
  };
  const conversation = '20000000-0000-4000-8000-000000000001';
  await say('begins', () =>
    withUser(db, ANN, (trx) =>
      trx.insertInto('conversations').values({ id: conversation, user_id: ANN, title: 'of ann' }).execute(),
    ).then(() => 'yes'),
  );
  await say('for another one', () =>
    withUser(db, ANN, (trx) => trx.insertInto('conversations').values({ user_id: BEN, title: 'x' }).execute()),
  );
  await say('writes', () =>
    withUser(db, ANN, async (trx) => {
      const message = { conversation_id: conversation, role: 'user' as const, content: 'hello' };
      const { id } = await trx.insertInto('messages').values(message).returning('id').executeTakeFirstOrThrow();
      await trx
        .insertInto('messages')
        .values({ ...message, parent_id: id })
        .execute();
      return (
        await trx.updateTable('conversations').set({ title: 'mine' }).executeTakeFirst()
      ).numUpdatedRows.toString();
    }),
  );
  for (const user of [ANN, BEN])
    await say(`sees ${user.slice(-1)}`, () =>
      withUser(db, user, (trx) =>
        trx
          .selectFrom('all_messages')
          .select((of) => of.fn.countAll<string>().as('count'))
          .execute(),
      ),
    );
  return said;
}

const LEFT = `select
  (select pg_catalog.count(*) from all_messages) as messages,
  (select pg_catalog.count(*) from messages_archive) as archived,
  (select pg_catalog.count(*) from message_keys) as keys,
  (select pg_catalog.count(*) from all_messages where parent_id is not null) as replies`;

describeOnServer('what a tenant of Citus is given, on PostgreSQL alone', () => {
  let database: ServerDatabase;
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
  });

  test('has no subquery in a policy, keeps people apart, and answers no one without a user', async () => {
    const { admin } = database;
    await admin.query(PEOPLE);
    const db = createDatabase<DB>({ url: database.url, poolSize: 1, maxOverflow: 0 });
    try {
      const before = await live(db);
      await admin.query('delete from conversations; delete from messages_archive');
      await admin.query(sqlFile('tenant/adapt'));
      const { rows } = await admin.query(sqlFile('tenant/tables'), ['public']);
      // Citus may create the table of a trigger on a new node before any other one.
      const { rows: triggers } = await admin.query(
        "select tgname from pg_trigger where not tgisinternal and pg_get_triggerdef(oid) like '%''::regclass%'",
      );
      expect(triggers).toEqual([]);
      // Nor may one fire where a node takes rows over from another one, in a month that is made later, either.
      await admin.query("select aisec_make_message_partitions(array['2030-01-01']::date[])");
      const { rows: enabled } = await admin.query(
        "select distinct tgenabled as fires from pg_trigger where not tgisinternal and tgname like 'aisec%'",
      );
      expect(enabled).toEqual([{ fires: 'O' }]);
      const env = { DATABASE_URL: database.url };
      expect(await runInProcess(['partitions', 'check'], { env })).toMatchObject({ exitCode: 0 });
      expect(rows).not.toHaveLength(0);
      for (const row of rows) expect(row).toMatchObject({ policies: [] });
      expect(await live(db)).toEqual(before);
      await expect(admin.query('begin; set local role authenticated; select from conversations')).rejects.toMatchObject(
        {
          code: '42501',
          message: 'no user is set on this node',
        },
      );
      await admin.query('rollback');
    } finally {
      await db.destroy();
    }
  });

  test('without Citus there is nothing to distribute to', async () => {
    const run = await runInProcess(['tenant', 'distribute'], { env: { DATABASE_URL: database.url } });
    expectError(run, 2, 'database ', 'has no extension citus');
  });
});

describeOnCitus('a tenant on a worker of Citus', ({ url, admin, aisec, schema, setSharding, nodeOf }) => {
  const [plain, tenant, later] = [schema('p'), schema('t'), schema('l')];
  const inSchema = (name: string): Kysely<DB> => createDatabase<DB>({ url, schema: name, poolSize: 1, maxOverflow: 0 });

  beforeAll(async () => {
    await setSharding('off');
    expect(await aisec('migrate up', `${plain},${later}`)).toMatchObject({ exitCode: 0 });
    await setSharding('on');
  });

  test('migrate up makes a new schema one of a tenant, complete, and finds nothing to do again', async () => {
    const run = await aisec('migrate up', tenant);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(`Citus has the schema ${tenant} on ${await nodeOf(tenant)}`);
    expect((await aisec('migrate up', tenant)).stderr).toContain('every migration is applied');
    expect(await aisec('migrate verify', tenant)).toMatchObject({ exitCode: 0 });
  });

  test('people, replies, months and the archive are as on PostgreSQL', async () => {
    const ends: unknown[] = [];
    const { rows: months } = await admin.query<{ since: string }>(
      "select to_char(now() - interval '8 months', 'YYYY-MM') as since",
    );
    const since = months[0]?.since ?? '';
    for (const schema of [plain, tenant]) {
      await admin.query(`set search_path = ${schema}, public`);
      await admin.query(PEOPLE);
      const db = inSchema(schema);
      const said = await live(db);
      const ensured = await aisec(`partitions ensure --since ${since} --ahead 4`, schema);
      await admin.query(
        "insert into messages (conversation_id, role, content, created_at) select id, 'user', 'old', now() - interval '8 months' from conversations",
      );
      const archived = await aisec('archive --older-than 6mo', schema);
      const { rows: before } = await admin.query(LEFT);
      await withUser(db, ANN, (trx) => trx.deleteFrom('conversations').execute());
      await db.destroy();
      const { rows: after } = await admin.query(LEFT);
      ends.push({ said, months: ensured.exitCode, archived: archived.exitCode, before, after });
      const check = await aisec('partitions check --keys --json', schema);
      const { findings } = JSON.parse(check.stdout) as { readonly findings: readonly { readonly kind: string }[] };
      expect(findings.filter(({ kind }) => kind !== 'drained-table')).toEqual([]);
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[1]).toMatchObject({ archived: 0, after: [{ messages: '0', keys: '0' }] });
  });

  test('who is not handed on to the worker is refused, and does not see nothing', async () => {
    await admin.query(`set search_path = ${tenant}, public`);
    await admin.query(`insert into conversations (user_id, title) values ('${ANN}', 'there')`);
    await admin.query('begin; set local role authenticated');
    await admin.query("select set_config('app.current_user_id', $1, true)", [ANN]);
    await expect(admin.query('select from conversations')).rejects.toThrow('no user is set on this node');
    await admin.query('rollback');
  });

  test('what would be wrong there is refused before it looks', async () => {
    expectError(
      await aisec('monitor indexes', tenant),
      2,
      'aisec monitor indexes does not work in a schema that Citus has distributed',
    );
  });

  test('a schema that is missing, and public, are refused by name', async () => {
    for (const words of ['tenant distribute', 'tenant undistribute']) {
      expectError(await aisec(words, 'nope'), 2, 'there is no schema "nope"');
      expectError(await aisec(words, 'public'), 2, 'Citus does not distribute the schema public');
    }
  });

  test('later migrations run on the worker, whole or not at all', async () => {
    const good = `create table invoices (id uuid primary key, user_id uuid references users (id));
create index idx_invoices_user_id on invoices (user_id);
alter table invoices enable row level security;
create policy own on invoices to authenticated using (user_id = aisec_acting_user());`;
    const bad = `create table notes (id uuid primary key, user_id uuid);
create policy own on notes to authenticated using (user_id = (select current_user_id()));`;
    const directory = writeMigrations({ '0001_invoices': good, '0002_notes': bad });
    const env = { AISEC_MIGRATIONS_DIR: `app=${directory}` };
    expectError(await aisec('migrate up --to app/0002_notes', tenant, env), 1, 'migration app/0002_notes');
    const { rows } = await admin.query<{ name: string }>(
      "select relname as name from pg_class where relnamespace = $1::regnamespace and relname in ('invoices', 'notes')",
      [tenant],
    );
    expect(rows).toEqual([{ name: 'invoices' }]);
  });

  test('a schema with rows is distributed later, all of them, or stays as it was', async () => {
    await admin.query(`set search_path = ${later}, public`);
    await admin.query(PEOPLE);
    await admin.query('create policy mine on users using (id = (select current_user_id()))');
    for (const words of ['tenant distribute --dry-run', 'tenant distribute'])
      expectError(await aisec(words, later), 2, 'Citus takes no policy with a subquery: mine on users');
    expect(await nodeOf(later)).toBeUndefined();
    await admin.query('drop policy mine on users');
    const plan = await aisec('tenant distribute --dry-run', later);
    expect(plan).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('dry run, rolled back; schema') });
    expect(await nodeOf(later)).toBeUndefined();
    const run = await aisec('tenant distribute --json', later);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ isMoved: true, node: await nodeOf(later) });
    expect((await admin.query('select from users')).rowCount).toBe(2);
    expect((await aisec('tenant distribute', later)).stderr).toContain('is distributed already');
  });
});
