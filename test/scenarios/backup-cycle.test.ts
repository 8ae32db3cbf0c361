import { afterAll, expect, test } from 'vitest';

import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';

const SHOP = `
  create table customers (id int generated always as identity primary key, name text unique not null);
  create table orders (id int, customer_id int not null references customers, made date not null, primary key (id, made))
    partition by range (made);
  create table orders_2026 partition of orders for values from ('2026-01-01') to ('2027-01-01');
  create table places (name text, people int);
  create table towns (mayor text, primary key (name)) inherits (places);
  alter table towns alter people set not null;
  create table near (id int);
  create foreign data wrapper away;
  create server away foreign data wrapper away;
  create foreign table far () inherits (near) server away;
  create view order_counts as select customer_id, count(*) as orders from orders group by 1;
  alter table customers enable row level security;
  create policy own on customers using (name = current_setting('app.customer', true));
  insert into towns values ('kamakura', 170000, 'x');
  insert into customers (name) values ('alice'), ('bob');
  insert into orders select n, 1 + n % 2, '2026-03-01' from generate_series(1, 300) n;
  select lo_create(4711), lo_from_bytea(4712, 'a large object')`;

describeOnServer('a database that is none of the platform', () => {
  const made: string[] = [];
  let admin: Awaited<ReturnType<typeof createServerDatabase>>['admin'];
  afterAll(async () => {
    for (const name of made) await admin.query(`drop database if exists "${name}" with (force)`);
  });

  test('is backed up, verified, drilled, and restored whole, by table and by row, whatever the versions', async () => {
    const database = await createServerDatabase();
    ({ admin } = database);
    await admin.query(SHOP);
    const env = { DATABASE_URL: database.url, AISEC_BACKUP_DIR: await createEmbeddedDirectory() };
    const aisec = async (...args: readonly string[]): Promise<string> => {
      const run = await runInProcess(args, { env });
      expect(run, `aisec ${args.join(' ')}\n${run.stderr}`).toMatchObject({ exitCode: 0 });
      return run.stdout;
    };
    const count = async (sql: string): Promise<unknown> => (await admin.query(`select ${sql} as n`)).rows[0].n;
    const { file } = JSON.parse(await aisec('backup', '--json'));
    expect(JSON.parse(await aisec('backup', 'verify', file, '--deep', '--json')).results).toMatchObject([
      { verdict: 'good' },
    ]);
    const byJobs = JSON.parse(await aisec('backup', '--jobs', '2', '--json'));
    expect(byJobs).toMatchObject({ jobs: 2, rows: 303 });
    expect(JSON.parse(await aisec('backup', 'verify', byJobs.file, '--deep', '--json')).results).toMatchObject([
      { verdict: 'good' },
    ]);
    // Of the newest one, that of two jobs.
    expect(JSON.parse(await aisec('backup', 'drill', '--json')).drills).toMatchObject([{ isPassed: true, rows: 303 }]);
    await aisec('backup', 'check', '--max-age', '1h', '--max-drill-age', '1h');

    made.push(`${database.name}_new`);
    expect(JSON.parse(await aisec('restore', file, '--create', `${database.name}_new`, '--json'))).toMatchObject({
      rows: 303,
    });
    await admin.query('drop table customers cascade');
    await aisec('restore', file, '--table', 'customers');
    expect(
      await count(
        "(select count(*)::int from pg_policy) + (select count(*)::int from pg_constraint where contype = 'f' and conparentid = 0)",
      ),
    ).toBe(2);
    await admin.query('delete from orders where customer_id = 1; delete from customers where id = 1');
    await aisec('restore', file, '--rows', "customers where name = 'alice'");
    expect(await count('(select sum(orders)::int from order_counts)')).toBe(300);
    await aisec('restore', file, '--table', 'orders', '--as', 'orders_before');
    expect(await count('(select count(*)::int from orders_before)')).toBe(300);
    await aisec('restore', file, '--table', 'towns', '--as', 'towns_before');
    await admin.query('drop table towns');
    await aisec('restore', file, '--table', 'towns');
    expect(
      await count(
        "(select count(*)::int from pg_attribute where attrelid in ('towns'::regclass, 'towns_before'::regclass) and attnum > 0 and attnotnull)",
      ),
    ).toBe(4);
    expect(await count('(select count(*)::int from places)')).toBe(1);
  });
});
