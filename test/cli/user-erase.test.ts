import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { chance } from '../support/chance.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { killedAt, untilGone } from '../support/kill-at-statement.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const HANAKO = '00000000-0000-4000-8000-000000000001';
const TARO = '00000000-0000-4000-8000-000000000002';

const FILL = `
  select aisec_make_message_partitions(array['2026-05-01', '2026-06-01', '2026-07-01']::date[]);
  insert into users (id, username, email, password_hash)
  select ('00000000-0000-4000-8000-00000000000' || n)::uuid, case n when 1 then 'hanako' when 2 then 'taro' else 'user' || n end, 'u' || n || '@example.com', 'x' from generate_series(1, 3) n;
  insert into user_preferences (user_id) select id from users;
  insert into assistants (id, user_id, name, is_public)
  select ('30000000-0000-4000-8000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'assistant ' || n, true from generate_series(1, 3) n;
  insert into knowledge_base (secretary_id, content) select id, 'known' from assistants;
  insert into api_usage (secretary_id, api_name, error_message, metadata) select id, 'speech', 'said something', '{"text": "private"}' from assistants, generate_series(1, 4);
  insert into conversations (id, user_id, assistant_id)
  select ('10000000-0000-4000-8000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid, ('30000000-0000-4000-8000-00000000000' || n)::uuid from generate_series(1, 3) n;
  insert into messages (id, conversation_id, role, content, created_at)
  select ('20000000-0000-4000-8000-' || lpad((c * 1000 + n)::text, 12, '0'))::uuid, ('10000000-0000-4000-8000-00000000000' || c)::uuid, 'user', 'text ' || n,
    timestamptz '2026-05-02 00:00:00+00' + n * interval '6 hours'
  from generate_series(1, 3) c, generate_series(1, 300) n;
  update messages m set parent_id = p.id from messages p where p.conversation_id = m.conversation_id and p.created_at = m.created_at - interval '6 hours';
  update messages set parent_id = '20000000-0000-4000-8000-000000001010' where id = '20000000-0000-4000-8000-000000002020';
  insert into files (user_id, conversation_id, message_id, file_name) values ('${HANAKO}', '10000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000001010', 'diary.pdf'), ('${TARO}', '10000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000001011', 'plan.pdf');
  create schema team;
  create table team.reactions (message_id uuid references message_keys on delete cascade, emoji text);
  insert into team.reactions select id, '👍' from messages where role = 'user' and content like '%0';
  create table team.log (id integer primary key, actor uuid references users on delete set null);
  insert into team.log values (1, '${HANAKO}'), (2, '${TARO}');
  create table team.boards (id integer primary key, members uuid[]);
  comment on column team.boards.members is 'refers: public.users.id';
  insert into team.boards values (1, array['${HANAKO}', '${TARO}']::uuid[]);
  create table team.tasks (id integer primary key, owner uuid not null references users, before integer references team.tasks);
  insert into team.tasks values (1, '${HANAKO}', null), (2, '${HANAKO}', 1), (3, '${TARO}', 2);
  select aisec_archive_month('2026-05-01');
  select aisec_archive_month('2026-06-01')`;

/** What belongs to the others, as one text. */
const OTHERS = `
  select (select md5(string_agg(u::text, ',' order by id)) from users u where id <> '${HANAKO}') as users,
    (select md5(string_agg(c::text, ',' order by id)) from conversations c where user_id <> '${HANAKO}') as conversations,
    (select md5(string_agg((m.id, m.conversation_id, m.content, m.created_at)::text, ',' order by m.id)) from all_messages m where conversation_id <> '10000000-0000-4000-8000-000000000001') as messages,
    (select count(*)::int from message_keys k where id::text like '20000000-0000-4000-8000-00000000_0%' and id::text not like '20000000-0000-4000-8000-000000001%') as keys,
    (select md5(string_agg(a::text, ',' order by id)) from assistants a where user_id <> '${HANAKO}') as assistants,
    (select count(*)::int from team.reactions where message_id::text not like '20000000-0000-4000-8000-000000001%') as reactions,
    (select count(*)::int from files where user_id = '${TARO}') as files,
    (select array_agg(id order by id) from team.tasks where owner = '${TARO}') as tasks,
    (select count(*)::int from team.log) as log,
    (select count(*)::int from api_usage where secretary_id <> '30000000-0000-4000-8000-000000000001') as usage`;

describeOnServer('aisec user erase', () => {
  let database: ServerDatabase;
  let directory = '';
  const query = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
    (await database.admin.query(sql)).rows as readonly Record<string, unknown>[];
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['user', 'erase', ...args], {
      env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' },
      cwd: directory,
    });

  beforeEach(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-person-'));
    database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await query(sql);
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('the search at the end reads domains, arrays, composite types and a table called erasures elsewhere', async () => {
    await database.admin.query(`
      create domain person_ref as uuid;
      create domain extra as jsonb;
      create type contact as (phone text, address text);
      create table team.erasures (a person_ref, b extra, c bpchar[], d jsonb[], e contact, f person_ref[], g tsvector)`);
    await database.admin.query(`
      insert into team.erasures
      values ('${HANAKO}', '{"by": "hanako"}', array['u1@example.com'], array['{"id": "${HANAKO}"}'::jsonb], row('1', 'u1@example.com'),
        array['${HANAKO}']::person_ref[], to_tsvector('simple', 'u1@example.com'))`);
    const result = await run('hanako', '--anonymise', 'api_usage', '--confirm', 'hanako', '--json');
    const { certificate } = JSON.parse(result.stdout) as {
      readonly certificate: { readonly hits: readonly { readonly table: string; readonly column: string }[] };
    };
    expect(certificate.hits.filter(({ table }) => table === 'team.erasures').map(({ column }) => column)).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
      'g',
    ]);
  });

  test('nothing of the person is left, nothing of anybody else is gone, and the certificate says so', async () => {
    const before = await query(OTHERS);
    // A month is known by its bounds, whatever the partition is called.
    await query('alter table messages_archive_y2026m05 rename to messages_archive_y2019m01');
    await query('alter table messages_archive_y2026m06 rename to "June (old)"');
    const file = path.join(directory, 'may.ndjson.gz');
    const exported = await runInProcess(['archive', 'export', '2026-05', '--out', file], {
      env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' },
    });
    expect(exported).toMatchObject({ exitCode: 0 });
    const plan = await run('hanako', '--dry-run', '--json');
    expect(plan).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(plan.stdout)).toMatchObject({ outcome: 'planned', plan: { findings: [] } });
    expectError(await run('hanako', '--confirm', 'taro'), 6, '--confirm taro is not the username');
    expectError(await run('hanako'), 6, 'a confirmation is required');
    expect(await query('select count(*)::int as n from users')).toEqual([{ n: 3 }]);

    const result = await run('U1@example.com', '--anonymise', 'api_usage', '--confirm', 'hanako', '--json');
    expect(result).toMatchObject({ exitCode: 0 });
    const { certificate } = JSON.parse(result.stdout) as {
      readonly certificate: { readonly subjectHash: string; readonly tables: readonly { readonly after: number }[] };
    };
    expect(certificate).toMatchObject({
      user: HANAKO,
      hits: [],
      months: ['2026-05', '2026-06', '2026-07'],
      holders: [{ kind: 'month export', place: file, month: '2026-05' }],
      // Backups were nowhere looked for, which is not the same as that there are none.
      backupDirectory: null,
    });
    expect(result.stderr).toContain('no directory of backups was looked at');
    expect(certificate.tables).toContainEqual({
      table: 'public.messages_archive',
      before: 239,
      after: 0,
      action: 'delete',
    });
    expect(certificate.tables.every(({ after }) => after === 0)).toBe(true);
    expect(await query(OTHERS)).toEqual(before);
    expect(
      await query(
        "select count(*)::int as n from message_keys where id::text like '20000000-0000-4000-8000-000000001%'",
      ),
    ).toEqual([{ n: 0 }]);
    expect(
      await query(
        'select secretary_id, error_message, metadata, count(*)::int from api_usage where secretary_id is null group by 1, 2, 3',
      ),
    ).toEqual([{ secretary_id: null, error_message: null, metadata: null, count: 4 }]);
    expect(await query('select members from team.boards')).toEqual([{ members: [TARO] }]);
    expect(await query('select actor from team.log where id = 1')).toEqual([{ actor: null }]);
    // Nothing personal stays in the journal, and the files name nobody.
    expect(await query('select subject, finished_at is not null as done from erasures')).toEqual([
      { subject: null, done: true },
    ]);
    expect(JSON.stringify(await query('select * from erasures'))).not.toMatch(/hanako|u1@|000000000001"/);
    const page = path.join(directory, `erasure-${certificate.subjectHash.slice(0, 12)}.html`);
    expect(readFileSync(page, 'utf8')).toContain('nothing was found');

    const again = await run(HANAKO, '--json');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'present', certificate: { ...certificate } });

    // The export of May is named until it is rewritten.
    const aisec = (...args: readonly string[]): Promise<CliResult> =>
      runInProcess(args, { env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' }, cwd: directory });
    expect((await aisec('archive', 'list')).stderr).toContain(`the export ${file} of 2026-05 is stale`);
    const stale = ['archive-erasures:2026-05', `aisec archive export 2026-05 --out ${file} --replace`];
    const diagnosis = await aisec('doctor', '--only', 'archive-erasures', '--json');
    const { findings } = JSON.parse(diagnosis.stdout) as { findings: readonly { id: string; fix: string }[] };
    expect(findings.map(({ id, fix }) => [id, fix])).toEqual([stale]);
    expect(await aisec('archive', 'export', '2026-05', '--out', file, '--replace')).toMatchObject({ exitCode: 0 });
    expect((await aisec('archive', 'list')).stderr).not.toContain('stale');
    expect(await aisec('doctor', '--only', 'archive-erasures')).toMatchObject({ exitCode: 0 });
    const later = await run(HANAKO, '--json');
    expect(JSON.parse(later.stdout)).toMatchObject({
      outcome: 'present',
      certificate: { ...certificate, holders: [] },
    });
    expectError(await run('hanako'), 2, 'there is no user "hanako"');
  });

  test('what others use is refused, kept without an owner, or handed over', async () => {
    await query(
      "insert into conversations (user_id, assistant_id) values ('" +
        TARO +
        "', '30000000-0000-4000-8000-000000000001')",
    );
    const before = await query(OTHERS);
    const refused = await run('hanako', '--confirm', 'hanako');
    expectError(refused, 3, `cannot erase the user ${HANAKO}`, '--shared hand-over=USER');
    expectError(
      await run('hanako', '--shared', 'keep', '--confirm', 'hanako'),
      3,
      'cannot erase',
      'cannot be without an owner',
    );
    expectError(
      await run('hanako', '--shared', 'hand-over=hanako', '--confirm', 'hanako'),
      2,
      'rows cannot be handed over',
    );
    expect(await query('select count(*)::int as n from erasures')).toEqual([{ n: 0 }]);
    expect(await run('hanako', '--shared', 'hand-over=taro', '--confirm', 'hanako')).toMatchObject({ exitCode: 0 });
    expect(await query("select user_id from assistants where id = '30000000-0000-4000-8000-000000000001'")).toEqual([
      { user_id: TARO },
    ]);
    expect(await query('select count(*)::int as n from users')).toEqual([{ n: 2 }]);
    const { assistants: _, usage: __, ...others } = before[0] ?? {};
    expect((await query(OTHERS))[0]).toMatchObject(others);
  });

  test('rows that another session has locked are waited for as long as --max-wait says; then it ends, and continues when run again', async () => {
    const before = await query(OTHERS);
    const other = new pg.Client({ connectionString: database.url, application_name: 'a report' });
    await other.connect();
    for (const lock of [
      `select from messages where id = '20000000-0000-4000-8000-000000001290' for update`,
      `select from users where id = '${HANAKO}' for key share`,
    ]) {
      await other.query(`begin; ${lock}`);
      const busy = await run('hanako', '--confirm', 'hanako', '--max-wait', '3s');
      expectError(busy, 5, 'rows of the person are locked by another session', '--max-wait');
      await other.query('commit');
    }
    await other.end();
    expect(await run('hanako', '--confirm', 'hanako')).toMatchObject({ exitCode: 0 });
    expect(await query(OTHERS)).toEqual(before);
  });

  test('killed between any two batches and run again, it completes', async () => {
    const before = await query(OTHERS);
    const random = chance();
    let isErased = false;
    for (let kill = 0; kill < 3 && !isErased; kill += 1) {
      const position = 20 + Math.floor(random() * 140);
      const killed = await killedAt(position, {
        args: ['user', 'erase', 'hanako', '--confirm', 'hanako', '--out', directory],
        env: { DATABASE_URL: database.url },
      });
      // Where it had fewer statements left than that, it was done.
      isErased = killed.signal === null;
      expect(killed).toMatchObject(isErased ? { exitCode: 0 } : { signal: 'SIGKILL' });
      await untilGone(database);
      expect(
        await query(
          'select count(*)::int as n from all_messages m left join message_keys k using (id) where k.id is null',
        ),
      ).toEqual([{ n: 0 }]);
    }
    if (!isErased) expect(await run(HANAKO, '--confirm', 'hanako')).toMatchObject({ exitCode: 0 });
    expect(await query(OTHERS)).toEqual(before);
    expect(await query("select count(*)::int as n from users where username = 'hanako'")).toEqual([{ n: 0 }]);
    expect(await query('select subject from erasures')).toEqual([{ subject: null }]);
  });
});
