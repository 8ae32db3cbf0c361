import { mkdirSync } from 'node:fs';

import { beforeAll, beforeEach, expect, test } from 'vitest';

import type { RehearsedMigration } from '../../src/features/migrate/effects/report.js';
import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../support/migrations-folder.js';
import { describeWithStore, startObjectStore } from '../support/object-store.js';
import { startCli, type CliResult, type RunningCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

interface Document {
  readonly backup: { readonly file: string; readonly restoreMs: number } | null;
  readonly migrations: readonly RehearsedMigration[];
  readonly findings: readonly { readonly id: string; readonly message: string; readonly fix: string }[];
}

const TABLE = migration('create table t (id int primary key, note text);', 'drop table t;');
const WIDEN = 'alter table t alter column id type bigint;';
const INDEX = 'create index concurrently t_note on t (note);';

describeOnServer('migrate rehearse', () => {
  let database: ServerDatabase;
  let backups = '';
  let folder: MigrationsFolder;

  const settings = (): { env: Record<string, string> } => ({
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database.url, AISEC_BACKUP_DIR: backups },
  });
  const args = (...given: readonly string[]): readonly string[] => [
    'migrate',
    ...given,
    '--migrations-dir',
    `aisec=${folder.dir}`,
  ];
  const aisec = (...given: readonly string[]): Promise<CliResult> => runInProcess(args(...given), settings());
  const start = (...given: readonly string[]): RunningCli => startCli(args(...given), settings());
  const rehearse = async (...given: readonly string[]): Promise<CliResult & { document: Document }> => {
    const run = await aisec('rehearse', '--json', ...given);
    return { ...run, document: JSON.parse(run.stdout === '' ? '{}' : run.stdout) as Document };
  };
  const copies = async (): Promise<number> =>
    (await database.admin.query('select from pg_database where datname = $1', [`aisec_rehearse_${database.name}`]))
      .rowCount ?? -1;
  const typeOfId = async (): Promise<unknown> =>
    (
      await database.admin.query(`select atttypid::regtype::text as type from pg_attribute
      where attrelid = 't'::regclass and attname = 'id'`)
    ).rows[0]?.type;

  beforeAll(async () => {
    database = await createServerDatabase();
    backups = await createEmbeddedDirectory();
    folder = migrationsFolder({ '0001_table.sql': TABLE });
    expect(await aisec('up')).toMatchObject({ exitCode: 0 });
    await database.admin.query(`insert into t select n, 'note ' || n from generate_series(1, 20000) n`);
    expect(await runInProcess(['backup'], settings())).toMatchObject({ exitCode: 0 });
  });

  beforeEach(() => {
    folder = migrationsFolder({ '0001_table.sql': TABLE });
  });

  test('measures each statement on a copy of the newest backup, and leaves the database and no copy', async () => {
    folder.write({
      '0002_widen.sql': migration(WIDEN),
      '0003_index.sql': migration(INDEX, 'drop index concurrently t_note;', '-- aisec: no-transaction'),
    });
    const { exitCode, document } = await rehearse();
    expect(exitCode).toBe(0);
    const [widened, indexed] = document.migrations;
    expect(document.backup?.restoreMs).toBeGreaterThan(0);
    expect(widened?.explained[0]).toMatchObject({
      line: 2,
      isExecuted: true,
      rewritten: [expect.objectContaining({ relation: 't', rows: 20_000 })],
    });
    expect(widened?.explained[0]?.walBytes).toBeGreaterThan(500_000);
    const lock = widened?.explained[0]?.locks.find(({ mode }) => mode === 'AccessExclusiveLock');
    expect(lock).toMatchObject({ relation: 't', heldUntil: 'commit', blocks: 'reads and writes' });
    expect(lock?.heldMs).toBeGreaterThanOrEqual(widened?.explained[0]?.durationMs ?? Infinity);
    expect(widened?.longestLockMs).toBe(lock?.heldMs);
    expect(indexed).toMatchObject({ skippedBecause: null, longestLockMs: null });
    expect(indexed?.explained[0]).toMatchObject({
      isExecuted: true,
      scanned: [expect.objectContaining({ relation: 't' })],
      rewritten: [],
    });
    expect(indexed?.explained[0]?.locks).toContainEqual(
      expect.objectContaining({ relation: 't', mode: 'ShareUpdateExclusiveLock', blocks: null }),
    );
    expect(await typeOfId()).toBe('integer');
    expect((await database.admin.query(`select from pg_class where relname = 't_note'`)).rowCount).toBe(0);
    expect(await copies()).toBe(0);
  });

  test('reads like a dry run, with how long locks were held, in 80 columns', async () => {
    folder.write({ '0002_widen.sql': migration(WIDEN) });
    const { exitCode, stdout, stderr } = await aisec('rehearse');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/ {8}ACCESS EXCLUSIVE on t for [\d.]+ m?s, until the commit:\s+reads and writes wait\n/);
    expect(stdout).toMatch(/ {8}rewrites t \(about 20,000 rows, [\d.]+ [kM]B\)\n/);
    expect(stderr).toMatch(/1 migration rehearsed in .* on a copy of .* restored in .* and dropped again\./);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('exits 3 where a file exceeds its bounds, as the dry run does; wider ones are kept', async () => {
    folder.write({ '0002_widen.sql': migration(WIDEN, 'select 1;', '-- aisec: max-lock 1ms\n-- aisec: max-time 1ms') });
    const broken = await rehearse();
    expect(broken.exitCode).toBe(3);
    expect(broken.document.findings.map(({ id }) => id)).toEqual(['max-lock:0002_widen', 'max-time:0002_widen']);
    expect(broken.document.findings[0]?.message).toMatch(
      /^0002_widen held ACCESS EXCLUSIVE on t for .*, longer than its max-lock of 1 ms$/,
    );
    expect(broken.document.findings[0]?.fix).toBe(`aisec migrate lint ${folder.dir}/0002_widen.sql`);
    const dry = await aisec('up', '--dry-run', '--json');
    expect(dry.exitCode).toBe(3);
    expect((JSON.parse(dry.stdout) as Document).findings).toHaveLength(2);
    folder.write({ '0002_widen.sql': migration(WIDEN, 'select 1;', '-- aisec: max-lock 5m\n-- aisec: max-time 1h') });
    expect(await rehearse()).toMatchObject({ exitCode: 0, document: { findings: [] } });
    expect(await aisec('up', '--dry-run')).toMatchObject({ exitCode: 0 });
  });

  test('a lock is counted from the statement that takes it to the commit, and one that blocks no session is not', async () => {
    folder.write({
      '0002_late.sql': migration(
        'select pg_sleep(0.3);\nalter table t add column extra text;\nselect pg_sleep(0.3);',
        'select 1;',
        '-- aisec: max-lock 5m',
      ),
      '0003_gentle.sql': migration(
        'alter table t alter column note set statistics 200;\nselect pg_sleep(0.3);',
        'select 1;',
        '-- aisec: max-lock 10ms',
      ),
    });
    const { exitCode, document } = await rehearse();
    expect(exitCode).toBe(0);
    const [late, gentle] = document.migrations;
    expect(late?.durationMs).toBeGreaterThanOrEqual(600);
    expect(late?.longestLockMs).toBeGreaterThanOrEqual(300);
    expect(late?.longestLockMs).toBeLessThan((late?.durationMs ?? 0) - 290);
    expect(gentle?.explained[0]?.locks[0]).toMatchObject({ mode: 'ShareUpdateExclusiveLock', blocks: null });
  });

  test('outside of a transaction the locks of a statement are those that another session sees', async () => {
    folder.write({
      '0002_full.sql': migration(
        'do $$ begin lock table t in access exclusive mode; perform pg_sleep(3); end $$;',
        'select 1;',
        '-- aisec: no-transaction\n-- aisec: max-lock 100ms',
      ),
    });
    const { exitCode, document } = await rehearse();
    expect(exitCode).toBe(3);
    const lock = document.migrations[0]?.explained[0]?.locks[0];
    expect(lock).toMatchObject({ relation: 't', mode: 'AccessExclusiveLock', heldUntil: 'end of statement' });
    expect(lock?.heldMs).toBeGreaterThanOrEqual(380);
  });

  test('with nothing pending it restores nothing', async () => {
    const { exitCode, document, stderr } = await rehearse();
    expect(exitCode).toBe(0);
    expect(document).toMatchObject({ backup: null, migrations: [], findings: [] });
    expect(stderr).toContain('nothing to rehearse, every migration is applied');
  });

  test('what was applied after the backup was made is applied to the copy before', async () => {
    folder.write({ '0002_more.sql': migration('create table more (id int);', 'drop table more;') });
    expect(await aisec('up')).toMatchObject({ exitCode: 0 });
    folder.write({ '0003_use.sql': migration('alter table more add column note text;') });
    const { exitCode, document } = await rehearse();
    expect(exitCode).toBe(0);
    expect(document.migrations.map(({ name }) => name)).toEqual(['0003_use']);
    expect(document.migrations[0]?.locks).toEqual([{ relation: 'more', mode: 'AccessExclusiveLock' }]);
    expect(await aisec('down')).toMatchObject({ exitCode: 0 });
  });

  test('what fails in the real run fails here with its place, and the copy is dropped', async () => {
    folder.write({ '0002_bad.sql': migration('select 1;\nalter table t add check (id < 100);') });
    const failed = await aisec('rehearse');
    expect(failed).toMatchObject({ exitCode: 1 });
    expect(failed.stderr).toMatch(/migration 0002_bad: check constraint .* is violated by some row/);
    expect(failed.stderr).toMatch(/0002_bad\.sql:3/);
    expect(await copies()).toBe(0);
  });

  test('a role without CREATEDB is a finding with its fix, before anything is restored', async () => {
    const role = `${database.name}_reader`;
    folder.write({ '0002_widen.sql': migration(WIDEN) });
    await database.admin.query(`create role ${role} login password 'x' superuser`);
    await database.admin.query(
      `alter role ${role} nosuperuser nocreatedb; grant select on all tables in schema public to ${role}; grant usage, create on schema public to ${role}`,
    );
    try {
      const url = Object.assign(new URL(database.url), { username: role, password: 'x' }).toString();
      const run = await runInProcess(args('rehearse', '--no-owner'), {
        env: { ...settings().env, DATABASE_URL: url },
      });
      expectError(run, 3, 'cannot restore to ', `role "${role}" may not create databases`);
      expect(run.stderr).toContain(`fix: alter role "${role}" createdb;`);
    } finally {
      await database.admin.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('without a backup of this database it says how to make one', async () => {
    folder.write({ '0002_widen.sql': migration(WIDEN) });
    const empty = await createEmbeddedDirectory();
    const run = await aisec('rehearse', '--dir', empty);
    expectError(run, 2, `there is no verified backup of "${database.name}"`, 'aisec backup');
  });

  test('the embedded database is refused with what does the same', async () => {
    const cwd = await createEmbeddedDirectory();
    mkdirSync(`${cwd}/.aisec`);
    expectError(await runInProcess(args('rehearse'), { cwd }), 2, 'a rehearsal needs a server', 'up --dry-run');
  });

  test('interrupted it drops the copy; killed, the next run does', async () => {
    // A session whose client was killed ends when it has something to say.
    const slow = `do $$ begin for n in 1..3000 loop perform pg_sleep(0.1); raise warning 'at work'; end loop; end $$;`;
    folder.write({ '0002_slow.sql': migration(slow) });
    const interrupted = start('rehearse');
    await interrupted.waitForOutput('rehearsing 0002_slow');
    interrupted.child.kill('SIGINT');
    expect(await interrupted.finished).toMatchObject({ exitCode: 130 });
    expect(await copies()).toBe(0);

    const killed = start('rehearse');
    await killed.waitForOutput('rehearsing 0002_slow');
    const busy = await aisec('rehearse');
    expectError(busy, 5, 'another', '--wait');
    killed.child.kill('SIGKILL');
    await killed.finished;
    expect(await copies()).toBe(1);
    folder.write({ '0002_slow.sql': migration('select 1;') });
    await waitFor(async () => (await aisec('rehearse')).exitCode === 0);
    expect(await copies()).toBe(0);
  });

  describeWithStore('from a store', () => {
    test('takes the newest copy', async () => {
      const store = await startObjectStore('backups');
      const env = { ...settings().env, ...store.environment };
      const at = ['--store', 's3://backups/prod', '--endpoint', store.endpoint];
      expect(await runInProcess(['backup', '--dir', await createEmbeddedDirectory(), ...at], { env })).toMatchObject({
        exitCode: 0,
      });
      folder.write({ '0002_widen.sql': migration(WIDEN) });
      const run = await runInProcess(args('rehearse', '--json', ...at), { env });
      expect(run).toMatchObject({ exitCode: 0 });
      expect((JSON.parse(run.stdout) as Document).backup?.file).toMatch(/^s3:\/\/backups\/prod\/.*\.dump$/);
    });
  });
});
