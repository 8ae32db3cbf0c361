import { existsSync } from 'node:fs';
import path from 'node:path';

import { beforeEach, describe, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import { runCli, type CliResult } from '../../support/run-cli.js';

const TABLE = migration('create table t (id int primary key);', 'drop table t;');

describeOnServer('migrate up --dry-run', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({ '0001_table.sql': TABLE });
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runCli([...args, '--migrations-dir', `aisec=${folder.dir}`], { env: { DATABASE_URL: database.url } });
  const relations = async (): Promise<number> =>
    (await database.admin.query(`select from pg_class where relnamespace = 'public'::regnamespace`)).rowCount ?? -1;

  test('lists what each migration would do, and leaves no object and no row behind', async () => {
    const result = await aisec('migrate', 'up', '--dry-run');
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('0001_table\n  1 create table');
    expect(result.stderr).toContain('rolled back');
    expect(await relations()).toBe(0);
  });

  test('lists the locks on what was there before, and none on what the migrations make', async () => {
    await aisec('migrate', 'up');
    folder.write({
      '0002_alter.sql': migration(
        'create table u (id int);\nalter table t add column note text;',
        'drop table u;\nalter table t drop column note;',
      ),
    });
    const result = await aisec('migrate', 'up', '--dry-run', '--json');
    const document = JSON.parse(result.stdout) as {
      migrations: readonly { name: string; locks: readonly unknown[] }[];
    };
    expect(document.migrations).toHaveLength(1);
    expect(document.migrations[0]?.locks).toEqual([{ relation: 't', mode: 'AccessExclusiveLock' }]);
  });

  test('fails as the real run would fail', async () => {
    folder.write({ '0002_bad.sql': migration('alter table t add column id int;') });
    const dry = await aisec('migrate', 'up', '--dry-run');
    const real = await aisec('migrate', 'up');
    expect(dry.exitCode).toBe(1);
    expect(dry.stderr).toBe(real.stderr);
  });

  test('does not run a migration without a transaction, nor what comes after it, and says so', async () => {
    folder.write({
      '0002_index.sql': migration(
        'create index concurrently t_id on t (id);',
        'drop index concurrently t_id;',
        '-- aisec: no-transaction',
      ),
      '0003_more.sql': migration('create table more (id int);', 'drop table more;'),
    });
    const { stdout } = await aisec('migrate', 'up', '--dry-run');
    expect(stdout).toContain(
      '0002_index\n  not run: it runs without a transaction, so it cannot be rolled back; has 1 create index',
    );
    expect(stdout).toContain('0003_more\n  not run: it comes after a migration that was not run; has 1 create table');
  });

  test('excludes --sql, and --from without --sql is wrong usage', async () => {
    expect((await aisec('migrate', 'up', '--dry-run', '--sql')).exitCode).toBe(2);
    expect((await aisec('migrate', 'up', '--from', '0001_table')).exitCode).toBe(2);
  });
});

describe('migrate up --dry-run without any database', () => {
  test('rehearses in memory and creates no directory', async () => {
    const cwd = await createEmbeddedDirectory();
    const { dir } = migrationsFolder({ '0001_table.sql': TABLE });
    const result = await runCli(['migrate', 'up', '--dry-run', '--migrations-dir', `aisec=${dir}`], { cwd });
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('1 create table');
    expect(existsSync(path.join(cwd, '.aisec'))).toBe(false);
  });
});
