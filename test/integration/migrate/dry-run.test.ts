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
import { waitFor } from '../../support/wait-for.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

const TABLE = migration('create table t (id int primary key);', 'drop table t;');

describeOnServer('migrate up --dry-run', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({ '0001_table.sql': TABLE });
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${folder.dir}`], { env: { DATABASE_URL: database.url } });
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
    const withoutHint = (text: string): string => text.replace(/^hint: .*$/m, '');
    expect(dry.exitCode).toBe(1);
    expect(withoutHint(dry.stderr)).toBe(withoutHint(real.stderr));
    expect(dry.stderr).toContain('hint: No changes were made.');
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
    const result = await runInProcess(['migrate', 'up', '--dry-run', '--migrations-dir', `aisec=${dir}`], { cwd });
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('1 create table');
    expect(existsSync(path.join(cwd, '.aisec'))).toBe(false);
  });
});

describeOnServer('what a dry run explains', () => {
  interface Document {
    readonly migrations: readonly {
      readonly explained: readonly {
        readonly line: number;
        readonly locks: readonly { readonly relation: string; readonly mode: string; readonly blocks: string | null }[];
        readonly rewritten: readonly { readonly relation: string; readonly rows: number; readonly sizeBytes: number }[];
        readonly scanned: readonly { readonly relation: string }[];
        readonly inUseBy: readonly { readonly pid: number; readonly mode: string }[];
        readonly isExecuted: boolean;
        readonly durationMs: number;
        readonly walBytes: number;
      }[];
    }[];
  }

  let database: ServerDatabase;
  let folder: MigrationsFolder;

  const aisec = async (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${folder.dir}`], { env: { DATABASE_URL: database.url } });
  const explain = async (up: string, ...args: readonly string[]): Promise<CliResult> => {
    folder.write({ '0002_change.sql': migration(up) });
    return aisec('migrate', 'up', '--dry-run', ...args);
  };
  const statements = ({ stdout }: CliResult): Document['migrations'][0]['explained'] =>
    (JSON.parse(stdout) as Document).migrations[0]?.explained ?? [];

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({ '0001_table.sql': TABLE });
    await aisec('migrate', 'up');
    // No worker of autovacuum is among those who have the table.
    await database.admin.query('alter table t set (autovacuum_enabled = off)');
    await database.admin.query('insert into t select generate_series(1, 5000)');
    await database.admin.query('analyze t');
  });

  test('is each lock with what it keeps waiting, and a table that is rewritten, with rows and bytes', async () => {
    const result = await explain('-- A comment.\nalter table t alter column id type bigint;', '--json');
    const [statement] = statements(result);
    expect(statement?.line).toBe(3);
    const lock = {
      relation: 't',
      root: 't',
      mode: 'AccessExclusiveLock',
      heldUntil: 'commit',
      blocks: 'reads and writes',
    };
    expect(statement?.locks).toContainEqual({ ...lock, heldMs: statement?.durationMs });
    expect(statement?.rewritten[0]).toMatchObject({ relation: 't', rows: 5000 });
    expect(statement?.rewritten[0]?.sizeBytes).toBeGreaterThan(100_000);
    expect(statement?.walBytes).toBeGreaterThan(100_000);
  });

  test('is a table that is read as a whole, and nothing of one that is new', async () => {
    const result = await explain(
      'alter table t add constraint t_positive check (id > 0);\ncreate table u (id int);\nalter table u alter column id set not null;',
      '--json',
    );
    const found = statements(result);
    expect(found).toHaveLength(1);
    expect(found[0]?.scanned.map(({ relation }) => relation)).toEqual(['t']);
    expect(found[0]?.rewritten).toEqual([]);
  });

  test('reads on a terminal of 80 columns', async () => {
    const { stdout } = await explain('alter table t alter column id type bigint;');
    expect(stdout).toContain('0002_change\n  1 alter table\n     2  alter table t alter column id type bigint\n');
    expect(stdout).toMatch(/ {8}ACCESS EXCLUSIVE on t for [\d.]+ m?s, until the commit:\s+reads and writes wait\n/);
    expect(stdout).toMatch(/ {8}rewrites t \(about 5,000 rows, \d+ kB\)\n/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('names a partitioned table once, with the number of its partitions', async () => {
    await database.admin.query(`
      create table parts (id int, amount int) partition by range (id);
      create table parts_a partition of parts for values from (0) to (100);
      create table parts_b partition of parts for values from (100) to (200);
      insert into parts select generate_series(0, 199)`);
    await database.admin.query('analyze parts');
    const { stdout } = await explain('alter table parts alter column amount type bigint;');
    expect(stdout).toMatch(/ {8}ACCESS EXCLUSIVE on parts and 2 partitions for [\d.]+ m?s, until the commit/);
    expect(stdout).toMatch(/ {8}rewrites 2 partitions of parts \(about 200 rows, [\d.]+ kB\)\n/);
  });

  test('of a file without a transaction is what its statements take by their kind and the catalog', async () => {
    folder.write({
      '0002_apart.sql': migration(
        [
          'create index concurrently t_id on t (id);',
          'alter table t add column note text;',
          'vacuum t;',
          'reindex index concurrently t_pkey;',
          'alter table t validate constraint t_positive;',
          'update t set id = id;',
          'do $$ begin perform 1; end $$;',
          'create index concurrently u_id on not_there (id);',
        ].join('\n'),
        'select 1;',
        '-- aisec: no-transaction',
      ),
    });
    const found = statements(await aisec('migrate', 'up', '--dry-run', '--json'));
    const texts = found.map(({ line, isExecuted, locks, scanned, rewritten }) => [
      line,
      isExecuted,
      locks.map(({ relation, mode, blocks }) => `${mode} ${relation} ${blocks ?? '-'}`).join(),
      [...scanned, ...rewritten].map(({ relation }) => relation).join(),
    ]);
    expect(texts).toEqual([
      [3, false, 'ShareUpdateExclusiveLock t -', 't'],
      [4, false, 'AccessExclusiveLock t reads and writes', ''],
      [5, false, 'ShareUpdateExclusiveLock t -', 't'],
      [6, false, 'ShareUpdateExclusiveLock t -', 't'],
      [7, false, 'ShareUpdateExclusiveLock t -', 't'],
      [8, false, 'RowExclusiveLock t -', ''],
      [9, false, '', ''],
      [10, false, '', ''],
    ]);
    const { stdout } = await aisec('migrate', 'up', '--dry-run');
    expect(stdout).toContain('        not executed here, since it cannot be rolled back\n');
    expect(stdout).toContain('        SHARE UPDATE EXCLUSIVE on t while it runs\n');
    expect(stdout).toMatch(/ {8}reads all of t \(about 5,000 rows, [\d.]+ kB\)\n/);
    expect((await database.admin.query(`select from pg_class where relname = 't_id'`)).rowCount).toBe(0);
  });

  test('names the sessions that it had to wait for', async () => {
    const other = await database.admin.query('select pg_backend_pid() as pid');
    await database.admin.query('begin');
    await database.admin.query('select from t limit 1');
    const running = explain('alter table t add column note text;', '--json', '--lock-timeout', '60s');
    await waitFor(async () => {
      const waiting = await database.admin.query(`select from pg_locks where relation = 't'::regclass and not granted`);
      return waiting.rowCount === 1;
    });
    await database.admin.query('commit');
    const [statement] = statements(await running);
    expect(statement?.inUseBy).toEqual([
      expect.objectContaining({ pid: other.rows[0]?.pid, relation: 't', mode: 'AccessShareLock' }),
    ]);
  });

  test('exits 5 when a lock cannot be acquired, and names who has the table', async () => {
    await database.admin.query('begin');
    await database.admin.query('select from t limit 1');
    const result = await explain('alter table t add column note text;', '--lock-timeout', '10s');
    await database.admin.query('rollback');
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain('could not acquire a lock in time in this dry run');
    expect(result.stderr).toMatch(/pid \d+ .*, idle in transaction for .*: ACCESS SHARE on t/);
  });
});
