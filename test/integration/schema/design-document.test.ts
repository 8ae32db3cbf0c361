import { beforeAll, expect, test } from 'vitest';
import { diffCatalogs } from '../../../src/adapters/catalog/diff.js';
import type { Difference, PropertyValue } from '../../../src/adapters/catalog/difference.js';
import type { CatalogSnapshot } from '../../../src/adapters/catalog/catalog.js';
import type { AisecError } from '../../../src/base/errors.js';
import { allowedDifferences, documentStatements, failingStatements } from '../../fixtures/design-document.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { catalogOf, withSession } from '../catalog/catalog-session.js';

function text(value: PropertyValue): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'object') return value.length === 0 ? 'none' : value.join(', ');
  return String(value);
}

/** Whole values, where the line for people is cut. */
function lineOf({ kind, object, property, before, after }: Difference): string {
  if (property === 'existence') return `${kind} ${object}: ${after === true ? 'added' : 'missing'}`;
  return `${kind} ${object}: ${property} ${text(before)} → ${text(after)}`;
}

function wholeLine(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags);
}

describeOnServer('The schema of the design document', () => {
  let database: ServerDatabase;
  /** How each statement of the document that failed began, and its SQLSTATE. */
  const failed: { readonly begins: string; readonly sqlState: string | undefined }[] = [];
  let wanted: CatalogSnapshot;
  let made: CatalogSnapshot;
  let lines: readonly string[];

  async function runDocument(): Promise<void> {
    await withSession(database.url, async (session) => {
      await session.query('create schema document; set search_path to document, public, pg_temp');
      for (const statement of await documentStatements()) {
        try {
          await session.query(statement.text);
        } catch (error) {
          const known = failingStatements.find(({ begins }) => statement.text.startsWith(begins));
          failed.push({ begins: known?.begins ?? statement.text, sqlState: (error as AisecError).sqlState });
          if (known?.supply === undefined) continue;
          await session.query(known.supply);
          await session.query(statement.text);
        }
      }
    });
  }

  beforeAll(async () => {
    database = await createServerDatabase();
    const run = await runInProcess(['migrate', 'up', '--schema', 'platform'], { env: { DATABASE_URL: database.url } });
    expect(run.stderr).not.toContain('error:');
    expect(run.exitCode).toBe(0);
    await runDocument();
    wanted = await catalogOf(database.url, { schema: 'document' });
    made = await catalogOf(database.url, { schema: 'platform', withoutHistory: true });
    lines = diffCatalogs(wanted, made).map(lineOf);
  });

  test('is read from all of the document', async () => {
    const statements = await documentStatements();
    expect(statements.filter(({ node }) => node === 'CreateStmt')).toHaveLength(14 + 2);
    expect(statements.filter(({ node }) => node === 'IndexStmt')).toHaveLength(56);
    expect(wanted.tables).toHaveLength(14);
    expect(wanted.views).toHaveLength(2);
    expect(wanted.policies).toHaveLength(2);
  });

  test('cannot be made by the document alone: exactly these statements fail', () => {
    expect(failed).toEqual(failingStatements.map(({ begins, sqlState }) => ({ begins, sqlState })));
  });

  test('is made by the migrations, but for what the document leaves open', () => {
    const unexplained = lines.filter(
      (line) => !allowedDifferences.some((allowed) => wholeLine(allowed.line).test(line)),
    );
    expect(unexplained).toEqual([]);
  });

  test('differs for every reason that is listed', () => {
    const unused = allowedDifferences.filter((allowed) => !lines.some((line) => wholeLine(allowed.line).test(line)));
    expect(unused.map(({ line }) => line.source)).toEqual([]);
  });

  test('has every column of the document, in its order, and no other', () => {
    const columns = ({ columns: all }: CatalogSnapshot): readonly string[] =>
      all
        .filter(({ table }) => wanted.columns.some((column) => column.table === table))
        .map(({ table, name, type, notNull, default: value }) => `${table}.${name} ${type} ${notNull} ${value}`);
    expect(columns(made)).toEqual(columns(wanted));
    expect(columns(wanted).length).toBeGreaterThan(140);
  });

  test('has the two months of the document when they are asked for', async () => {
    const { admin } = database;
    await admin.query("select platform.ensure_message_partitions(0, '2024-01-01')");
    const { partitions } = await catalogOf(database.url, { schema: 'platform' });
    const bounds = partitions.tables.filter(({ name }) => name.startsWith('messages_y2024m0')).slice(0, 2);
    expect(bounds.map(({ name, bound }) => [name, bound])).toEqual([
      ['messages_y2024m01', "FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-02-01 00:00:00+00')"],
      ['messages_y2024m02', "FOR VALUES FROM ('2024-02-01 00:00:00+00') TO ('2024-03-01 00:00:00+00')"],
    ]);
  });

  test('takes the statements that load and use it as the document has them', async () => {
    const { admin } = database;
    const statements = await documentStatements();
    await admin.query('set search_path to platform, public, pg_temp');
    for (const { text: sql, node } of statements) if (node === 'InsertStmt') await admin.query(sql);
    const { rows } = await admin.query("select verify_password('admin123', password_hash) as is_right from users");
    expect(rows).toEqual([{ is_right: true }]);
    expect((await admin.query('select archive_old_messages() as moved')).rows).toEqual([{ moved: 0 }]);
    expect((await admin.query('select count(*)::int as count from system_settings')).rows).toEqual([{ count: 4 }]);
  });
});
