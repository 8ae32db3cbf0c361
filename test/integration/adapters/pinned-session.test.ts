import { rmSync } from 'node:fs';

import { beforeAll, beforeEach, expect, test } from 'vitest';

import { openSession } from '../../../src/adapters/postgres/open.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import { resolveConfig } from '../../../src/config/config.js';
import { resolveDatabaseTarget } from '../../../src/config/database-target.js';
import { snapshotOf } from '../../support/catalog.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { expectError } from '../../support/expect-error.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { migration, migrationsFolder, writeMigrations } from '../../support/migrations-folder.js';

/** A value that a role or a database may have been given, and the one that a session of aisec must have instead. */
const TEXT: Readonly<Record<string, readonly [theirs: string, ours: string]>> = {
  DateStyle: ['German, DMY', 'ISO, MDY'],
  IntervalStyle: ['iso_8601', 'postgres'],
  TimeZone: ['Asia/Kolkata', 'UTC'],
  standard_conforming_strings: ['off', 'on'],
  backslash_quote: ['off', 'safe_encoding'],
  escape_string_warning: ['off', 'on'],
  array_nulls: ['off', 'on'],
  bytea_output: ['escape', 'hex'],
  extra_float_digits: ['-15', '1'],
  quote_all_identifiers: ['on', 'off'],
  transform_null_equals: ['on', 'off'],
  xmlbinary: ['hex', 'base64'],
  xmloption: ['document', 'content'],
  search_path: ['elsewhere', '"public", pg_temp'],
};
const FATE: typeof TEXT = {
  default_transaction_isolation: ['serializable', 'read committed'],
  default_transaction_read_only: ['on', 'off'],
  default_transaction_deferrable: ['on', 'off'],
  session_replication_role: ['replica', 'origin'],
  row_security: ['off', 'on'],
  check_function_bodies: ['off', 'on'],
  createrole_self_grant: ['set, inherit', ''],
  exit_on_error: ['on', 'off'],
  restrict_nonsystem_relation_kind: ['view', ''],
  gin_fuzzy_search_limit: ['3', '0'],
  stats_fetch_consistency: ['snapshot', 'cache'],
  client_min_messages: ['error', 'notice'],
  'plpgsql.extra_errors': ['all', 'none'],
  'plpgsql.check_asserts': ['off', 'on'],
};
/** Long enough for a session to set its own before they end it, on a machine that stops for a moment. */
const TIMEOUTS: typeof TEXT = {
  statement_timeout: ['30s', '0'],
  lock_timeout: ['30s', '2s'],
  transaction_timeout: ['30s', '0'],
  idle_in_transaction_session_timeout: ['30s', '1min'],
  idle_session_timeout: ['30s', '0'],
};
const EVERY = { ...TEXT, ...FATE, ...TIMEOUTS };

const COMMANDS: readonly (readonly string[])[] = [
  ['migrate', 'up', '--dry-run', '--json'],
  ['migrate', 'up', '--json'],
  ['migrate', 'status', '--json'],
  ['migrate', 'verify', '--json'],
  ['seed', '--json'],
  ['partitions', 'ensure', '--ahead', '5', '--json'],
  ['partitions', 'list', '--json'],
  ['partitions', 'check', '--json'],
  ['archive', '--dry-run', '--json'],
  ['archive', 'list', '--json'],
  ['migrate', 'redo', '--yes', '--json'],
];
/** Differs from run to run and from database to database. */
const PASSING = /"(\w*(?:Ms|At|Bytes)|database|cutoff)": *("(?:[^"\\]|\\.)*"|[\d.]+)/g;

describeOnServer('a session of aisec', () => {
  let database: ServerDatabase;
  let plain: Outcome;

  interface Outcome {
    readonly output: readonly string[];
    readonly catalog: unknown;
    readonly rows: readonly unknown[];
  }

  const set = async (settings: Readonly<Record<string, readonly [string, string]>>): Promise<void> => {
    for (const [name, [value]] of Object.entries(settings))
      await database.admin.query(
        `alter database "${database.name}" set ${name} to '${value.replaceAll(', ', "', '")}'`,
      );
  };

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database.url, AISEC_ADMIN_PASSWORD: 'a long \\ enough $password' } });

  async function outcome(): Promise<Outcome> {
    const output: string[] = [];
    for (const command of COMMANDS) {
      const run = await aisec(...command);
      output.push(
        `${command.join(' ')}: exit ${run.exitCode}\n${run.stdout.replaceAll(PASSING, '"$1":…')}${run.exitCode === 0 ? '' : run.stderr}`,
      );
    }
    const { rows } = await database.admin.query(
      `select key as name, value::text from system_settings
       union all select username, verify_password('a long \\ enough $password', password_hash)::text from users
       union all select name, md5(content) from aisec_migrations
       order by 1`,
    );
    return { output, catalog: await snapshotOf(database.url), rows };
  }

  async function open(url = database.url): Promise<Session> {
    return openSession(resolveDatabaseTarget(resolveConfig({}, { DATABASE_URL: url }, process.cwd())), {
      applicationName: 'test pinned session',
      schema: 'public',
      extensionSchema: 'public',
      lockTimeoutMs: 2000,
      statementTimeoutMs: 0,
      idleTimeoutMs: 60_000,
      embedded: 'existing',
      signal: new AbortController().signal,
    });
  }

  async function shown(session: Session, name: string): Promise<string | null> {
    const { rows } = await session.query<{ value: string | null }>(
      'select pg_catalog.current_setting($1, true) as value',
      [name],
    );
    return rows[0]?.value ?? null;
  }

  beforeAll(async () => {
    database = await createServerDatabase();
    plain = await outcome();
    expect(plain.output.filter((text) => !text.includes('exit 0'))).toEqual([]);
  });

  beforeEach(async () => {
    database = await createServerDatabase();
  });

  test('has its own value of every setting that changes what text means or how a transaction ends', async () => {
    const { rows } = await database.admin.query(`select current_setting('server_version_num')::int as version`);
    const { version } = rows[0] as { readonly version: number };
    for (const [name, [theirs, ours]] of Object.entries(EVERY)) {
      if (name === 'transaction_timeout' && version < 170_000) continue;
      await set({ [name]: [theirs, ours] });
      const session = await open();
      try {
        expect([name, await shown(session, name)]).toEqual([name, ours]);
      } finally {
        await session.close();
      }
      await database.admin.query(`alter database "${database.name}" reset ${name}`);
    }
  });

  test('begins where statement_timeout ends the very first query of a session', async () => {
    await set({ statement_timeout: ['1', '0'] });
    const session = await open();
    expect(await shown(session, 'statement_timeout')).toBe('0');
    await session.close();
  });

  test.each([
    ['text', TEXT],
    ['the fate of transactions', FATE],
    ['timeouts', TIMEOUTS],
    ['everything', EVERY],
  ])('makes the same catalog, rows and output whatever the database sets for %s', async (_what, settings) => {
    await database.admin.query('create schema elsewhere');
    await set(settings);
    expect(await outcome()).toEqual(plain);
  });

  test('is refused where triggers are off for its role, and the role may not switch them on', async () => {
    const role = `${database.name}_r`;
    await database.admin.query(`create role "${role}" login`);
    await database.admin.query(`alter role "${role}" set session_replication_role to 'replica'`);
    try {
      const url = Object.assign(new URL(database.url), { username: role, password: '' }).href;
      const run = await runInProcess(['migrate', 'status'], { env: { DATABASE_URL: url } });
      expectError(run, 1, 'session_replication_role is "replica"');
      expect(run.stderr).toContain(`alter role "${role}" reset session_replication_role`);
    } finally {
      await database.admin.query(`drop role "${role}"`);
    }
  });

  test('starts each migration as it was opened, whatever the one before has set, taken or left', async () => {
    const directory = writeMigrations({
      '0001_leaves': `select set_config('session_replication_role', 'replica', false),
        set_config('standard_conforming_strings', 'off', false), set_config('TimeZone', 'Asia/Tokyo', false),
        set_config('search_path', 'pg_catalog', false), set_config('app.leak', 'yes', false);
      create temporary table left_behind (id int);
      prepare left_statement as select 1;
      declare left_cursor cursor with hold for select 1;
      listen left_channel;
      select pg_advisory_lock(4711), pg_advisory_lock(4711), pg_advisory_lock_shared(1, 2);
      select set_config('statement_timeout', '5s', false);`,
      '0002_finds': `create table found as select
        current_setting('statement_timeout') as timeout, current_setting('session_replication_role') as replication,
        current_setting('TimeZone') as zone, nullif(current_setting('app.leak', true), '') as leak, 'C:\\temp' as path,
        to_regclass('left_behind')::text as temporary, (select count(*)::int from pg_prepared_statements) as prepared,
        (select count(*)::int from pg_cursors where name = 'left_cursor') as cursors,
        (select count(*)::int from pg_listening_channels()) as channels,
        (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks;`,
      '0003_slow': 'select pg_sleep(5.1);',
    });
    const run = await aisec('migrate', 'up', '--migrations-dir', `aisec=${directory}`);
    rmSync(directory, { recursive: true });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr.match(/^warning: .*/gm)).toEqual([
      expect.stringContaining('migration 0001_leaves left in its session'),
    ]);
    const { rows } = await database.admin.query('select * from found');
    expect(rows).toEqual([
      {
        timeout: '0',
        replication: 'origin',
        zone: 'UTC',
        leak: null,
        path: 'C:\\temp',
        temporary: null,
        prepared: 0,
        cursors: 0,
        channels: 0,
        // The lock of the run itself.
        // The run's own, of the database and of the schema.
        locks: 2,
      },
    ]);
  });

  test('keeps the role of a migration to that migration, and records it as its own', async () => {
    const role = `${database.name}_o`;
    await database.admin.query(`create role "${role}"; grant create on schema public to "${role}"`);
    const directory = migrationsFolder({
      '0001_local.sql': migration(`set local role "${role}"; create table theirs (id int);`),
      '0002_plain.sql': migration('create table ours (id int);'),
      '0003_session.sql': migration(`select set_config('role', '${role}', false); create table theirs_too (id int);`),
      '0004_plain.sql': migration('create table ours_too (id int); reset role;'),
      '0005_level.sql': migration('set transaction isolation level serializable; select 1;'),
    });
    try {
      expect(await aisec('migrate', 'up', '--migrations-dir', `aisec=${directory.dir}`)).toMatchObject({ exitCode: 0 });
      const { rows } = await database.admin.query(
        `select tablename, tableowner from pg_tables where schemaname = 'public' and tablename ~ '^(ours|theirs)' order by 1`,
      );
      const owner = decodeURIComponent(new URL(database.url).username);
      expect(rows).toEqual([
        { tablename: 'ours', tableowner: owner },
        { tablename: 'ours_too', tableowner: owner },
        { tablename: 'theirs', tableowner: role },
        { tablename: 'theirs_too', tableowner: role },
      ]);
    } finally {
      await database.admin.query(`drop owned by "${role}"; drop role "${role}"`);
    }
  });
});
