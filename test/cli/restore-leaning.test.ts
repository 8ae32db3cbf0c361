import path from 'node:path';

import { expect, test } from 'vitest';

import { compareCatalogs } from '../../src/features/backup/verify/compare-catalogs.js';
import { snapshotOf } from '../support/catalog.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup, withoutVersionWarning } from '../support/take-backup.js';

const USER = '00000000-0000-4000-8000-000000000001';
const CONVERSATION = '10000000-0000-4000-8000-000000000001';
const PLATFORM = [
  `insert into users (id, username, email, password_hash) values ('${USER}', 'u', 'u@example.com', 'x')`,
  `insert into conversations (id, user_id) values ('${CONVERSATION}', '${USER}')`,
  `insert into messages (conversation_id, role, content)
   select '${CONVERSATION}', 'user', 'message ' || n from generate_series(1, 50) n`,
];
const SHOP = [
  'create table customers (id int primary key, name text unique)',
  'create table orders (id int primary key, customer int references customers, parent int references orders)',
  'create table notes (id int primary key, orders int references orders)',
  `insert into customers select n, 'c' || n from generate_series(1, 3) n`,
  'insert into orders values (1, 1, null), (2, 2, 1), (3, 3, 2), (4, 3, 3)',
  'insert into notes values (1, 1), (2, 4)',
  'create view "busy ones" as select customer, count(*) as orders from orders group by customer',
  'comment on view "busy ones" is $$it leans$$',
  'create rule keep as on delete to "busy ones" do instead nothing',
  'create materialized view totals as select * from "busy ones"',
  'create unique index totals_customer on totals (customer)',
  'create function newest() returns setof orders language sql begin atomic select * from orders order by id desc limit 1; end',
  'alter table notes enable row level security',
  'create policy of_orders on notes using (exists (select from orders where orders.id = notes.orders))',
  'comment on policy of_orders on notes is $$it leans, too$$',
  'create publication changes for table orders (id, customer) where (id > 0), notes',
];

describeOnServer('aisec restore --table and what leaned on the table', () => {
  const made = async (
    statements: readonly string[],
    options: { readonly migrated?: boolean } = {},
  ): Promise<{
    readonly url: string;
    readonly query: (sql: string) => Promise<readonly Record<string, unknown>[]>;
    readonly restore: (args: readonly string[]) => Promise<CliResult>;
  }> => {
    const database = await createServerDatabase(options);
    for (const sql of statements) await database.admin.query(sql);
    const file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(database.url, file);
    return {
      url: database.url,
      query: async (sql) => (await database.admin.query(sql)).rows,
      restore: (args) => runInProcess(['restore', file, ...args], { env: { DATABASE_URL: database.url } }),
    };
  };

  test('users see their messages again when a dropped table of the platform is back', async () => {
    const { url, query, restore } = await made(PLATFORM, { migrated: true });
    const wanted = await snapshotOf(url);
    await query('drop table conversations cascade');
    const plan = await restore(['--table', 'conversations', '--dry-run']);
    expect(plan).toMatchObject({ exitCode: 0 });
    expect(plan.stdout).toContain('policy public.messages user_messages_policy');
    expect(plan.stdout).toContain('fk constraint public.messages messages_conversation_id_fkey');
    expect(await query("select to_regclass('conversations') as there")).toEqual([{ there: null }]);

    const result = await restore(['--table', 'conversations']);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(withoutVersionWarning(result.stderr)).not.toContain('warning');
    expect(compareCatalogs(wanted, await snapshotOf(url), { withGrants: true })).toEqual([]);
    await query('begin');
    await query('set local role authenticated');
    await query(`set local app.current_user_id = '${USER}'`);
    expect(await query('select count(*)::int as n from messages')).toEqual([{ n: 50 }]);
    await query('rollback');
  });

  test('views, functions, keys in both directions, policies and publications come back, whoever they belong to', async () => {
    const { url, query, restore } = await made(SHOP);
    const wanted = await snapshotOf(url);
    const leaning = `
      select (select count(*)::int from pg_publication_rel where prqual is not null) as filters,
        (select count(*)::int from pg_rewrite where rulename = 'keep') as rules,
        (select count(*)::int from totals) as totals,
        obj_description('"busy ones"'::regclass) as view_comment,
        (select obj_description(oid, 'pg_policy') from pg_policy) as policy_comment`;
    const before = await query(leaning);
    await query('drop table orders cascade');
    expect(await restore(['--table', 'orders'])).toMatchObject({ exitCode: 0 });
    expect(compareCatalogs(wanted, await snapshotOf(url), { withGrants: true })).toEqual([]);
    expect(await query(leaning)).toEqual(before);
    expect(before).toEqual([
      { filters: 1, rules: 1, totals: 3, view_comment: 'it leans', policy_comment: 'it leans, too' },
    ]);
  });

  test('a partition comes back to the table that it was of, with partitions of its own and the keys to that table', async () => {
    const { url, query, restore } = await made([
      'create table months (year int, month int, primary key (year, month)) partition by list (year)',
      'create index on months (month)',
      'create table year_1 partition of months for values in (1) partition by list (month)',
      'create table year_1_1 partition of year_1 for values in (1)',
      'create table year_2 partition of months for values in (2)',
      'create table days (year int, month int, foreign key (year, month) references months)',
      'insert into months values (1, 1), (2, 2)',
      'insert into days values (1, 1), (2, 2)',
    ]);
    const wanted = await snapshotOf(url);
    for (const table of ['year_2', 'year_1', 'year_1_1']) {
      await query(`drop table ${table} cascade`);
      expect(await restore(['--table', table])).toMatchObject({ exitCode: 0 });
      expect(compareCatalogs(wanted, await snapshotOf(url), { withGrants: true })).toEqual([]);
      expect(await query('select count(*)::int as n from months')).toEqual([{ n: 2 }]);
    }
  });

  test('a table comes back beside what it needs of a foreign server, of text search and of operators', async () => {
    const { url, query, restore } = await made([
      'create foreign data wrapper nowhere',
      'create server away foreign data wrapper nowhere',
      'create foreign table "far" (id int) server away',
      'create text search configuration words (copy = simple)',
      `create table "far away" (id int, text text, terms tsvector generated always as (to_tsvector('words', text)) stored)`,
      'create operator class mine for type int using btree as operator 3 =, function 1 btint4cmp(int, int)',
      'create index on "far away" (id mine)',
    ]);
    const wanted = await snapshotOf(url);
    await query('drop table "far away"');
    expect(await restore(['--table', '"far away"'])).toMatchObject({ exitCode: 0 });
    await query('drop foreign table "far"');
    expect(await restore(['--table', 'far'])).toMatchObject({ exitCode: 0 });
    expect(compareCatalogs(wanted, await snapshotOf(url), { withGrants: true })).toEqual([]);
  });

  test('what needs another missing table, too, is named, and comes back with that', async () => {
    const { query, restore } = await made(SHOP);
    await query('drop table orders, customers cascade');
    await query('create table customers (id int primary key)');
    await query('insert into customers values (1), (2), (3)');
    await query('drop table notes');
    for (const more of [['--dry-run'], []]) {
      const result = await restore(['--table', 'orders', ...more]);
      expect(result).toMatchObject({ exitCode: 0 });
      expect(result.stderr).toMatch(/policy public\.notes of_orders is missing, too, .* it needs table public\.notes/);
    }
    expect(await restore(['--table', 'notes'])).toMatchObject({
      exitCode: 0,
      stderr: expect.not.stringContaining('warning'),
    });
    expect(await query("select from pg_policies where policyname = 'of_orders'")).toHaveLength(1);
  });

  test('a column of another table that a cascade took along is named with what makes it again, and the exit code says so', async () => {
    const { query, restore } = await made(
      [...SHOP, 'create table parcels (id int primary key, "of" orders, "so" orders[])'],
      {
        migrated: true,
      },
    );
    await query('drop table orders cascade');
    expect(await query('select * from parcels')).toEqual([]);
    for (const more of [['--dry-run'], []]) {
      const result = await restore(['--table', 'orders', '--json', ...more]);
      expect(result).toMatchObject({ exitCode: 3 });
      expect(JSON.parse(result.stdout)).toMatchObject({
        missing: ['column "of" of table public.parcels', 'column "so" of table public.parcels'],
      });
      const [, fix = ''] = /(alter table \S+ add column "so" \S+;)/.exec(result.stderr) ?? [];
      expect(fix).toBe('alter table public.parcels add column "so" orders[];');
    }
    await query('alter table "public"."parcels" add column "of" orders');
    await query('alter table "public"."parcels" add column "so" orders[]');
    await query('drop table orders cascade');
    await query('alter table parcels add column "of" text, add column "so" text');
    // It has all its columns by now, whatever they are of.
    expect(await restore(['--table', 'orders'])).toMatchObject({ exitCode: 0 });
  });

  test('rows whose target is gone are named before anything is changed, and are left out or kept as asked', async () => {
    const { query, restore } = await made(SHOP);
    await query('drop table orders cascade');
    await query('delete from customers where id = 2');
    for (const more of [['--dry-run'], []]) {
      const refused = await restore(['--table', 'orders', ...more]);
      expectError(
        refused,
        3,
        'cannot restore to ',
        '1 row of "public"."orders" refers to missing rows of "public"."customers"',
      );
      expect(refused.stderr).toContain('--dangling leave-out');
    }
    expect(await query("select to_regclass('orders') as there")).toEqual([{ there: null }]);

    // Order 2 goes with its customer, 3 with order 2, 4 with 3; and then a note that is there refers to nothing.
    const notes = await restore(['--table', 'orders', '--dangling', 'leave-out']);
    expectError(notes, 3, 'cannot restore to ', '1 row of "public"."notes" refers to missing rows');
    await query('delete from notes where orders = 4');
    const left = await restore(['--table', 'orders', '--dangling', 'leave-out', '--json']);
    expect(left).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(left.stdout)).toMatchObject({ rows: 1 });
    expect(await query('select id from orders')).toEqual([{ id: 1 }]);

    await query('drop table orders cascade');
    const kept = await restore(['--table', 'orders', '--dangling', 'not-valid']);
    expect(kept).toMatchObject({ exitCode: 0 });
    expect(kept.stderr).toContain('not valid: 1 row of "public"."orders"');
    expect(await query('select count(*)::int as n from orders')).toEqual([{ n: 4 }]);
    expect(await query('select conname::text as name from pg_constraint where not convalidated')).toEqual([
      { name: 'orders_customer_fkey' },
    ]);
  });

  test('names that a renamed table still has are named, each with what frees it', async () => {
    const { query, restore } = await made(SHOP);
    await query('alter table customers rename to customers_bad');
    for (const more of [['--dry-run'], []]) {
      const refused = await restore(['--table', 'customers', ...more]);
      expectError(refused, 3, 'cannot restore to ', 'alter index "public"."customers_name_key" rename to');
    }
    await query('alter index customers_name_key rename to customers_name_key_old');
    await query('alter index customers_pkey rename to customers_pkey_old');
    const result = await restore(['--table', 'customers']);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain('fk constraint public.orders orders_customer_fkey is there and stays as it is');
    expect(await query('select count(*)::int as n from customers')).toEqual([{ n: 3 }]);
  });
});
