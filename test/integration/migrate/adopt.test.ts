import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { PGlite } from '@electric-sql/pglite';
import { pgcrypto } from '@electric-sql/pglite/contrib/pgcrypto';
import { vector } from '@electric-sql/pglite-pgvector';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import { chance, rounds } from '../../support/chance.js';
import { buildDocument, fillDocument } from '../../support/document-database.js';
import { queryEmbedded } from '../../support/migrated-embedded.js';
import { startCli, type CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';

const cacheDir = mkdtempSync(path.join(tmpdir(), 'aisec-test-cache-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

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
    runInProcess(args, { env: { DATABASE_URL: database.url, AISEC_CACHE_DIR: cacheDir } });
  const adopt = async (...args: readonly string[]): Promise<{ exitCode: number | null; adoption: Adoption }> => {
    const run = await aisec('migrate', 'adopt', '--yes', '--json', ...args);
    expect(run.stderr).not.toContain('error:');
    return { exitCode: run.exitCode, adoption: JSON.parse(run.stdout) as Adoption };
  };
  const one = async (sql: string): Promise<unknown> => (await database.admin.query(sql)).rows[0];

  test('brings the database of the design document to the schema of the migrations, with every row as it was', async () => {
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
  });

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
      alter table messages add column tokens int;
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
      ['column-extra:messages.tokens', true],
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
      alter table messages drop column tokens;
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

  test('a role that does not own the tables is refused', async () => {
    await database.admin.query(
      `create role other_${database.name} login; grant all on schema public to other_${database.name}`,
    );
    const url = Object.assign(new URL(database.url), { username: `other_${database.name}` }).href;
    const run = await runInProcess(['migrate', 'adopt', '--dry-run'], {
      env: { DATABASE_URL: url, AISEC_CACHE_DIR: cacheDir },
    });
    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run.stderr).toContain('does not own the table');
    await database.admin.query(`drop owned by other_${database.name}; drop role other_${database.name}`);
  });
});

describe('migrate adopt on the embedded database', () => {
  test('brings the database of the design document to the schema of the migrations', async () => {
    const dataDir = path.join(await createEmbeddedDirectory(), 'pgdata');
    const engine = await PGlite.create({ dataDir, extensions: { vector, pgcrypto } });
    await buildDocument((sql) => engine.exec(sql));
    await fillDocument((sql) => engine.exec(sql), 500);
    const { rows: before } = await engine.query(CONTENT);
    await engine.close();
    const env = { AISEC_DATA_DIR: dataDir, AISEC_CACHE_DIR: cacheDir };
    const run = await runInProcess(['migrate', 'adopt', '--yes'], { env });
    expect(run.stderr).not.toContain('error:');
    expect(run.exitCode).toBe(0);
    expect(await queryEmbedded(dataDir, CONTENT)).toEqual(before);
    expect((await runInProcess(['migrate', 'drift'], { env })).exitCode).toBe(0);
  });
});

const KILLS = rounds(4, 20);

describeOnServer('kill -9 at any moment of migrate adopt, beside writers', () => {
  test(`${KILLS} times at random, then once more to the end, loses no message and leaves the schema of the migrations`, async () => {
    const database = await createServerDatabase();
    await buildDocument((sql) => database.admin.query(sql));
    await fillDocument((sql) => database.admin.query(sql), 30_000);
    const before = (await database.admin.query(CONTENT)).rows;
    const env = { DATABASE_URL: database.url, AISEC_CACHE_DIR: cacheDir };
    const args = ['migrate', 'adopt', '--yes', '--wait', '30s'];
    const writer = await startWriter(database.url);
    const random = chance();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const running = startCli(args, { env });
      await waitFor(async () => {
        const { rowCount } = await database.admin.query(
          "select from pg_stat_activity where application_name = 'aisec migrate adopt' and datname = current_database()",
        );
        return (rowCount ?? 0) > 0 || running.child.exitCode !== null;
      });
      await sleep(random() * 2500);
      running.child.kill('SIGKILL');
      await running.finished;
    }
    const last = await runInProcess(args, { env });
    expect(last.stderr).not.toContain('error:');
    expect(last.exitCode).toBe(0);
    const { written, errors } = await writer.stop();
    expect(errors).toEqual([]);
    const { rows } = await database.admin.query(
      "select id, content from messages where content like 'live %' order by id",
    );
    expect(rows).toEqual([...written].toSorted().map((id) => ({ id, content: `live ${id}` })));
    expect(written.size).toBeGreaterThan(50);
    await database.admin.query("delete from messages where content like 'live %'");
    expect((await database.admin.query(CONTENT)).rows).toEqual(before);
    expect((await runInProcess(['migrate', 'drift'], { env })).exitCode).toBe(0);
    expect((await runInProcess(['partitions', 'check', '--keys'], { env })).stdout).not.toContain('critical');
  });
});

/** Writes messages of these months, one after the other, until it is stopped. */
async function startWriter(url: string): Promise<{
  readonly stop: () => Promise<{ readonly written: ReadonlySet<string>; readonly errors: readonly string[] }>;
}> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const written = new Set<string>();
  const errors: string[] = [];
  let isStopped = false;
  const work = (async (): Promise<void> => {
    while (!isStopped) {
      const id = randomUUID();
      try {
        await client.query(
          `insert into messages (id, conversation_id, role, content, created_at)
           select $1, id, 'user', $2, now() - $3 * interval '1 day' from conversations limit 1`,
          [id, `live ${id}`, written.size % 200],
        );
        written.add(id);
      } catch (error) {
        errors.push(String(error));
      }
      await sleep(2);
    }
  })();
  return {
    stop: async () => {
      isStopped = true;
      await work;
      await client.end();
      return { written, errors };
    },
  };
}
