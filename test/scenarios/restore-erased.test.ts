import { copyFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { databaseAddress } from '../support/database-address.js';
import { dropDatabase, newDatabaseName } from '../support/database-names.js';
import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { killedAt, untilGone } from '../support/kill-at-statement.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { describeWithStore, startObjectStore } from '../support/object-store.js';
import { takeBackup } from '../support/take-backup.js';

const ID = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

/** 1 is hanako, 2 taro, 3 jiro, whose assistant taro uses. */
const FILL = `
  select aisec_make_message_partitions(array['2026-05-01', '2026-06-01']::date[]);
  insert into users (id, username, email, password_hash)
  select ('00000000-0000-4000-8000-00000000000' || n)::uuid, (array['hanako', 'taro', 'jiro'])[n], 'u' || n || '@example.com', 'x' from generate_series(1, 3) n;
  insert into assistants (id, user_id, name, is_public) values ('30000000-0000-4000-8000-000000000003', '${ID(3)}', 'shared', true);
  insert into conversations (id, user_id, assistant_id)
  select ('10000000-0000-4000-8000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid, case n when 2 then '30000000-0000-4000-8000-000000000003'::uuid end from generate_series(1, 3) n;
  insert into messages (conversation_id, role, content, created_at)
  select ('10000000-0000-4000-8000-00000000000' || c)::uuid, 'user', 'diary of ' || c, timestamptz '2026-05-02 00:00:00+00' + n * interval '1 day'
  from generate_series(1, 3) c, generate_series(1, 50) n;
  select aisec_archive_month('2026-05-01')`;

const LEFT = `
  select (select array_agg(username order by username) from users where is_active) as users,
    (select array_agg(distinct content order by content) from all_messages) as texts,
    (select count(*)::int from message_keys) as keys`;

describeOnServer('a restore of a backup that was made before an erasure', () => {
  let database: ServerDatabase;
  let server: pg.Client;
  let [directory, file] = ['', ''];
  const made: string[] = [];
  const newName = (): string => {
    const name = newDatabaseName(inject('runId'));
    made.push(name);
    return name;
  };
  const run = (args: readonly string[], url = database.url): Promise<CliResult> =>
    runInProcess(args, {
      env: { DATABASE_URL: url, PATH: process.env['PATH'] ?? '', AISEC_BACKUP_DIR: directory },
      cwd: directory,
    });
  const urlOf = (name: string): string => databaseAddress(database.url, name);
  const queryIn = async (name: string, sql: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: urlOf(name) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const exists = async (name: string): Promise<boolean> =>
    (await server.query('select from pg_database where datname = $1', [name])).rowCount === 1;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await database.admin.query(sql);
    directory = path.join(await createEmbeddedDirectory(), 'backups');
    mkdirSync(directory);
    file = path.join(directory, 'app_20261125_060000.dump');
    await takeBackup(database.url, file);
    server = new pg.Client({ connectionString: inject('databaseUrl') ?? '' });
    await server.connect();
    expect(await run(['user', 'erase', 'hanako', '--confirm', 'hanako'])).toMatchObject({ exitCode: 0 });
  });
  afterAll(async () => {
    for (const name of made) for (const each of [name, `aisec_restoring_${name}`]) await dropDatabase(server, each);
    await server.end();
  });

  test('the list beside the backups names nobody, and is for its owner only', () => {
    const list = path.join(directory, 'erasures.jsonl');
    expect(statSync(list).mode & 0o777).toBe(0o600);
    const text = readFileSync(list, 'utf8');
    expect(text.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(text)).toMatchObject({ shared: 'refuse', anonymise: [] });
    expect(text).not.toMatch(/hanako|example\.com|00000000-0000-4000/);
  });

  test('erases again whom it brings back, by the list of the live database, and by that beside the backup', async () => {
    const [beside, alone] = [newName(), newName()];
    const plan = await run(['restore', file, '--create', beside, '--dry-run']);
    expect(plan.stdout).toContain('erase again whom it brings back of 1 erasure on record in');
    const result = await run(['restore', file, '--create', beside, '--json']);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({
      erasedAgain: {
        known: 1,
        users: 1,
        blocked: [],
        sources: expect.arrayContaining([`database "${database.name}"`]),
      },
    });
    expect(result.stderr).toContain('1 person erased after the backup was made was erased again');
    const left = [{ users: ['jiro', 'taro'], texts: ['diary of 2', 'diary of 3'], keys: 100 }];
    expect(await queryIn(beside, LEFT)).toEqual(left);
    // The server of then is lost, and a new one has no database of that name.
    const lost = await run(['restore', file, '--create', alone], urlOf('not_there'));
    expect(lost).toMatchObject({ exitCode: 0 });
    expect(lost.stderr).toContain('was erased again');
    expect(await queryIn(alone, LEFT)).toEqual(left);
    expect(await queryIn(alone, 'select subject, finished_at is not null as done from erasures')).toEqual([
      { subject: null, done: true },
    ]);
    const again = await run(['user', 'erase', ID(1), '--confirm', 'hanako'], urlOf(alone));
    expectError(again, 2, `there is no user "${ID(1)}"`);
  });

  test('killed before all are erased again, it has not its name, and the next run completes', async () => {
    const name = newName();
    // The last row of the person, after all that hangs on it.
    const killed = await killedAt('from users where id = $1 for update', {
      args: ['restore', file, '--create', name, '--dir', directory],
      env: { DATABASE_URL: database.url },
    });
    expect(killed.signal).toBe('SIGKILL');
    await untilGone(database);
    expect(await exists(`aisec_restoring_${name}`)).toBe(true);
    expect(await exists(name)).toBe(false);
    expect(await run(['restore', file, '--create', name])).toMatchObject({ exitCode: 0 });
    expect(await queryIn(name, LEFT)).toMatchObject([{ users: ['jiro', 'taro'] }]);
  });

  test('--replace erases again, and keeps the database that was there; a subset of the backup leaves the person out', async () => {
    const name = newName();
    expect(await run(['restore', file, '--create', name])).toMatchObject({ exitCode: 0 });
    await queryIn(name, "update users set username = 'changed' where username = 'taro'");
    const replaced = await run(['restore', file, '--replace', '--confirm', name], urlOf(name));
    expect(replaced).toMatchObject({ exitCode: 0 });
    expect(replaced.stderr).toContain('was erased again');
    expect(await queryIn(name, LEFT)).toMatchObject([{ users: ['jiro', 'taro'] }]);
    const kept = await server.query<{ datname: string }>('select datname from pg_database where datname like $1', [
      `${name}_before_%`,
    ]);
    made.push(...kept.rows.map(({ datname }) => datname));

    // Under the name that its manifest has.
    const { file: named } = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { readonly file: string };
    for (const end of ['', '.json']) copyFileSync(`${file}${end}`, path.join(directory, `${named}${end}`));
    const target = await createServerDatabase({ migrated: true });
    const args = ['subset', '--backup', named, '--where', 'true', '--mask', '--into-url', target.url, '--json'];
    const subset = await run(args);
    expect(subset, subset.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(subset.stdout)).toMatchObject({ users: 2 });
    const { rows } = await target.admin.query('select id from users order by id');
    expect(rows).toEqual([{ id: ID(2) }, { id: ID(3) }]);
    await target.drop();
  });

  test('rows and tables of the person do not come back', async () => {
    const refused = await run(['restore', file, '--user', 'hanako']);
    expectError(refused, 3, 'cannot restore to the tables', `user ${ID(1)} was erased after the backup was made`);
    await database.admin.query(`delete from conversations where user_id = '${ID(2)}'`);
    const rows = await run(['restore', file, '--rows', 'users where true']);
    expect(rows).toMatchObject({ exitCode: 0 });
    expect(rows.stderr).toContain('left out: 1 user erased since');
    await database.admin.query('truncate messages_archive');
    const month = await run(['restore', file, '--month', '2026-05', '--dangling', 'leave-out']);
    expect(month).toMatchObject({ exitCode: 0 });
    await database.admin.query('drop table messages_archive cascade');
    const table = await run(['restore', file, '--table', 'messages_archive']);
    expect(table).toMatchObject({ exitCode: 0 });
    expect(table.stderr).toContain(
      'left out: 29 rows of "public"."messages_archive" whose conversation does not exist',
    );
    await database.admin.query('drop table users cascade');
    expect(await run(['restore', file, '--table', 'users'])).toMatchObject({ exitCode: 0 });
    expect((await database.admin.query(LEFT)).rows).toEqual([
      { users: ['jiro', 'taro'], texts: ['diary of 2', 'diary of 3'], keys: expect.any(Number) },
    ]);
    const copy = await run(['restore', file, '--table', 'users', '--as', 'users_of_then']);
    expect(copy.stderr).toContain('it may hold people who were erased since');
    await database.admin.query('drop table users_of_then');
  });

  test('whom others depend on in the backup is reported, with a closed account and what to do', async () => {
    const name = newName();
    await database.admin.query(`update conversations set assistant_id = null`);
    expect(await run(['user', 'erase', 'jiro', '--confirm', 'jiro'])).toMatchObject({ exitCode: 0 });
    const result = await run(['restore', file, '--create', name]);
    expect(result.exitCode, result.stderr).toBe(3);
    expect(result.stderr).toContain(`aisec user erase ${ID(3)} --shared hand-over=USER`);
    expect(await queryIn(name, LEFT)).toMatchObject([{ users: ['taro'] }]);
    const args = ['user', 'erase', ID(3), '--shared', 'hand-over=taro', '--confirm', 'jiro'];
    expect(await run(args, urlOf(name))).toMatchObject({ exitCode: 0 });
    expect(await queryIn(name, LEFT)).toEqual([{ users: ['taro'], texts: ['diary of 2'], keys: 50 }]);
  });

  describeWithStore('from a store', () => {
    test('by the list that each copy writes there, when all else is lost', async () => {
      const store = await startObjectStore('backups');
      const own = await createServerDatabase({ migrated: true });
      for (const sql of FILL.split(';\n')) await own.admin.query(sql);
      const here = path.join(await createEmbeddedDirectory(), 'here');
      const elsewhere = path.join(await createEmbeddedDirectory(), 'elsewhere');
      const inStore = (args: readonly string[], url: string, dir: string): Promise<CliResult> =>
        runInProcess([...args, '--dir', dir], {
          env: { DATABASE_URL: url, PATH: process.env['PATH'] ?? '', ...store.environment },
        });
      const copy = ['backup', '--store', 's3://backups/app', '--endpoint', store.endpoint, '--json'];
      const first = await inStore(copy, own.url, here);
      expect(first, first.stderr).toMatchObject({ exitCode: 0 });
      expect(
        await inStore(['user', 'erase', 'hanako', '--confirm', 'hanako', '--out', here], own.url, here),
      ).toMatchObject({ exitCode: 0 });
      expect(await inStore(copy, own.url, here)).toMatchObject({ exitCode: 0 });
      const name = newName();
      const { file: old } = JSON.parse(first.stdout) as { readonly file: string };
      const url = `s3://backups/app/${path.basename(old)}`;
      const restore = ['restore', url, '--endpoint', store.endpoint, '--create', name];
      const restored = await inStore(restore, urlOf('not_there'), elsewhere);
      expect(restored, restored.stderr).toMatchObject({ exitCode: 0 });
      expect(restored.stderr).toContain('was erased again');
      expect(await queryIn(name, LEFT)).toMatchObject([{ users: ['jiro', 'taro'] }]);
    });
  });
});
