import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { buildDocument, fillDocument } from '../../support/document-database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

/** Every message, in one text that is the same for the same multiset of rows. */
const CONTENT = `select count(*)::int as rows, md5(string_agg(md5(m::text), '' order by id)) as md5
  from (select id, conversation_id, role, content, parent_id, metadata, created_at from messages) m`;
const RELATIONS = `select string_agg(format('%s %s %s', relname, relkind, relrowsecurity), ' ' order by relname) as relations
  from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'i', 'I')`;

interface Adoption {
  readonly obstacles: readonly { readonly id: string; readonly fix: string | null }[];
  readonly steps: readonly { readonly what: string }[];
  readonly recorded: readonly string[];
  readonly left: readonly { readonly id: string }[];
}

describeOnServer('migrate adopt', () => {
  let database: ServerDatabase;

  beforeEach(async () => {
    database = await createServerDatabase();
    await buildDocument((sql) => database.admin.query(sql));
    await fillDocument((sql) => database.admin.query(sql), 3000);
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database.url } });
  const adopt = async (...args: readonly string[]): Promise<{ exitCode: number | null; adoption: Adoption }> => {
    const run = await aisec('migrate', 'adopt', '--yes', '--json', ...args);
    expect(run.stdout, run.stderr).not.toBe('');
    return { exitCode: run.exitCode, adoption: JSON.parse(run.stdout) as Adoption };
  };
  const one = async (sql: string): Promise<unknown> => (await database.admin.query(sql)).rows[0];

  test(
    'brings the database of the design document to the schema of the migrations, with every row as it was',
    { timeout: 600_000 },
    async () => {
      await database.admin.query(
        "create table alembic_version (version_num varchar(32)); insert into alembic_version values ('abc')",
      );
      const [content, hashes] = [
        await one(CONTENT),
        await one('select md5(string_agg(password_hash, id::text order by id)) from users'),
      ];
      const { exitCode, adoption } = await adopt();
      expect(exitCode).toBe(0);
      expect(adoption.recorded.length).toBeGreaterThan(20);
      expect(await one(CONTENT)).toEqual(content);
      expect(await one('select md5(string_agg(password_hash, id::text order by id)) from users')).toEqual(hashes);
      expect(await one('select version_num from alembic_version')).toEqual({ version_num: 'abc' });
      expect(await one('select count(*)::int as rows from only messages_default')).toEqual({ rows: 0 });
      expect((await aisec('migrate', 'check')).exitCode).toBe(0);
      expect((await aisec('migrate', 'drift')).exitCode).toBe(0);
      expect((await aisec('partitions', 'ensure')).exitCode).toBe(0);
      expect((await aisec('partitions', 'check', '--keys')).stdout).toBe('');
      expect((await aisec('migrate', 'adopt', '--yes')).stderr).toContain('nothing to do');
    },
  );

  test('a dry run prints every step with its locks and its time, and changes nothing', async () => {
    const before = await one(RELATIONS);
    const run = await aisec('migrate', 'adopt', '--dry-run');
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('access exclusive on messages, a moment');
    expect(run.stdout).toContain('share update exclusive on assistants');
    expect(run.stderr).toContain('dry run');
    expect(await one(RELATIONS)).toEqual(before);
  });

  test('asks before it begins, and is refused without a terminal', async () => {
    const before = await one(RELATIONS);
    expect(await aisec('migrate', 'adopt')).toMatchObject({ exitCode: 6, stdout: '' });
    expect(await one(RELATIONS)).toEqual(before);
  });

  test('what stands in the way is listed with its fix before anything is changed', async () => {
    await database.admin.query(`
      update messages set role = 'bot' where id = (select id from messages limit 1);
      update assistants set voice_id = gen_random_uuid() where id = (select id from assistants limit 1);
      alter table messages add column ticket int generated always as identity, add column slug text unique,
        add column length int generated always as (length(content)) stored;
      create materialized view digest as select count(*) from messages;
      create publication changes for table messages;
      create table pgmigrations (id serial primary key, name varchar(255) not null, run_on timestamp not null);
      insert into pgmigrations (name, run_on) values ('1700000000000_init', now())`);
    const role = `reader_${database.name}`;
    await database.admin.query(`create role ${role} nologin; grant select on users to ${role}`);
    const before = await one(RELATIONS);
    const { exitCode, adoption } = await adopt();
    expect(exitCode).toBe(3);
    expect(adoption.obstacles.map(({ id, fix }) => [id, fix === null])).toEqual([
      ['column-extra:messages.ticket', false],
      ['column-extra:messages.length', false],
      ['index-unique:messages_slug_key on messages', false],
      ['dependent:digest', true],
      [`locked-out:${role}`, false],
      ['publication:changes', false],
      ['history-shared:pgmigrations', false],
      ['rows:assistants_voice_id_fkey on assistants', false],
      ['rows:messages_role_check on messages', true],
    ]);
    expect(await one(RELATIONS)).toEqual(before);
    await database.admin.query(`
      update messages set role = 'assistant' where role = 'bot';
      drop materialized view digest`);
    for (const { fix } of adoption.obstacles)
      if (fix !== null && !fix.startsWith('aisec')) await database.admin.query(fix);
    expect((await aisec('migrate', 'repair', '--yes')).exitCode).toBe(0);
    const again = await adopt();
    expect(again.adoption.obstacles).toEqual([]);
    expect(again.exitCode).toBe(0);
    await database.admin.query(`drop owned by ${role}; drop role ${role}`);
  });

  test('what a team has beside the document goes on: keys to messages, views, indexes, triggers, privileges', async () => {
    const role = `app_${database.name}`;
    await database.admin.query(`
      create role ${role} bypassrls nologin;
      create table audit (id uuid);
      create table reactions (message_id uuid not null references messages (id) on delete cascade, emoji text);
      insert into reactions select id, '+' from messages limit 10;
      grant select, insert, update, delete on all tables in schema public to ${role};
      create view long_messages as select id, content from messages where length(content) > 3;
      create index messages_by_type on messages (content_type);
      create function note_message() returns trigger language plpgsql as 'begin insert into audit values (new.id); return null; end';
      create trigger note_message after insert on messages for each row execute function note_message()`);
    const { exitCode, adoption } = await adopt();
    expect(exitCode).toBe(0);
    expect(adoption.left.map(({ id }) => id)).toContain('index-extra:messages_by_type on messages');
    await database.admin.query(`
      set role ${role};
      insert into messages (conversation_id, role, content) select id, 'user', 'after' from conversations limit 1;
      reset role`);
    expect(await one("select count(*)::int as n from long_messages where content = 'after'")).toEqual({ n: 1 });
    expect(await one('select count(*)::int as n from audit')).toEqual({ n: 1 });
    await database.admin.query('delete from messages where id in (select message_id from reactions limit 4)');
    expect(await one('select count(*)::int as n from reactions')).toEqual({ n: 6 });
    await database.admin.query(`drop owned by ${role}; drop role ${role}`);
  });

  test('names of 63 bytes are right, whatever their characters and also where they begin alike', async () => {
    const begin = '件'.repeat(20);
    await database.admin.query(`
      create table "${begin}表" (
        "${begin}一" uuid constraint "${begin}甲" references messages (id),
        "${begin}二" uuid constraint "${begin}乙" references messages (id)
      );
      insert into "${begin}表" select id, parent_id from messages;
      create index "${begin}春" on messages (content_type);
      create index "${begin}夏" on messages (content_type, id)`);
    const { exitCode, adoption } = await adopt();
    expect(adoption.obstacles).toEqual([]);
    expect(exitCode).toBe(0);
    expect(
      await one(
        `select count(*)::int as keys from pg_constraint where conrelid = '"${begin}表"'::regclass and confrelid = 'message_keys'::regclass and convalidated and conname in ('${begin}甲', '${begin}乙')`,
      ),
    ).toEqual({ keys: 2 });
    expect(
      await one(
        `select count(*)::int as indexes from pg_inherits where inhparent in ('"${begin}春"'::regclass, '"${begin}夏"'::regclass)`,
      ),
    ).toMatchObject({ indexes: expect.any(Number) });
    expect((await aisec('partitions', 'check')).stdout).not.toContain('critical');
  });

  test('columns of its own on messages are carried into the months and the archive, with defaults, checks, keys and comments', async () => {
    await database.admin.query(`
      create type mood as enum ('calm', 'tense');
      create table customers (id int primary key);
      insert into customers values (1);
      alter table messages
        add column tokens int not null default 7 check (tokens >= 0),
        add column mood mood,
        add column ticket bigserial,
        add column customer_id int default 1 references customers (id) on delete set null,
        add column thread uuid references messages (id);
      comment on column messages.tokens is 'Tokens of the model.';
      update messages set tokens = 9, mood = 'tense', thread = parent_id where parent_id is not null`);
    const own = `select count(*)::int as rows, md5(string_agg(format('%s %s %s %s %s %s', id, tokens, mood, ticket, customer_id, thread), '' order by id)) as md5 from messages`;
    const before = await one(own);
    const { exitCode, adoption } = await adopt();
    expect(adoption.obstacles).toEqual([]);
    expect(exitCode).toBe(0);
    expect(await one(own)).toEqual(before);
    const columns = (table: string): Promise<unknown> =>
      one(`select string_agg(format('%s %s %s %s', attname, format_type(atttypid, atttypmod), attnotnull, attgenerated), ', ' order by attname) as columns
        from pg_attribute where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped`);
    expect(await columns('messages_archive')).toEqual(await columns('messages'));
    expect(
      await one(
        "select col_description('messages'::regclass, attnum) as text from pg_attribute where attrelid = 'messages'::regclass and attname = 'tokens'",
      ),
    ).toEqual({ text: 'Tokens of the model.' });
    await database.admin.query(
      "insert into messages (conversation_id, role, content) select id, 'user', 'after' from conversations limit 1",
    );
    expect(
      await one("select tokens, customer_id, ticket > 3000 as counts from messages where content = 'after'"),
    ).toEqual({
      tokens: 7,
      customer_id: 1,
      counts: true,
    });
    await expect(database.admin.query('update messages set tokens = -1')).rejects.toThrow('messages_tokens_check');
    await expect(database.admin.query('update messages set customer_id = 2')).rejects.toThrow('customer_id_fkey');
    expect((await aisec('archive', '--older-than', '3mo')).exitCode).toBe(0);
    expect(await one('select count(*) > 0 as some, min(tokens) as tokens from messages_archive')).toEqual({
      some: true,
      tokens: 7,
    });
    expect((await aisec('partitions', 'check')).stdout).not.toContain('critical');
  });

  test('comments that are lost, as when a run was killed between an index and its comment, come back', async () => {
    expect((await adopt()).exitCode).toBe(0);
    await database.admin.query(`
      drop table pgmigrations, aisec_migrations;
      delete from pg_description where objoid >= 16384 and classoid <> 'pg_extension'::regclass`);
    expect((await adopt()).exitCode).toBe(0);
    expect((await aisec('migrate', 'drift')).exitCode).toBe(0);
  });

  test('an index and a key that have names of ours and are others stay under another name, and an INVALID index is built again', async () => {
    await database.admin.query(`
      drop index idx_messages_created_at, idx_files_user_id, idx_files_message_id;
      create index idx_messages_created_at on messages (created_at desc, id);
      create index idx_files_user_id on files (user_id, id);
      create index idx_files_message_id on files (message_id);
      alter table users drop constraint users_email_key;
      alter table users add constraint users_email_key unique (email, id);
      update pg_index set indisvalid = false where indexrelid = 'idx_files_message_id'::regclass`);
    const { exitCode, adoption } = await adopt();
    expect(exitCode).toBe(0);
    expect(adoption.left.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'constraint-extra:users_email_key_before_adopt on users',
        'index-extra:idx_files_user_id_before_adopt on files',
        'index-extra:idx_messages_created_at_before_adopt on messages',
      ]),
    );
    expect(
      await one(
        "select count(*)::int as parts from pg_inherits where inhparent = 'idx_messages_created_at_before_adopt'::regclass",
      ),
    ).toEqual(await one("select count(*)::int as parts from pg_inherits where inhparent = 'messages'::regclass"));
  });

  test('a role that does not own the tables is refused', async () => {
    await database.admin.query(
      `create role other_${database.name} login; grant all on schema public to other_${database.name}`,
    );
    const url = Object.assign(new URL(database.url), { username: `other_${database.name}` }).href;
    const run = await runInProcess(['migrate', 'adopt', '--dry-run'], {
      env: { DATABASE_URL: url },
    });
    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run.stderr).toContain('does not own the table');
    await database.admin.query(`drop owned by other_${database.name}; drop role other_${database.name}`);
  });
});
