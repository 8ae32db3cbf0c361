import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import pg from 'pg';
import { expect, test } from 'vitest';

import { findTools } from '../../src/adapters/pgtools/find-tools.js';
import { compareCatalogs } from '../../src/features/backup/verify/compare-catalogs.js';
import { snapshotOf } from '../support/catalog.js';
import { dropDatabase } from '../support/database-names.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { useRestoreFixture } from '../support/restore-fixture.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup } from '../support/take-backup.js';

/** While one job loads the large partition, the other one has nothing left to do but the trigger. */
const LOGGED = [
  `create table logged (id int, month int) partition by list (month);
   create table logged_0 partition of logged for values in (0);
   create table logged_1 partition of logged for values in (1);
   create function refuse() returns trigger language plpgsql as $$ begin raise exception 'fired'; end $$;`,
  'insert into logged select n, 0 from generate_series(1, 400000) n',
  'insert into logged select n, 1 from generate_series(1, 10) n',
  'create trigger refuse before insert on logged for each row execute function refuse()',
];

/** A directory with a pg_restore that runs the real one, and what that says, line by line. */
async function loggingPgRestore(): Promise<{ readonly directory: string; readonly said: () => Promise<string[]> }> {
  const directory = await createEmbeddedDirectory();
  const tools = await findTools('pg_restore', { pgBinDir: undefined, environment: process.env });
  const real = tools.toSorted((a, b) => b.major - a.major)[0]?.path ?? '';
  const log = path.join(directory, 'log');
  const script = `#!/bin/bash\nset -o pipefail\n{ '${real}' "$@" 2>&1 >&3 3>&- | tee -a '${log}' >&2; } 3>&1\n`;
  await writeFile(path.join(directory, 'pg_restore'), script, { mode: 0o755 });
  return { directory, said: async () => (await readFile(log, 'utf8')).split('\n') };
}

describeOnServer('aisec restore', () => {
  const { source, server, file, newName, urlOf, restore, startHeld, databases, queryIn } = useRestoreFixture();

  test('a new database has the catalog, the rows and statistics, also under an odd name', async () => {
    const name = newName(' "odd" Ü');
    const result = await restore(['--create', name, '--json']);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ mode: 'create', database: name, isDryRun: false, before: null });
    expect(
      compareCatalogs(await snapshotOf(source().url), await snapshotOf(urlOf(name)), { withGrants: true }),
    ).toEqual([]);
    expect(await queryIn(name, 'select count(*)::int as n from messages')).toEqual([{ n: 300 }]);
    expect(await queryIn(name, "select reltuples::int as n from pg_class where relname = 'messages'")).toEqual([
      { n: 300 },
    ]);
    expect(await databases(name)).toEqual([name]);
  });

  test('with several jobs the triggers of a partitioned table are made when all its rows are back, and fire for none of them', async () => {
    const other = await createServerDatabase();
    for (const sql of LOGGED) await other.admin.query(sql);
    const logged = `${file()}.logged`;
    await takeBackup(other.url, logged);
    await other.drop();
    const { directory, said } = await loggingPgRestore();
    const name = newName();
    const env = { DATABASE_URL: source().url, AISEC_PG_BIN: directory };
    expect(await runInProcess(['restore', logged, '--create', name, '--jobs', '2'], { env })).toMatchObject({
      exitCode: 0,
    });
    const lines = await said();
    const lastRows = lines.findLastIndex((line) => / finished item \d+ TABLE DATA logged_/.test(line));
    const trigger = lines.findIndex((line) => / launching item \d+ TRIGGER logged /.test(line));
    expect(lastRows).toBeGreaterThan(0);
    expect(trigger).toBeGreaterThan(lastRows);
    expect(await queryIn(name, 'select count(*)::int as n from logged')).toEqual([{ n: 400_010 }]);
    await expect(queryIn(name, 'insert into logged values (1, 1)')).rejects.toThrow('fired');
    await dropDatabase(server(), name);
  });

  test('everything the server lacks is named at once, before anything is touched', async () => {
    const roles = [newName(), `${newName()} "quoted"`];
    const other = await createServerDatabase();
    for (const role of roles) await server().query(`create role ${pg.escapeIdentifier(role)}`);
    await other.admin.query(`create table t (id int)`);
    await other.admin.query(`alter table t owner to ${pg.escapeIdentifier(roles[0] ?? '')}`);
    await other.admin.query(`create policy p on t to ${pg.escapeIdentifier(roles[1] ?? '')} using (true)`);
    const lacking = `${file()}.lacking`;
    await takeBackup(other.url, lacking);
    await other.drop();
    for (const role of roles) await server().query(`drop role ${pg.escapeIdentifier(role)}`);

    const name = newName();
    const env = { DATABASE_URL: source().url };
    const result = await runInProcess(['restore', lacking, '--create', name], { env });
    expectError(result, 3, 'cannot restore to ');
    for (const role of roles) expect(result.stderr).toContain(`role ${pg.escapeIdentifier(role)} is missing`);
    expect(await databases(name)).toEqual([]);
    expectError(await restore(['--create', source().name]), 3, 'cannot restore to ', 'exists');

    const bare = await runInProcess(['restore', lacking, '--create', name, '--create-roles'], { env });
    expect(bare).toMatchObject({ exitCode: 0 });
    expect(
      await queryIn(name, `select pg_get_userbyid(relowner)::text as owner from pg_class where relname = 't'`),
    ).toEqual([{ owner: roles[0] }]);
    expect(
      (await server().query('select bool_or(rolcanlogin) as login from pg_roles where rolname = any ($1)', [roles]))
        .rows,
    ).toEqual([{ login: false }]);
    await dropDatabase(server(), name);
    for (const role of roles) await server().query(`drop role ${pg.escapeIdentifier(role)}`);
  });

  test('a cut-off file, a flipped byte, a missing manifest and a wrong command line are refused', async () => {
    const bytes = await readFile(file());
    const damaged = `${file()}.damaged`;
    await writeFile(damaged, bytes.subarray(0, -20));
    const env = { DATABASE_URL: source().url };
    const name = newName();
    const without = await runInProcess(['restore', damaged, '--create', name], { env });
    expectError(without, 3, `the backup ${damaged} has no manifest`);
    // Of a flipped byte this reading may know nothing (in a definition, say); the checksum of the manifest does.
    const read = await runInProcess(['restore', damaged, '--create', name, '--without-manifest'], { env });
    expectError(read, 3, `the archive ${damaged} cannot be read to its end`);
    const place = Math.floor(bytes.length / 2);
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    await writeFile(damaged, bytes);
    await writeFile(`${damaged}.json`, await readFile(`${file()}.json`));
    expectError(
      await runInProcess(['restore', damaged, '--create', name], { env }),
      3,
      `the backup ${damaged} is damaged`,
    );
    for (const args of [
      [],
      ['--create', name, '--replace'],
      ['--create', ''],
      ['--create', name, '--terminate'],
      ['--table', 'a.b.c'],
    ])
      expect(await restore(args), args.join(' ')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await databases(name)).toEqual([]);
  });

  test('a dry run shows the plan and touches nothing', async () => {
    const name = newName();
    const result = await restore(['--create', name, '--dry-run']);
    expect(result.stdout).toContain(`restore into the new database "aisec_restoring_${name}"`);
    expect(await databases(name)).toEqual([]);
  });

  test('rows that do not come back as the manifest has them leave nothing behind', async () => {
    const manifest = JSON.parse(await readFile(`${file()}.json`, 'utf8'));
    const other = `${file()}.other`;
    await writeFile(other, await readFile(file()));
    const rows = manifest.rows.map((row: { table: string; rows: number }) =>
      row.rows === 300 ? { ...row, rows: 301 } : row,
    );
    await writeFile(`${other}.json`, JSON.stringify({ ...manifest, rows }));
    const name = newName();
    const result = await runInProcess(['restore', other, '--create', name], { env: { DATABASE_URL: source().url } });
    expectError(result, 1, 'what was restored is not what was backed up', 'has 300 rows, the backup had 301');
    expect(await databases(name)).toEqual([]);
    await writeFile(`${other}.json`, JSON.stringify({ ...manifest, migration: '9999_later' }));
    const plan = [other, '--create', name, '--dry-run'];
    const { stderr } = await runInProcess(['restore', ...plan], { env: { DATABASE_URL: source().url } });
    expect(stderr).toContain(
      'warning: the backup has migration "9999_later", which is newer than this version of aisec',
    );
  });

  test('of two restores of one name at once one works, the other is told who is at work', async () => {
    const name = newName();
    const { run: first, release } = await startHeld(['--create', name]);
    expectError(await restore(['--create', name]), 5, 'another run is at work', '"aisec restore"');
    release();
    expect(await first.finished).toMatchObject({ exitCode: 0 });
  });

  test('Ctrl-C drops what was begun', async () => {
    const name = newName();
    const { run } = await startHeld(['--create', name]);
    expect(await databases(name)).toEqual([`aisec_restoring_${name}`]);
    run.child.kill('SIGINT');
    expect(await run.finished).toMatchObject({ exitCode: 130, stdout: '' });
    expect(await databases(name)).toEqual([]);
  });

  test('a dropped table comes back with partitions, keys, triggers, policies and row security', async () => {
    const name = newName();
    expect(await restore(['--create', name])).toMatchObject({ exitCode: 0 });
    const there = await restore(['--table', 'messages'], urlOf(name));
    expectError(there, 3, 'cannot restore to ', 'already');

    const wanted = await snapshotOf(urlOf(name));
    await queryIn(name, 'drop table messages cascade');
    await queryIn(name, 'drop table "Odd ""Name"');
    const plan = await restore(['--table', 'messages', '--dry-run'], urlOf(name));
    expect(plan.stdout).toContain('6 row security');
    const result = await restore(['--table', 'messages'], urlOf(name));
    expect(result).toMatchObject({ exitCode: 0 });
    expect(await restore(['--table', '"Odd ""Name"'], urlOf(name))).toMatchObject({ exitCode: 0 });
    const faults = compareCatalogs(wanted, await snapshotOf(urlOf(name)), { withGrants: true });
    expect(faults).toEqual([]);
    expect(await queryIn(name, 'select count(*)::int as n from messages')).toEqual([{ n: 300 }]);
    await queryIn(name, `insert into "Odd ""Name" ("Größe") values ('c')`);
    expect(await queryIn(name, 'select max(id) as id from "Odd ""Name"')).toEqual([{ id: 3 }]);
  });

  test('a table comes with the tables and functions it needs into an empty database', async () => {
    const name = newName();
    await server().query(`create database ${pg.escapeIdentifier(name)} template template0`);
    const result = await restore(['--table', 'conversations', '--json'], urlOf(name));
    expect(result).toMatchObject({ exitCode: 0 });
    const { tables, prerequisites } = JSON.parse(result.stdout);
    expect(tables).toEqual(expect.arrayContaining(['public.conversations', 'public.users', 'public.assistants']));
    expect(prerequisites).toEqual(expect.arrayContaining(['function public.current_user_id()']));
    expect(
      await queryIn(
        name,
        `select bool_and(relrowsecurity) as on from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
      ),
    ).toEqual([{ on: true }]);
  });

  test('--no-privileges says which grants get lost', async () => {
    const name = newName();
    const result = await restore(['--create', name, '--no-privileges']);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toMatch(/warning: lost by --no-privileges: GRANT .* TO authenticated;/);
    const catalog = await snapshotOf(urlOf(name));
    expect(catalog.grants.filter(({ grantee }) => grantee === 'authenticated')).toEqual([]);
    expect(catalog.policies.length).toBeGreaterThan(0);
  });

  test('a locale that the server lacks is found before anything is made, and --locale chooses another', async () => {
    const odd = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    const archive = (await readFile(file())).toString('latin1');
    await writeFile(odd, archive.replace(/(?<= LOCALE = ')[^']/, 'X'), 'latin1');
    const name = newName();
    const create = (...args: readonly string[]): Promise<CliResult> =>
      runInProcess(['restore', odd, '--without-manifest', '--create', name, ...args], {
        env: { DATABASE_URL: source().url },
      });
    const message = /the server does not have the libc locale "X[^"]*"/;
    for (const args of [['--dry-run'], []]) {
      const refused = await create(...args);
      expectError(refused, 3, 'cannot restore to ', '--locale C.UTF-8');
      expect(refused.stderr).toMatch(message);
    }
    expectError(await create('--dry-run', '--locale', 'xx_XX'), 3, 'cannot restore to ', 'give another --locale');
    expectError(await create('--locale', 'own:x'), 2, '--locale: invalid locale "own:x"');
    expectError(await restore(['--table', 'users', '--locale', 'C']), 2, '--locale requires --create or --replace');
    expect(await databases(name)).toEqual([]);
    expect(await create('--locale', 'icu:und', '--jobs', '1')).toMatchObject({ exitCode: 0 });
    expect(
      await queryIn(name, 'select datlocprovider as p from pg_database where datname = current_database()'),
    ).toEqual([{ p: 'i' }]);
  });

  test('an extension that the role may not create is found before, and one that is trusted is not', async () => {
    const other = await createServerDatabase();
    await other.admin.query('create extension file_fdw; create extension pgcrypto');
    const dump = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(other.url, dump);
    const [role, restoredName] = [newName(), newName()];
    await server().query(`create role ${pg.escapeIdentifier(role)} login createdb createrole`);
    try {
      const env = { DATABASE_URL: other.url.replace(/\/\/[^@/]*@/, `//${role}@`) };
      const run = await runInProcess(['restore', dump, '--create', newName(), '--no-owner', '--dry-run', '--json'], {
        env,
      });
      expect(run).toMatchObject({ exitCode: 3 });
      expect(run.stderr).toContain(`may not create extension \\"file_fdw\\"`);
      expect(run.stderr).not.toContain('pgcrypto');
      await other.admin.query('drop extension file_fdw; create table t as select 1');
      await takeBackup(other.url, dump);
      const restored = await runInProcess(['restore', dump, '--create', restoredName, '--no-owner', '--quiet'], {
        env,
      });
      expect(restored).toMatchObject({ exitCode: 0, stderr: '' });
    } finally {
      await server().query(`drop database if exists ${pg.escapeIdentifier(restoredName)}`);
      await server().query(`drop role ${pg.escapeIdentifier(role)}`);
    }
  });

  test('a name is looked up in the directory of the backups', async () => {
    const env = { DATABASE_URL: source().url, AISEC_BACKUP_DIR: path.dirname(file()) };
    const plan = (name: string): Promise<CliResult> =>
      runInProcess(['restore', name, '--create', newName(), '--dry-run'], { env });
    expect(await plan(path.basename(file()))).toMatchObject({ exitCode: 0 });
    expectError(await plan('none.dump'), 2, 'there is no backup');
  });
});
