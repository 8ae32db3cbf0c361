import { describe, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { scratchDatabasesOf } from '../../support/scratch-databases.js';

interface Result {
  readonly isEqual: boolean;
  readonly rows: number | null;
  readonly irreversible: readonly string[];
  readonly failures: readonly {
    readonly migration: string;
    readonly step: string;
    readonly differences: readonly { readonly object: string; readonly property: string }[];
  }[];
}

describe('migrate test', () => {
  test('a Down that forgets a grant, a column or their order is listed by object and property, exit 3', async () => {
    const { dir } = migrationsFolder({
      '0001_one.sql': migration('create table one (id int);', 'drop table one;'),
      '0002_grant.sql': migration('grant select on one to public;'),
      '0003_column.sql': migration(
        'alter table one add if not exists a int, add if not exists b int;',
        'alter table one drop a;',
      ),
      '0004_name.sql': migration('alter table one rename b to c;', 'alter table one rename c to b;'),
    });
    const run = await runInProcess(['migrate', 'test', '--json', '--migrations-dir', `aisec=${dir}`]);
    expect(run.exitCode).toBe(3);
    const found = (JSON.parse(run.stdout) as Result).failures.map(({ migration: name, step, differences }) => [
      name,
      step,
      differences.map(({ object, property }) => `${object} ${property}`).join(),
    ]);
    expect(found).toEqual([
      ['0002_grant', 'down', 'on table one to PUBLIC privileges'],
      ['0003_column', 'down', 'one.b existence'],
      ['0003_column', 'up again', 'one columnOrder'],
    ]);
  });

  test('a migration without a way back is said, and tested up only', async () => {
    const { dir } = migrationsFolder({
      '0001_one.sql': migration('create table one (id int);', 'drop table one;'),
      '0002_gone.sql': '-- aisec: irreversible "rows were merged"\n-- Up Migration\nalter table one add a int;\n',
    });
    const run = await runInProcess(['migrate', 'test', '--json', '--migrations-dir', `aisec=${dir}`]);
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ irreversible: ['0002_gone'], rows: null });
  });
});

describeOnServer('migrate test --server', () => {
  test('the bundled migrations go up, down and up again to the same catalog, without and with rows', async () => {
    const { url } = await createServerDatabase();
    const run = await runInProcess(['migrate', 'test', '--server', '--json'], { env: { DATABASE_URL: url } });
    expect(run.exitCode).toBe(0);
    const { isEqual, rows, failures } = JSON.parse(run.stdout) as Result;
    expect({ isEqual, failures }).toEqual({ isEqual: true, failures: [] });
    expect(rows).toBeGreaterThan(400);
  });

  test('works in a database of its own, which is dropped, and leaves the configured one alone', async () => {
    const database = await createServerDatabase();
    const { dir } = migrationsFolder({ '0001_one.sql': migration('create table one (id int);', 'select 1;') });
    let run: CliResult | undefined;
    const made = await scratchDatabasesOf(async () => {
      run = await runInProcess(['migrate', 'test', '--server', '--migrations-dir', `aisec=${dir}`], {
        env: { DATABASE_URL: database.url },
      });
    });
    expect(run?.exitCode).toBe(3);
    expect(run?.stdout).toMatch(/0001_one\tempty\tup again\t.*"one"/);
    expect(made.length).toBeGreaterThan(0);
    const left = await database.admin.query('select from pg_database where datname = any ($1)', [made]);
    expect(left.rows).toEqual([]);
    const { rows } = await database.admin.query("select from pg_class where relname in ('one', 'pgmigrations')");
    expect(rows).toEqual([]);
  });
});
