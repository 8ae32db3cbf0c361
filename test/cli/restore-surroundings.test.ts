import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup } from '../support/take-backup.js';
import { useRestoreFixture } from '../support/restore-fixture.js';

const LOG = `
  create table ddl_log (tag text);
  create function log_ddl() returns event_trigger language plpgsql as $$ begin insert into public.ddl_log values (tg_tag); end $$;
  comment on function log_ddl() is 'audit'`;

const PATH = process.env['PATH'] ?? '';
const run = (args: readonly string[], url: string): Promise<CliResult> =>
  runInProcess(args, { env: { DATABASE_URL: url, PATH } });

async function backedUp(database: ServerDatabase): Promise<string> {
  const file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
  await takeBackup(database.url, file);
  return file;
}

describeOnServer('a restore where the database has more than tables', () => {
  test('event triggers of the backup come when all else is there and compared, so that they log nothing of it', async () => {
    const database = await createServerDatabase({ migrated: true });
    await database.admin.query(LOG);
    await database.admin.query('create event trigger audit on ddl_command_end execute function log_ddl()');
    const { rows } = await database.admin.query(
      `select current_setting('server_version_num')::int >= 170000 as has_login`,
    );
    if (rows[0]?.has_login === true)
      await database.admin.query('create event trigger audit_logins on login execute function log_ddl()');
    const file = await backedUp(database);
    const made = `${database.name}_made`;
    onTestFinished(async () => {
      await database.admin.query(`drop database if exists "${made}"`);
    });
    expect(await run(['restore', file, '--create', made], database.url)).toMatchObject({ exitCode: 0 });
  });

  test('a table needs neither the roles nor the extensions of the rest, and gets no default privileges', async () => {
    const database = await createServerDatabase({ migrated: true });
    const { admin, name } = database;
    const [owner, reader] = [`${name}_o`, `${name}_r`];
    await admin.query(`create role "${owner}" login; create role "${reader}"`);
    onTestFinished(async () => {
      await admin.query(`drop owned by "${reader}"`);
      await admin.query(`drop owned by "${owner}" cascade`);
      await admin.query(`reassign owned by "${owner}" to current_user; drop role "${owner}", "${reader}"`);
    });
    await admin.query(LOG);
    await admin.query(`
      create event trigger of_the_provider on ddl_command_end execute function log_ddl();
      grant insert on ddl_log to public;
      create extension if not exists fuzzystrmatch;
      alter database "${name}" owner to "${owner}";
      create schema own authorization "${owner}";
      set role "${owner}";
      create table own.secrets (id int generated always as identity primary key, secret text);
      insert into own.secrets (secret) values ('x');
      create function own.answer() returns int language sql as 'select 42';
      create view own.all_secrets as select * from own.secrets;
      reset role;
      grant pg_read_all_data to "${owner}"`);
    const file = await backedUp(database);
    await admin.query(`
      drop extension fuzzystrmatch; drop view own.all_secrets; drop table own.secrets;
      alter default privileges for role "${owner}" grant all on tables to "${reader}";
      alter default privileges for role "${owner}" grant all on sequences to "${reader}"`);
    const url = Object.assign(new URL(database.url), { username: owner, password: '' }).href;
    for (const as of [[], ['--as', 'own.copy']])
      expect(await run(['restore', file, '--table', 'own.secrets', ...as], url)).toMatchObject({ exitCode: 0 });
    const { rows } = await admin.query(
      `select relname as name from pg_class where relnamespace = 'own'::regnamespace and strpos(relacl::text, $1) > 0`,
      [reader],
    );
    expect(rows).toEqual([]);
  });

  test('a role whose transactions only read, and whose arrays have no NULL, restores what was backed up', async () => {
    const database = await createServerDatabase();
    const { admin, name } = database;
    const [owner, made] = [`${name}_o`, `${name}_made`];
    await admin.query(
      `create role "${owner}" login createdb; alter role "${owner}" set default_transaction_read_only = on`,
    );
    await admin.query(`alter role "${owner}" set array_nulls = off`);
    onTestFinished(async () => {
      await admin.query(`drop database if exists "${made}"`);
      await admin.query(`drop owned by "${owner}"; drop role "${owner}"`);
    });
    await admin.query(`create table lists (list text[]); insert into lists values (array[null, 'a'])`);
    await admin.query(`alter table lists owner to "${owner}"`);
    const file = await backedUp(database);
    const url = Object.assign(new URL(database.url), { username: owner, password: '' }).href;
    expect(await run(['restore', file, '--create', made, '--no-owner'], url)).toMatchObject({ exitCode: 0 });
    const restored = new pg.Client({ connectionString: database.url.replace(name, made) });
    await restored.connect();
    const { rows } = await restored.query('select list from lists');
    await restored.end();
    expect(rows).toEqual([{ list: [null, 'a'] }]);
  });
});

describeOnServer('a restore of a table where quote_all_identifiers is on', () => {
  const copyOf = async (file: string, url: string, ...more: readonly string[]): Promise<CliResult> =>
    run(['restore', file, '--table', 'conversations', '--as', 'right_ones', ...more], url);

  test('finds the functions that are there: pg_dump is told to quote what has to be quoted only', async () => {
    const database = await createServerDatabase({ migrated: true });
    await database.admin.query(`alter database "${database.name}" set quote_all_identifiers = on`);
    expect(await copyOf(await backedUp(database), database.url)).toMatchObject({ exitCode: 0 });
  });

  test('finds them in an archive that has all names in quotes, too', async () => {
    const database = await createServerDatabase({ migrated: true });
    const file = path.join(await createEmbeddedDirectory(), 'plain.dump');
    const args = ['--format=custom', '--quote-all-identifiers', `--file=${file}`, database.url];
    await promisify(execFile)('pg_dump', args);
    expect(await copyOf(file, database.url, '--without-manifest')).toMatchObject({ exitCode: 0 });
  });
});

describeOnServer('aisec restore --replace of a database with settings', () => {
  const { server, newName, urlOf, restore } = useRestoreFixture();

  test('keeps those that a session cannot set, or would be changed by', async () => {
    const name = newName();
    expect(await restore(['--create', name])).toMatchObject({ exitCode: 0 });
    for (const [whose, setting] of [
      [`role authenticated in database "${name}"`, "role to 'pg_monitor'"],
      [`database "${name}"`, "default_tablespace to 'nowhere'"],
      [`database "${name}"`, "statement_timeout to '20'"],
      [`database "${name}"`, "client_encoding to 'LATIN1'"],
      [`database "${name}"`, "session_preload_libraries to 'auto_explain', 'pg_stat_statements'"],
      [`database "${name}"`, "temp_tablespaces to ''"],
    ])
      await server().query(`alter ${whose} set ${setting}`);
    const settings = async (): Promise<unknown> =>
      (
        await server().query(
          `select setrole, setconfig from pg_db_role_setting
           join pg_database on pg_database.oid = setdatabase where datname = $1 order by setrole`,
          [name],
        )
      ).rows;
    const wanted = await settings();
    expect(await restore(['--replace', '--confirm', name], urlOf(name))).toMatchObject({ exitCode: 0 });
    expect(await settings()).toEqual(wanted);
  });
});
