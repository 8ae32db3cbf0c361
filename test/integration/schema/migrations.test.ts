import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CatalogSnapshot } from '../../../src/adapters/catalog/catalog.js';
import { diffCatalogs } from '../../../src/adapters/catalog/diff.js';
import { renderDifference } from '../../../src/adapters/catalog/difference.js';
import { readCatalog } from '../../../src/adapters/catalog/snapshot.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import { migrateDown } from '../../../src/features/migrate/down.js';
import { readMigrationFolder } from '../../../src/features/migrate/files/migration-folder.js';
import { migrateUp } from '../../../src/features/migrate/up.js';
import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { catalogOf, openTestSession, withSession } from '../catalog/catalog-session.js';

const root = path.join(import.meta.dirname, '..', '..', '..');
const files = await readMigrationFolder(path.join(root, 'migrations'), root);
const settings = {
  files,
  schema: 'public',
  extensionSchema: 'public',
  lockTimeoutMs: 2000,
  maxWaitMs: 10_000,
  waitMs: 0,
};
const warnings: string[] = [];
const reporting = { onProgress: () => undefined, onWarning: (text: string) => void warnings.push(text) };

function up(session: Session, to?: string): Promise<unknown> {
  return migrateUp(session, { ...settings, to, allowsLate: false }, reporting);
}

function down(session: Session, target: 'one' | 'all'): Promise<unknown> {
  return migrateDown(session, { ...settings, target: { kind: target } }, () => Promise.resolve(), reporting);
}

function lines(before: CatalogSnapshot, after: CatalogSnapshot): readonly string[] {
  return diffCatalogs(before, after).map(renderDifference);
}

/** Every object outside of the system schemas in PostgreSQL's own words, and every privilege. */
async function rawState(session: Session): Promise<readonly unknown[]> {
  const { rows } = await session.query(`
    with objects as (
      select 'pg_class'::regclass::oid as class_id, oid, relacl::text as acl from pg_class
      union all select 'pg_type'::regclass, oid, typacl::text from pg_type
      union all select 'pg_proc'::regclass, oid, proacl::text from pg_proc
      union all select 'pg_namespace'::regclass, oid, nspacl::text from pg_namespace
      union all select 'pg_constraint'::regclass, oid, null from pg_constraint
      union all select 'pg_trigger'::regclass, oid, null from pg_trigger
      union all select 'pg_policy'::regclass, oid, null from pg_policy
      union all select 'pg_attrdef'::regclass, oid, null from pg_attrdef
      union all select 'pg_rewrite'::regclass, oid, null from pg_rewrite
      union all select 'pg_extension'::regclass, oid, null from pg_extension
      union all select 'pg_default_acl'::regclass, oid, defaclacl::text from pg_default_acl
    )
    select identified.type, identified.identity, objects.acl
    from objects
    cross join pg_identify_object(objects.class_id, objects.oid, 0) as identified
    where objects.oid >= 16384 or identified.identity = 'public'
    order by 1, 2, 3`);
  return rows;
}

describeOnServer('The bundled migrations', () => {
  let database: ServerDatabase;

  beforeAll(async () => {
    database = await createServerDatabase();
    await database.admin.query('create extension vector; create extension pgcrypto');
    await database.admin.query(`
      do $$ begin create role authenticated nologin;
      exception when duplicate_object or unique_violation then null; end $$`);
  });

  test('go all the way up and down and leave nothing: no type, no privilege, no default privilege', async () => {
    await withSession(database.url, async (session) => {
      const before = await rawState(session);
      const catalog = await readCatalog(session, { schema: 'public' });
      await up(session);
      expect((await rawState(session)).length).toBeGreaterThan(before.length + 200);
      await down(session, 'all');
      expect(await rawState(session)).toEqual(before);
      expect(await readCatalog(session, { schema: 'public' })).toEqual(catalog);
    });
    expect(warnings).toEqual([]);
  });

  test('each takes back exactly what it made, and makes the same again', async () => {
    await withSession(database.url, async (session) => {
      const read = (): Promise<CatalogSnapshot> => readCatalog(session, { schema: 'public', withoutHistory: true });
      let before = await read();
      for (const { name } of files) {
        await up(session, name);
        const made = await read();
        await down(session, 'one');
        const reverted = await read();
        await up(session, name);
        const again = await read();
        expect({ name, left: lines(before, reverted), differs: lines(made, again) }).toEqual({
          name,
          left: [],
          differs: [],
        });
        before = again;
      }
      await down(session, 'all');
    });
  });
});

describeOnServer('The schema after all migrations', () => {
  let database: ServerDatabase;
  let catalog: CatalogSnapshot;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    catalog = await catalogOf(database.url, { schema: 'public', withoutHistory: true });
  });

  test('has a comment on every table, view and function', () => {
    const { tables, views, functions } = catalog;
    const bare = [tables, views, functions].flatMap((part) => part.filter(({ comment }) => !comment));
    expect(bare.map(({ name }) => name)).toEqual([]);
  });

  test('has a comment on every column but those of partitions, which are commented at their table', () => {
    const partitions = new Set(catalog.tables.filter(({ bound }) => bound !== null).map(({ name }) => name));
    const bare = catalog.columns.filter(({ table, comment }) => !comment && !partitions.has(table));
    expect(bare.map(({ table, name }) => `${table}.${name}`)).toEqual([]);
  });

  test('pins the search_path of every function to the schema, the extensions and pg_temp, or has its body parsed', () => {
    const path = 'search_path=$schema, $extensions, pg_temp';
    const loose = catalog.functions.filter(({ configuration }) => !configuration.includes(path));
    expect(loose.map(({ name }) => name)).toEqual(['current_user_id']);
    // As the server prints a body that it keeps parsed: names in it mean what they meant when it was made.
    expect(loose[0]?.body).toMatch(/^RETURN /);
  });

  test('lets PUBLIC do nothing but evaluate the expression of an index, which every insert does', () => {
    const open = catalog.grants.filter(({ grantee }) => grantee === 'PUBLIC');
    expect(open).toMatchObject([{ kind: 'function', object: 'aisec_text_terms', privileges: ['execute'] }]);
  });

  test('has only valid indexes and validated constraints', () => {
    expect(catalog.indexes.filter(({ valid }) => !valid).map(({ name }) => name)).toEqual([]);
    expect(catalog.constraints.filter(({ validated }) => !validated).map(({ name }) => name)).toEqual([]);
  });
});

describeOnServer('Three schemas in one database', () => {
  const others = ['app', 'My App'];
  let database: ServerDatabase;

  const migrate = async (...args: readonly string[]): Promise<void> => {
    const run = await runInProcess(['migrate', ...args], { env: { DATABASE_URL: database.url } });
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toMatchObject({ exitCode: 0 });
  };
  const read = (schema: string): Promise<CatalogSnapshot> => catalogOf(database.url, { schema });

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    for (const schema of others) await migrate('up', '--schema', schema);
  });

  test('are equal, whatever they are called', async () => {
    const first = await read('public');
    expect(first.tables.length).toBeGreaterThan(16);
    for (const schema of others) {
      const other = await read(schema);
      expect(lines(first, other)).toEqual([]);
      expect(other).toEqual(first);
    }
  });

  test('do not refer to each other', async () => {
    const { rows } = await database.admin.query(`
      select distinct describing.nspname as from_schema, described.nspname as to_schema
      from pg_constraint
      join pg_class as child on child.oid = pg_constraint.conrelid
      join pg_class as parent on parent.oid = pg_constraint.confrelid
      join pg_namespace as describing on describing.oid = child.relnamespace
      join pg_namespace as described on described.oid = parent.relnamespace
      where child.relnamespace <> parent.relnamespace
      union
      select namespace.nspname, setting
      from pg_proc
      join pg_namespace as namespace on namespace.oid = pronamespace
      cross join unnest(proconfig) as setting
      where nspname in ('app', 'My App')
        and setting like 'search_path=%'
        and setting not like 'search_path=' || quote_ident(nspname) || ', %'`);
    expect(rows).toEqual([]);
  });

  test('use their own tables and functions', async () => {
    const { admin } = database;
    for (const schema of ['public', ...others]) {
      const quoted = `"${schema}"`;
      await admin.query(
        `insert into ${quoted}.users (username, email, password_hash) values ('${schema}', 'a@example.com', ${quoted}.hash_password('x'))`,
      );
      await admin.query(`insert into ${quoted}.conversations (user_id) select id from ${quoted}.users`);
      await admin.query(
        `insert into ${quoted}.messages (conversation_id, role) select id, 'user' from ${quoted}.conversations`,
      );
      const { rows } = await admin.query(`
        select (select array_agg(username::text) from ${quoted}.users) as names,
               (select count(*)::int from ${quoted}.message_keys) as keys,
               (select count(*)::int from ${quoted}.messages_default) as strays`);
      expect(rows).toEqual([{ names: [schema], keys: 1, strays: 0 }]);
    }
  });

  test('go one at a time and leave the others as they were', async () => {
    const before = [await read('public'), await read('My App')];
    await migrate('down', '--all', '--yes', '--schema', 'app');
    expect(await read('public')).toEqual(before[0]);
    expect(await read('My App')).toEqual(before[1]);
    const left = await read('app');
    expect([left.tables, left.functions, left.views, left.grants, left.types, left.sequences].flat()).toEqual([]);

    await migrate('down', '--all', '--yes');
    expect(await read('My App')).toEqual(before[1]);
  });
});

describe('The embedded database', () => {
  let session: Session;
  let snapshot: CatalogSnapshot;

  beforeAll(async () => {
    const cwd = await createEmbeddedDirectory();
    expect((await runInProcess(['migrate', 'up', '--embedded'], { cwd })).exitCode).toBe(0);
    session = await openTestSession({ kind: 'embedded', dataDir: path.join(cwd, '.aisec', 'pgdata') });
    snapshot = await readCatalog(session, { schema: 'public' });
  });
  afterAll(() => session.close());

  describeOnServer('beside a server', () => {
    test('has the same schema', async () => {
      const database = await createServerDatabase({ migrated: true });
      const server = await catalogOf(database.url, { schema: 'public' });
      expect(diffCatalogs(server, snapshot, { withPartitions: true }).map(renderDifference)).toEqual([]);
    });
  });

  test('migrates all the way down and up again to the same schema', async () => {
    await down(session, 'all');
    expect((await readCatalog(session, { schema: 'public' })).tables).toEqual([]);
    await up(session);
    expect(await readCatalog(session, { schema: 'public' })).toEqual(snapshot);
  });
});
