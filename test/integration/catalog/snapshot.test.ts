import { beforeAll, expect, test, vi } from 'vitest';
import type { CatalogSnapshot } from '../../../src/adapters/catalog/catalog.js';
import { diffCatalogs } from '../../../src/adapters/catalog/diff.js';
import { readCatalog } from '../../../src/adapters/catalog/snapshot.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { catalogOf, withSession } from './catalog-session.js';

function namesIn(snapshot: CatalogSnapshot): readonly string[] {
  const { tables, views, functions, sequences, types } = snapshot;
  return [tables, views, functions, sequences, types].flatMap((part) => part.map(({ name }) => name));
}

describeOnServer('A snapshot of the catalog', () => {
  let database: ServerDatabase;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
  });

  test('survives JSON', async () => {
    const snapshot = await catalogOf(database.url, { schema: 'public' });
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
  });

  test('names the months apart from the tables, and the default partition with them', async () => {
    const { tables, columns, partitions } = await catalogOf(database.url, { schema: 'public' });
    const names = tables.map(({ name }) => name);
    expect(names).toContain('messages_default');
    expect(names.filter((name) => /_y\d+m\d+$/.test(name))).toEqual([]);
    expect(columns.filter(({ table }) => /_y\d+m\d+$/.test(table))).toEqual([]);
    expect(partitions.tables.length).toBeGreaterThan(0);
    expect(partitions.tables.every(({ name }) => /^messages_y\d+m\d+$/.test(name))).toBe(true);
    expect(partitions.tables.every(({ parents }) => parents.join() === 'messages')).toBe(true);
    expect(partitions.tables[0]?.bound).toMatch(/^FOR VALUES FROM \('\d+-\d\d-01 00:00:00\+00'\) TO /);
    expect(partitions.indexes.length).toBeGreaterThan(partitions.tables.length);
  });

  test('leaves out what belongs to extensions', async () => {
    const snapshot = await catalogOf(database.url, { schema: 'public' });
    expect(namesIn(snapshot)).not.toEqual(expect.arrayContaining(['vector']));
    expect(snapshot.functions.map(({ name }) => name)).not.toEqual(expect.arrayContaining(['crypt']));
    expect(snapshot.grants.map(({ object }) => object)).not.toEqual(expect.arrayContaining(['crypt']));
    expect(snapshot.extensions.map(({ name }) => name)).toEqual(['pgcrypto', 'plpgsql', 'vector']);
  });

  test('leaves out the history of the migrations on wish, its sequence and its privileges too', async () => {
    await database.admin.query('grant select on pgmigrations, pgmigrations_id_seq to public');
    const whole = await catalogOf(database.url, { schema: 'public' });
    const without = await catalogOf(database.url, { schema: 'public', withoutHistory: true });
    await database.admin.query('revoke select on pgmigrations, pgmigrations_id_seq from public');
    expect(JSON.stringify(whole)).toContain('pgmigrations_id_seq');
    expect(JSON.stringify(without)).not.toMatch(/pgmigrations|aisec_migrations/);
    expect(diffCatalogs(whole, without).map(({ kind, object }) => `${kind} ${object}`)).toEqual([
      'table aisec_migrations',
      'table pgmigrations',
    ]);
  });

  test('of a schema that does not exist is empty', async () => {
    const snapshot = await catalogOf(database.url, { schema: 'nowhere' });
    expect(namesIn(snapshot)).toEqual([]);
    expect(snapshot.grants).toEqual([]);
  });

  test('is the same whatever the session has set, and leaves its settings alone', async () => {
    const usual = await catalogOf(database.url, { schema: 'public' });
    await withSession(database.url, async (session) => {
      const settings = `select current_setting('search_path') as path, current_setting('timezone') as zone,
        current_setting('datestyle') as style, current_setting('quote_all_identifiers') as quote`;
      await session.query(
        `set search_path to pg_catalog; set timezone to 'Asia/Tokyo'; set datestyle to 'German'; set quote_all_identifiers to on`,
      );
      const before = (await session.query(settings)).rows;
      expect(await readCatalog(session, { schema: 'public' })).toEqual(usual);
      expect((await session.query(settings)).rows).toEqual(before);

      await session.query('begin');
      expect(await readCatalog(session, { schema: 'public' })).toEqual(usual);
      expect((await session.query(settings)).rows).toEqual(before);
      await session.query('rollback');
    });
  });

  test('can be read by a role that may only use the schema', async () => {
    const usual = await catalogOf(database.url, { schema: 'public' });
    await withSession(database.url, async (session) => {
      await session.query('set role authenticated');
      expect(await readCatalog(session, { schema: 'public' })).toEqual(usual);
    });
  });

  test('takes the same queries for 200 tables more', async () => {
    await withSession(database.url, async (session) => {
      const queries = vi.spyOn(session, 'query');
      await readCatalog(session, { schema: 'public' });
      const before = queries.mock.calls.length;
      expect(before).toBeLessThanOrEqual(18);

      await database.admin.query(`
        create schema many;
        do $$ begin
          for n in 1..200 loop
            execute format('create table many.t%s (id bigserial primary key, a text default %L, b integer check (b > 0))', n, n);
            execute format('create index on many.t%s (a)', n);
          end loop;
        end $$`);
      queries.mockClear();
      const many = await readCatalog(session, { schema: 'many' });
      expect(queries).toHaveBeenCalledTimes(before);
      expect(many.tables).toHaveLength(200);
      await database.admin.query('drop schema many cascade');
    });
  });
});
