import path from 'node:path';

import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import { createDatabase, withUser } from '../../../src/index.js';
import type { DB } from '../../../src/schema/index.js';
import { describeOnCitus } from '../../support/citus.js';
import { createEmbeddedDirectory } from '../../support/database.js';
import { expectError } from '../../support/expect-error.js';
import { killedAt } from '../../support/kill-at-statement.js';
import { runPsql } from '../../support/run-psql.js';

describeOnCitus('a tenant of Citus, lost and moved', (citus) => {
  const { url, admin, aisec, schema, setSharding, nodeOf, rowsOf } = citus;
  const [tenant, other] = [schema('t'), schema('o')];
  let file = '';
  let rows: Readonly<Record<string, number>> = {};

  /** What someone sees of the own messages, as a service asks. */
  async function seen(): Promise<string> {
    const { rows: people } = await admin.query<{ id: string }>(
      `select user_id as id from ${tenant}.conversations group by user_id order by count(*) desc, user_id limit 1`,
    );
    const db = createDatabase<DB>({ url, schema: tenant, poolSize: 1, maxOverflow: 0 });
    try {
      return await withUser(db, people[0]?.id ?? '', async (trx) => {
        const { count } = await trx
          .selectFrom('all_messages')
          .select((of) => of.fn.countAll<string>().as('count'))
          .executeTakeFirstOrThrow();
        return count;
      });
    } finally {
      await db.destroy();
    }
  }

  beforeAll(async () => {
    await setSharding('on');
    for (const each of [tenant, other]) expect(await aisec('migrate up', each)).toMatchObject({ exitCode: 0 });
    await aisec('seed demo --users 6 --messages 600 --embeddings 30 --months 3', tenant);
    await aisec('seed demo --users 3 --messages 60 --embeddings 3 --months 2', other);
    rows = await rowsOf(tenant);
    expect(rows).toMatchObject({ users: 6, messages: 600 });
    const directory = path.join(await createEmbeddedDirectory(), 'backups');
    const backup = await aisec(`backup --json --dir ${directory}`, tenant);
    expect(backup).toMatchObject({ exitCode: 0 });
    file = (JSON.parse(backup.stdout) as { readonly file: string }).file;
  });

  test('is restored from a backup beside the others, on a node again, with the rows that it had', async () => {
    const [before, beside] = [await seen(), await rowsOf(other)];
    await admin.query(`delete from ${tenant}.api_usage`);
    const refused = await aisec(`tenant restore ${file}`, tenant);
    expectError(refused, 3, 'cannot restore to database', `schema "${tenant}" is there, with`);
    const [, fix = '', kept = ''] = /(alter schema \S+ rename to (\S+);)/.exec(refused.stderr) ?? [];
    await runPsql(url, fix);
    schema(kept.replaceAll('"', '').replace(/^aisec_test_[0-9a-f]{8}_/, ''));
    const plan = await aisec(`tenant restore ${file} --dry-run`, tenant);
    expect(plan).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('dry run, rolled back; schema') });
    expect((await admin.query('select to_regnamespace($1) as found', [tenant])).rows).toEqual([{ found: null }]);
    const run = await aisec(`tenant restore ${file} --json`, tenant);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ schema: tenant, node: await nodeOf(tenant) });
    expect(await nodeOf(tenant)).toBeDefined();
    expect(await rowsOf(tenant)).toEqual(rows);
    expect(await seen()).toBe(before);
    expect(await rowsOf(other)).toEqual(beside);
    for (const words of ['partitions check --keys', 'migrate verify', 'doctor --only citus,partitions,security'])
      expect(await aisec(words, tenant)).toMatchObject({ exitCode: 0 });
  });

  test('is restored from a backup that was taken while it was written to', async () => {
    const writer = new pg.Client({ connectionString: url });
    await writer.connect();
    let isOver = false;
    const writing = (async () => {
      for (let number = 0; !isOver; number += 1)
        await writer.query(
          `insert into ${other}.users (username, email, password_hash) values ('w${number}', 'w${number}@x', 'h')`,
        );
    })();
    const directory = path.join(await createEmbeddedDirectory(), 'backups');
    const backup = await aisec(`backup --json --dir ${directory}`, other);
    isOver = true;
    await writing;
    await writer.end();
    const { file: written } = JSON.parse(backup.stdout) as { readonly file: string };
    await admin.query(`alter schema ${other} rename to ${schema('k')}`);
    expect(await aisec(`tenant restore ${written}`, other)).toMatchObject({ exitCode: 0 });
    expect(await nodeOf(other)).toBeDefined();
  });

  test('that the backup does not have is not made', async () => {
    expectError(await aisec(`tenant restore ${file}`, schema('x')), 2, 'the backup has no schema');
  });

  test('comes back to the coordinator with its rows, and to a node again', async () => {
    const [before, node] = [await seen(), await nodeOf(tenant)];
    const plan = await aisec('tenant undistribute --dry-run', tenant);
    expect(plan.stderr).toContain(`schema ${tenant} would be brought back from ${node}`);
    expect(await nodeOf(tenant)).toBe(node);
    const run = await aisec('tenant undistribute --json', tenant);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ isMoved: true, node });
    expect(await nodeOf(tenant)).toBeUndefined();
    expect(await rowsOf(tenant)).toEqual(rows);
    expect(await seen()).toBe(before);
    expect((await aisec('tenant undistribute', tenant)).stderr).toContain('lies on the coordinator already');
    expect(await aisec('migrate drift', tenant)).toMatchObject({ exitCode: 3 });
    await runPsql(url, (await aisec('migrate drift --sql', tenant)).stdout);
    expect(await aisec('migrate drift', tenant)).toMatchObject({ exitCode: 0 });
    const check = await aisec('partitions check --json', tenant);
    const { findings } = JSON.parse(check.stdout) as { readonly findings: readonly { readonly fix: string }[] };
    await runPsql(url, findings.map(({ fix }) => fix).join('\n'));
    expect(await aisec('partitions check', tenant)).toMatchObject({ exitCode: 0 });
    expect(await seen()).toBe(before);
    expect(await aisec('tenant distribute', tenant)).toMatchObject({ exitCode: 0 });
    expect(await rowsOf(tenant)).toEqual(rows);
    expect(await seen()).toBe(before);
  });

  test('stays where it is when the run is killed, and comes back with the next one', async () => {
    const node = await nodeOf(other);
    const beside = await rowsOf(other);
    const args = ['tenant', 'undistribute', '--schema', other];
    // The tables are locked, counted and dumped by then.
    const killed = await killedAt(60, { args, env: { DATABASE_URL: url } });
    expect(killed.exitCode).not.toBe(0);
    expect(await nodeOf(other)).toBe(node);
    expect(await rowsOf(other)).toEqual(beside);
    expect(await aisec('tenant undistribute --wait 30s', other)).toMatchObject({ exitCode: 0 });
    expect(await nodeOf(other)).toBeUndefined();
    expect(await rowsOf(other)).toEqual(beside);
    expect(await aisec('tenant distribute', other)).toMatchObject({ exitCode: 0 });
  });

  test('is not brought back while another schema needs its tables', async () => {
    const beside = schema('v');
    await admin.query(`create schema ${beside}`);
    await setSharding('on');
    await admin.query(`create view ${beside}.people as select id from ${other}.users`);
    expectError(
      await aisec('tenant undistribute', other),
      2,
      `other schemas need tables of "${other}": ${beside}.people`,
    );
    await admin.query(`drop view ${beside}.people`);
  });

  test('is shown with its node and size, and with the statement that balances the nodes', async () => {
    interface Tenants {
      readonly rebalance: string | null;
      readonly nodes: readonly { readonly node: string; readonly tenants: number }[];
      readonly tenants: readonly {
        readonly schema: string;
        readonly node: string;
        readonly totalBytes: number;
        readonly moveTo: string | null;
        readonly sql: string | null;
      }[];
    }
    const read = async (): Promise<Tenants> =>
      JSON.parse((await aisec('monitor tenants --json', tenant)).stdout) as Tenants;
    const ofSchema = ({ tenants }: Tenants, name: string) => tenants.find((each) => each.schema === name);
    const found = await read();
    const { rows: sizes } = await admin.query<{ bytes: string }>(
      `select sum(citus_total_relation_size(logicalrelid))::text as bytes from pg_dist_partition
       join pg_class on pg_class.oid = logicalrelid where relnamespace = $1::regnamespace`,
      [tenant],
    );
    expect(ofSchema(found, tenant)).toMatchObject({ node: await nodeOf(tenant) });
    expect(ofSchema(found, tenant)?.totalBytes).toBe(Number(sizes[0]?.bytes));
    // All on one node: by their sizes Citus moves some.
    const [full = ''] = found.nodes.map(({ node }) => node);
    const [host, port] = full.split(':');
    for (const each of found.tenants.filter(({ node }) => node !== full))
      await admin.query("select citus_schema_move($1::regnamespace, $2, $3::int, 'block_writes')", [
        each.schema,
        host,
        port,
      ]);
    const uneven = await read();
    expect(uneven.nodes.map(({ tenants }) => tenants)).toEqual([found.tenants.length, 0]);
    expect(uneven.rebalance).toBe('select citus_rebalance_start();');
    const moved = uneven.tenants.find(({ sql }) => sql !== null);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(moved?.sql ?? '');
    await client.end();
    expect(ofSchema(await read(), moved?.schema ?? '')?.node).toBe(moved?.moveTo);
    expect(await rowsOf(tenant)).toEqual(rows);
  });
});
