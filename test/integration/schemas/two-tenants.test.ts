import { randomBytes } from 'node:crypto';

import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { createCache, createDatabase, withUser } from '../../../src/index.js';
import type { DB } from '../../../src/schema/index.js';
import { chance, rounds } from '../../support/chance.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { killedAt } from '../../support/kill-at-statement.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';

const USER = '10000000-0000-4000-8000-000000000001';

interface Document {
  readonly schemas: readonly { readonly schema: string; readonly summary: string }[];
}

describeOnServer('two tenants in one database', () => {
  const role = `aisec_test_tenants_${randomBytes(4).toString('hex')}`;
  const open: Kysely<DB>[] = [];
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  let url = '';

  const serviceIn = (schema: string): Kysely<DB> => {
    const db = createDatabase<DB>({ url, schema, poolSize: 1, maxOverflow: 0 });
    open.push(db);
    return db;
  };
  const titlesOf = (db: Kysely<DB>): Promise<readonly (string | null)[]> =>
    withUser(db, USER, async (trx) =>
      (await trx.selectFrom('conversations').select('title').orderBy('title').execute()).map(({ title }) => title),
    );

  beforeAll(async () => {
    database = await createServerDatabase();
    env = { DATABASE_URL: database.url };
    expect(await runInProcess(['migrate', 'up', '--schema', 'tenant_a,tenant_b'], { env })).toMatchObject({
      exitCode: 0,
    });
    await database.admin.query(`create role ${role} login`);
    await database.admin.query(`grant authenticated to ${role} with inherit false, set true`);
    await database.admin.query(`grant usage on schema tenant_a, tenant_b to ${role}`);
    // The same person in both, which is as near as two tenants can come.
    for (const schema of ['tenant_a', 'tenant_b'])
      await database.admin.query(`
        insert into ${schema}.users (id, username, email, password_hash) values ('${USER}', 'u', 'u@x', 'h');
        insert into ${schema}.conversations (user_id, title) values ('${USER}', 'of ${schema}');
        insert into ${schema}.system_settings (key, value) values ('limit', '"of ${schema}"')`);
    url = Object.assign(new URL(database.url), { username: role }).href;
  });
  afterAll(async () => {
    await Promise.all(open.map((db) => db.destroy()));
    await database.admin.query(`drop owned by ${role}; drop role ${role}`);
  });

  test.each([
    ['partitions ensure --ahead 5', '2 months made'],
    ['partitions check', 'no findings'],
    ['archive', 'nothing to archive'],
    ['migrate verify', '23 files are as recorded, 0 not'],
    ['monitor record', 'recorded'],
    ['monitor tables', /^23 tables, \d/],
    ['doctor --only sequences', 'no findings'],
  ])('have aisec %s run in both at once', async (command, summary) => {
    const run = await runInProcess([...command.split(' '), '--schema', 'tenant_*', '--json'], { env });
    expect(run).toMatchObject({ exitCode: 0 });
    const { schemas } = JSON.parse(run.stdout) as Document;
    expect(schemas.map(({ schema }) => schema)).toEqual(['tenant_a', 'tenant_b']);
    for (const each of schemas) expect(each.summary).toMatch(summary);
  });

  test('have doctor look at the server once, and name what it finds there apart', async () => {
    const run = await runInProcess(['doctor', '--schema', 'tenant_a,tenant_b', '--json'], { env });
    const { schemas } = JSON.parse(run.stdout) as {
      readonly schemas: readonly {
        readonly summary: string;
        readonly result: {
          readonly findings: readonly { readonly id: string }[];
          readonly notApplicable: readonly { readonly check: string; readonly reason: string }[];
        };
      }[];
    };
    const [first, second] = schemas;
    // The summary names the first three: a role of another test may be among them.
    expect(first?.summary).toContain('of the database: ');
    // A directory of backups that is not there is the same for both.
    expect(first?.result.findings).toContainEqual(expect.objectContaining({ check: 'backup-state' }));
    expect(second?.summary).not.toContain('of the database');
    expect(second?.result.findings.some(({ id }) => /^(backup-state|setting-|version-|lock)/.test(id))).toBe(false);
    expect(second?.result.notApplicable).toContainEqual(
      expect.objectContaining({
        check: 'backup-state',
        reason: 'it is the same in all schemas, and looked at in the first one',
      }),
    );
  });

  test('read and write their own rows through createDatabase and withUser, on connections that are used again and again', async () => {
    const [a, b] = [serviceIn('tenant_a'), serviceIn('tenant_b')];
    for (const round of [1, 2]) {
      expect(await titlesOf(a)).toHaveLength(round);
      expect(await titlesOf(b)).toEqual(['of tenant_b']);
      await withUser(a, USER, (trx) =>
        trx
          .insertInto('conversations')
          .values({ user_id: USER, title: `round ${round}` })
          .execute(),
      );
    }
    const { rows } = await database.admin.query(
      'select (select count(*)::int from tenant_a.conversations) as a, (select count(*)::int from tenant_b.conversations) as b',
    );
    expect(rows).toEqual([{ a: 3, b: 1 }]);
  });

  test('are not in the search_path of each other, also after a statement has changed it', async () => {
    const db = serviceIn('tenant_a');
    const { sql } = await import('kysely');
    const pathOf = async (): Promise<unknown> => (await sql`show search_path`.execute(db)).rows;
    expect(await pathOf()).toEqual([{ search_path: '"tenant_a", "public", pg_temp' }]);
    await sql`set search_path = tenant_b`.execute(db);
    expect(await titlesOf(db)).toContain('of tenant_a');
    expect(await pathOf()).toEqual([{ search_path: '"tenant_a", "public", pg_temp' }]);
  });

  test('hear of their own changes only, through createCache', async () => {
    const redisUrl = inject('redisUrl') ?? undefined;
    const [a, b] = ['tenant_a', 'tenant_b'].map((schema) => createCache({ url, schema, redisUrl, aliveForMs: 1000 }));
    if (a === undefined || b === undefined) throw new Error('no caches');
    try {
      expect(await Promise.all([a.ready(60_000), b.ready(60_000)])).toEqual([true, true]);
      expect((await a.setting('limit'))?.value).toBe('of tenant_a');
      expect((await b.setting('limit'))?.value).toBe('of tenant_b');
      await database.admin.query(`update tenant_b.system_settings set value = '"changed"' where key = 'limit'`);
      await waitFor(async () => (await b.setting('limit'))?.value === 'changed');
      expect((await a.setting('limit'))?.value).toBe('of tenant_a');
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test('of a name that PostgreSQL would cut are refused', () => {
    expect(() => createDatabase({ url, schema: 'x'.repeat(64) })).toThrow('cannot be used as the schema');
  });

  test('aisec archive that was killed at any statement is run again over both, and every message is there once', async () => {
    await database.admin.query(`do $$ declare tenant text; begin
      foreach tenant in array array['tenant_a', 'tenant_b'] loop
        perform set_config('search_path', tenant || ', public', true);
        perform aisec_make_message_partitions(array[date '2024-01-01', date '2024-02-01']);
        insert into messages (conversation_id, role, content, created_at)
        select c.id, 'user', 'm' || n, timestamptz '2024-01-15 00:00Z' + n * interval '1 day'
        from (select id from conversations limit 1) as c, generate_series(1, 30) as n;
      end loop; end $$`);
    const args = ['archive', '--schema', 'tenant_a,tenant_b', '--jobs', '2', '--wait', '20s'];
    const random = chance();
    for (let kill = 0; kill < rounds(2, 12); kill += 1) await killedAt(10 + Math.floor(random() * 90), { args, env });
    expect(await runInProcess(args, { env })).toMatchObject({ exitCode: 0 });
    for (const schema of ['tenant_a', 'tenant_b']) {
      const { rows } = await database.admin.query(`select
        (select count(*)::int from ${schema}.messages where created_at < '2024-03-01') as live,
        (select count(distinct id)::int from ${schema}.messages_archive) as archived,
        (select count(*)::int from ${schema}.all_messages) = (select count(*)::int from ${schema}.message_keys) as have_keys`);
      expect({ schema, ...rows[0] }).toEqual({ schema, live: 0, archived: 30, have_keys: true });
    }
  });
});
