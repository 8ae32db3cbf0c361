import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeEach, describe, expect, test } from 'vitest';

import { parseStatements } from '../../../src/adapters/sql-parser/statements.js';
import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import { createMigratedEmbedded, queryEmbedded } from '../../support/migrated-embedded.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { scratchDatabasesOf } from '../../support/scratch-databases.js';

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly wider: string | null;
  readonly fix: string | null;
  readonly differences: readonly { readonly property: string }[];
}

const cacheDir = mkdtempSync(path.join(tmpdir(), 'aisec-test-cache-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

function findingsOf(run: CliResult): readonly Finding[] {
  return (JSON.parse(run.stdout) as { findings: readonly Finding[] }).findings;
}

describeOnServer('migrate drift', () => {
  let database: ServerDatabase;

  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database.url, AISEC_CACHE_DIR: cacheDir } });

  test('a migrated database has no drift, whatever the version of its server and its months', async () => {
    await database.admin.query("select ensure_message_partitions(2, '2024-01-01')");
    const run = await aisec('migrate', 'drift');
    expect(run).toMatchObject({ exitCode: 0, stdout: '' });
    expect(run.stderr).toContain('no differences, compared with');
  });

  test('a changed default, a revoked grant, row-level security that is off and an edited function are found by property', async () => {
    await database.admin.query(`
      alter table users alter column is_active set default false;
      revoke select on assistants from authenticated;
      alter table files disable row level security;
      create or replace function set_updated_at() returns trigger language plpgsql as 'begin return new; end'`);
    const run = await aisec('migrate', 'drift', '--json');
    expect(run.exitCode).toBe(3);
    expect(
      findingsOf(run).map(({ id, wider, differences }) => [
        id,
        wider,
        differences.map(({ property }) => property).join(),
      ]),
    ).toEqual([
      ['function-changed:set_updated_at()', null, 'body,configuration'],
      ['table-changed:files', 'database', 'rowLevelSecurity'],
      ['column-changed:users.is_active', null, 'default'],
      ['grant-changed:on table assistants to authenticated', 'migrations', 'privileges'],
    ]);
  });

  test('the script of all fixes takes the database back', async () => {
    await database.admin.query(`
      drop view conversation_stats;
      drop table size_records, size_record_tables, archive_journal cascade;
      drop function archive_old_messages(interval);
      drop policy user_files_policy on files;
      drop trigger set_updated_at on users;
      drop index idx_users_email, idx_knowledge_base_terms;
      alter table api_usage drop constraint api_usage_cost_not_negative;
      alter table files drop constraint files_user_id_fkey;
      alter table assistants alter column custom_system_prompt type varchar(500), alter column name drop not null;
      alter table conversations disable trigger aisec_delete_archived_messages;
      drop trigger aisec_follow_message_key on messages;
      create or replace trigger aisec_register_message_key before insert on messages
        for each row execute function aisec_register_message_key('messages');
      create trigger mine before insert on messages for each row execute function set_updated_at();
      alter table voices add constraint mine check (name <> 'x');
      create index mine on voices (name);
      create policy mine on conversations for select to public using (true);
      grant all on users to public;
      comment on table voices is null`);
    const before = await aisec('migrate', 'drift', '--sql');
    expect(before.exitCode).toBe(3);
    const parsed = await parseStatements(before.stdout);
    if ('error' in parsed) throw new Error(parsed.error.message);
    for (const { text } of parsed.statements) await database.admin.query(text);
    expect(await aisec('migrate', 'drift')).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('policies and grants say which side is wider', async () => {
    await database.admin.query(`
      create policy more on conversations for select to public using (true);
      create policy less on conversations as restrictive for select to public using (false);
      alter policy user_assistants_policy on assistants using (user_id = (select current_user_id()) or is_public);
      alter policy user_voices_policy on voices using (user_id = (select current_user_id()) and is_active);
      alter policy user_avatars_policy on avatars using (name = 'x');
      grant truncate on users to authenticated;
      alter view conversation_stats set (security_invoker = false)`);
    const wider = Object.fromEntries(
      findingsOf(await aisec('migrate', 'drift', '--json')).map((one) => [one.id, one.wider]),
    );
    expect(wider).toEqual({
      'policy-extra:more on conversations': 'database',
      'policy-extra:less on conversations': 'migrations',
      'policy-changed:user_assistants_policy on assistants': 'database',
      'policy-changed:user_voices_policy on voices': 'migrations',
      'policy-changed:user_avatars_policy on avatars': 'undecided',
      'grant-extra:on table users to authenticated': 'database',
      'view-changed:conversation_stats': 'database',
    });
  });

  test('whole objects beside those of the migrations are notices and no drift', async () => {
    await database.admin.query(`
      create table alembic_version (version_num varchar(32) primary key);
      create function mine() returns int language sql as 'select 1'`);
    const run = await aisec('migrate', 'drift', '--json');
    expect(run.exitCode).toBe(0);
    expect(findingsOf(run).map(({ id, severity, fix }) => [id, severity, fix])).toEqual([
      ['table-unmanaged:alembic_version', 'notice', null],
      ['function-unmanaged:mine()', 'notice', null],
    ]);
  });

  test('a column with values is never dropped by a fix', async () => {
    await database.admin.query('alter table users add column nickname text');
    const [finding] = findingsOf(await aisec('migrate', 'drift', '--json'));
    expect(finding).toMatchObject({ id: 'column-extra:users.nickname', fix: null });
  });

  test('the database is compared with the texts that it recorded, not with what the files have become', async () => {
    const own = await createServerDatabase();
    const folder = migrationsFolder({ '0001_one.sql': migration('create table one (id int);', 'drop table one;') });
    const env = { DATABASE_URL: own.url, AISEC_CACHE_DIR: cacheDir };
    const run = (...args: readonly string[]): Promise<CliResult> =>
      runInProcess([...args, '--migrations-dir', `aisec=${folder.dir}`], { env });
    await run('migrate', 'up');
    folder.write({
      '0001_one.sql': migration('create table one (id int, more int);', 'drop table one;'),
      '0002_two.sql': migration('create table two (id int);', 'drop table two;'),
    });
    expect((await run('migrate', 'drift')).exitCode).toBe(0);
    await own.admin.query('alter table one add column more int');
    expect((await run('migrate', 'drift')).exitCode).toBe(3);
  });

  test('a schema of another name is compared, and the fixes set its search_path', async () => {
    const own = await createServerDatabase();
    const env = { DATABASE_URL: own.url, AISEC_CACHE_DIR: cacheDir };
    await runInProcess(['migrate', 'up', '--schema', 'My Schema'], { env });
    expect(await runInProcess(['migrate', 'drift', '--schema', 'My Schema'], { env })).toMatchObject({ exitCode: 0 });
    await own.admin.query('drop function "My Schema".hash_password(text)');
    const { stdout } = await runInProcess(['migrate', 'drift', '--schema', 'My Schema', '--sql'], { env });
    await own.admin.query(stdout);
    expect(await runInProcess(['migrate', 'drift', '--schema', 'My Schema'], { env })).toMatchObject({ exitCode: 0 });
  });

  test('a replay is kept by the checksums of its files, and a damaged one is made again', async () => {
    await aisec('migrate', 'drift');
    const [kept = ''] = readdirSync(cacheDir).filter((name) => name.endsWith('.replay.json.gz'));
    expect(kept).not.toBe('');
    expect((await aisec('migrate', 'drift')).stderr).not.toContain('replaying');
    for (const name of readdirSync(cacheDir)) writeFileSync(path.join(cacheDir, name), 'damaged');
    expect(await aisec('migrate', 'drift')).toMatchObject({ exitCode: 0 });
    expect((await aisec('migrate', 'drift')).stderr).not.toContain('replaying');
    expect(existsSync(path.join(cacheDir, kept))).toBe(true);
  });

  describe('with an ignore file', () => {
    const entry = (id: string, until = '2999-12-31'): object => ({ id, reason: 'of the reporting team', until });
    const ignoring = async (...entries: readonly object[]): Promise<CliResult> => {
      const file = path.join(cacheDir, 'ignore.json');
      writeFileSync(file, JSON.stringify({ ignore: entries }));
      return aisec('migrate', 'drift', '--json', '--ignore-file', file);
    };

    test('leaves out what its entries name or match, and reports those that do nothing', async () => {
      await database.admin.query(`
        create index report_a on files (file_type);
        create index report_b on users (last_name);
        alter table voices add constraint mine check (name <> 'x')`);
      const run = await ignoring(
        entry('index-extra:report_*'),
        entry('constraint-extra:mine on voices', '2020-01-01'),
        entry('column-extra:users.nickname'),
      );
      expect(run.exitCode).toBe(3);
      expect(findingsOf(run).map(({ id }) => id)).toEqual(['constraint-extra:mine on voices']);
      const document = JSON.parse(run.stdout) as Record<
        string,
        readonly { readonly id: string; readonly reason?: string }[]
      >;
      expect(document['ignored']?.map(({ id, reason }) => [id, reason])).toEqual([
        ['index-extra:report_a on files', 'of the reporting team'],
        ['index-extra:report_b on users', 'of the reporting team'],
      ]);
      expect(document['ignoreProblems']).toEqual([
        { id: 'constraint-extra:mine on voices', problem: 'it was ignored until 2020-01-01: of the reporting team' },
        { id: 'column-extra:users.nickname', problem: 'there is no such finding any more; take the entry out' },
      ]);
      expect(run.stderr).toContain('1 difference, 2 ignored');
    });

    test('exits 0 when nothing is left, and leaves the ignored out of the script of fixes', async () => {
      await database.admin.query("alter table voices add constraint mine check (name <> 'x')");
      expect((await ignoring(entry('constraint-extra:*'))).exitCode).toBe(0);
      const file = path.join(cacheDir, 'ignore.json');
      expect((await aisec('migrate', 'drift', '--sql', '--ignore-file', file)).stdout).toBe('');
    });

    test('an entry without a reason is refused before anything is opened', async () => {
      const run = await ignoring({ id: 'index-extra:*', until: '2999-12-31' });
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain('without a reason');
    });
  });

  test('a database that records no migration is sent to up or baseline', async () => {
    const own = await createServerDatabase();
    const run = await runInProcess(['migrate', 'drift'], { env: { DATABASE_URL: own.url } });
    expect(run).toMatchObject({ exitCode: 3, stdout: '' });
    expect(run.stderr).toContain('aisec migrate baseline');
  });
});

describe('migrate drift on the embedded database', () => {
  test('is told with its object and its fix, and exits 3', async () => {
    const dataDir = await createMigratedEmbedded();
    const env = { AISEC_DATA_DIR: dataDir, AISEC_CACHE_DIR: cacheDir };
    expect(await runInProcess(['migrate', 'drift'], { env })).toMatchObject({ exitCode: 0, stdout: '' });
    await queryEmbedded(dataDir, 'drop policy user_files_policy on files');
    const run = await runInProcess(['migrate', 'drift', '--json'], { env });
    expect(run.exitCode).toBe(3);
    expect(findingsOf(run)).toMatchObject([{ id: 'policy-missing:user_files_policy on files', wider: 'migrations' }]);
  });

  test('without a database it is refused', async () => {
    const env = { AISEC_DATA_DIR: path.join(await createEmbeddedDirectory(), 'none') };
    expect(await runInProcess(['migrate', 'drift'], { env })).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describeOnServer("migrate drift with a team's own migrations", () => {
  test('knows all sources, also one that no directory was given for', async () => {
    const own = await createServerDatabase();
    const env = { DATABASE_URL: own.url, AISEC_CACHE_DIR: cacheDir };
    const { dir } = migrationsFolder({
      '0001_notes.sql': migration('create table notes (id int);', 'drop table notes;'),
    });
    await runInProcess(['migrate', 'up', '--migrations-dir', dir], { env });
    const given = await runInProcess(['migrate', 'drift', '--migrations-dir', dir], { env });
    expect(given).toMatchObject({ exitCode: 0, stdout: '' });
    expect(given.stderr).toContain('up to app/0001_notes');
    expect(await runInProcess(['migrate', 'drift'], { env })).toMatchObject({ exitCode: 0, stdout: '' });
    await own.admin.query('alter table notes add column more int');
    const [finding] = findingsOf(await runInProcess(['migrate', 'drift', '--json'], { env }));
    expect(finding).toMatchObject({ id: 'column-extra:notes.more' });
  });

  test('replays in a scratch database on the server what needs an extension that the embedded one lacks', async () => {
    const own = await createServerDatabase();
    const env = { DATABASE_URL: own.url, AISEC_CACHE_DIR: cacheDir };
    const { dir } = migrationsFolder({
      '0001_names.sql': migration('create extension citext;\ncreate table names (name citext);', 'drop table names;'),
    });
    const aisec = (...args: readonly string[]): Promise<CliResult> =>
      runInProcess(['migrate', ...args, '--migrations-dir', dir], { env });
    expect((await aisec('up')).exitCode).toBe(0);
    const refused = await aisec('drift');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('--server');
    const made = await scratchDatabasesOf(async () => {
      expect(await aisec('drift', '--server')).toMatchObject({ exitCode: 0, stdout: '' });
      await own.admin.query('alter table names add column more int');
      const [finding] = findingsOf(await aisec('drift', '--server', '--json'));
      expect(finding).toMatchObject({ id: 'column-extra:names.more' });
    });
    expect(made.length).toBeGreaterThan(0);
    const left = await own.admin.query('select datname from pg_database where datname = any ($1)', [made]);
    expect(left.rows).toEqual([]);
  });
});
