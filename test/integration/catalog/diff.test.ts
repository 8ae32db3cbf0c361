import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { diffCatalogs, type DiffOptions } from '../../../src/adapters/catalog/diff.js';
import { renderDifference } from '../../../src/adapters/catalog/difference.js';
import { readCatalog } from '../../../src/adapters/catalog/snapshot.js';
import type { CatalogSnapshot } from '../../../src/adapters/catalog/catalog.js';
import { quoteIdentifier } from '../../../src/base/identifier.js';
import { catalogChanges } from '../../fixtures/catalog-changes.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { catalogOf, withSession } from './catalog-session.js';

const objects = readFileSync(path.join(import.meta.dirname, '..', '..', 'fixtures', 'catalog-objects.sql'), 'utf8');

describeOnServer('The difference of two catalogs', () => {
  let database: ServerDatabase;
  let before: CatalogSnapshot;

  beforeAll(async () => {
    database = await createServerDatabase();
    await database.admin.query('create extension vector');
    await database.admin.query(`
      do $$ begin create role authenticated nologin;
      exception when duplicate_object or unique_violation then null; end $$`);
    await install('shop');
    before = await catalogOf(database.url, { schema: 'shop' });
  });

  async function install(schema: string): Promise<void> {
    const quoted = quoteIdentifier(schema);
    await database.admin.query(
      `begin; create schema ${quoted}; set local search_path to ${quoted}, public, pg_temp; ${objects} commit`,
    );
  }

  /** The lines of the difference a change makes; the change is rolled back. */
  async function linesOf(sql: string, options?: DiffOptions): Promise<readonly string[]> {
    return withSession(database.url, async (session) => {
      await session.query('begin');
      await session.query('set local search_path to shop, public, pg_temp');
      await session.query(sql);
      const after = await readCatalog(session, { schema: 'shop' });
      await session.query('rollback');
      return diffCatalogs(before, after, options).map(renderDifference);
    });
  }

  test.each(catalogChanges)('tells exactly what was changed by: %s', async (sql, ...lines) => {
    expect(await linesOf(sql)).toEqual(lines);
  });

  test('a month is a difference when partitions are compared', async () => {
    const february =
      "create table events_y2026m02 partition of events for values from ('2026-02-01+00') to ('2026-03-01+00')";
    expect(await linesOf(february, { withPartitions: true })).toEqual(['partition events_y2026m02: added']);
    expect(await linesOf('alter table events_y2026m01 enable row level security', { withPartitions: true })).toEqual([
      'partition events_y2026m01: row-level security off → on',
    ]);
  });

  test('a month under the default partition is left out, too', async () => {
    const sql = `
      alter table events detach partition events_default;
      create table events_rest partition of events default partition by range (at);
      create table events_late partition of events_rest for values from ('2030-01-01+00') to ('2031-01-01+00');
      create table events_else partition of events_rest default`;
    const lines = await linesOf(sql);
    expect(lines).toContain('table events_rest: added');
    expect(lines).toContain('table events_else: added');
    expect(lines.join('\n')).not.toContain('events_late');
  });

  test('the version of an extension is a difference on wish only', () => {
    const extensions = before.extensions.map((extension) => ({ ...extension, version: `${extension.version}.1` }));
    const after = { ...before, extensions };
    expect(diffCatalogs(before, after)).toEqual([]);
    const properties = diffCatalogs(before, after, { withExtensionVersions: true }).map(({ property }) => property);
    expect(properties).toEqual(['version', 'version']);
  });

  test.each(['warehouse', 'My "quoted" Schema', 'select'])(
    'a schema named %s with the same objects is equal, in the same database',
    async (name) => {
      await install(name);
      expect(await catalogOf(database.url, { schema: name })).toEqual(before);
      expect(before.tables).toHaveLength(5);
      await database.admin.query(`drop schema ${quoteIdentifier(name)} cascade`);
    },
  );
});
