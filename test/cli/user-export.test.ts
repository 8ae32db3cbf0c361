import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { readZip } from '../support/read-zip.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const HANAKO = '00000000-0000-4000-8000-000000000001';

const FILL = `
  select aisec_make_message_partitions(array['2026-05-01', '2026-06-01', '2026-07-01']::date[]);
  insert into users (id, username, email, password_hash)
  select ('00000000-0000-4000-8000-00000000000' || n)::uuid, case n when 1 then 'hanako' else 'user' || n end, 'u' || n || '@example.com', 'hash-of-' || n from generate_series(1, 3) n;
  insert into user_preferences (user_id, language) values ('${HANAKO}', 'ja-JP');
  insert into assistants (id, user_id, name, is_public)
  select ('30000000-0000-4000-8000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'assistant ' || n, true from generate_series(1, 3) n;
  insert into conversations (id, user_id, title, assistant_id)
  select ('10000000-0000-4000-8000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'title <b>' || n, '30000000-0000-4000-8000-000000000001' from generate_series(1, 3) n;
  insert into messages (id, conversation_id, role, content, created_at)
  select ('20000000-0000-4000-8000-' || lpad((c * 1000 + n)::text, 12, '0'))::uuid, ('10000000-0000-4000-8000-00000000000' || c)::uuid, 'user', 'text ' || c || ' <i>' || n,
    timestamptz '2026-05-02 00:00:00+00' + n * interval '1 day'
  from generate_series(1, 3) c, generate_series(1, 80) n;
  insert into files (user_id, conversation_id, file_name, metadata) values ('${HANAKO}', '10000000-0000-4000-8000-000000000001', 'diary.pdf', '{"big": 12345678901234567890}');
  insert into api_usage (secretary_id, api_name) select '30000000-0000-4000-8000-000000000001', 'speech' from generate_series(1, 4);
  create schema team;
  create table team.reactions (message_id uuid references message_keys on delete cascade, emoji text, api_token text);
  insert into team.reactions select id, '👍', 'tok-' || id from messages where conversation_id = '10000000-0000-4000-8000-000000000001' and created_at < '2026-05-10';
  create table team.log (id integer primary key, actor uuid references users on delete set null);
  insert into team.log values (1, '${HANAKO}'), (2, '00000000-0000-4000-8000-000000000002');
  select aisec_archive_month('2026-05-01');
  select aisec_archive_month('2026-06-01')`;

describeOnServer('aisec user export', () => {
  let database: ServerDatabase;
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-person-'));
  const run = (args: readonly string[], url = database.url): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: url, PATH: process.env['PATH'] ?? '' }, cwd: directory });
  const lines = (text: string | undefined): readonly Record<string, unknown>[] =>
    (text ?? '')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    for (const sql of FILL.split(';\n')) await database.admin.query(sql);
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('writes what the person may see, live and archived, with hashes and a page in their language', async () => {
    const plan = await run(['user', 'export', 'hanako', '--out', 'h.zip', '--dry-run']);
    expect(plan).toMatchObject({ exitCode: 0 });
    expect(existsSync(path.join(directory, 'h.zip'))).toBe(false);
    const result = await run(['user', 'export', 'U1@example.com', '--out', 'h.zip', '--json']);
    expect(result).toMatchObject({ exitCode: 0 });
    const file = path.join(directory, 'h.zip');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const files = readZip(file);
    expect([...files.keys()].toSorted()).toEqual([
      'data/api_usage.ndjson',
      'data/assistants.ndjson',
      'data/conversations.ndjson',
      'data/files.ndjson',
      'data/messages.ndjson',
      'data/messages_archive.ndjson',
      'data/user_preferences.ndjson',
      'data/users.ndjson',
      'index.html',
      'manifest.json',
    ]);
    const said = [...lines(files.get('data/messages.ndjson')), ...lines(files.get('data/messages_archive.ndjson'))];
    expect(said.map(({ content }) => String(content)).toSorted((a, b) => a.localeCompare(b))).toEqual(
      Array.from({ length: 80 }, (_, index) => `text 1 <i>${index + 1}`).toSorted((a, b) => a.localeCompare(b)),
    );
    expect(files.get('data/files.ndjson')).toContain('12345678901234567890');
    const page = files.get('index.html') ?? '';
    expect(page).toContain('<html lang="ja">');
    expect(page).toContain('text 1 &lt;i&gt;80');
    expect(page).not.toMatch(/text [23] |<script|https?:/);
    const manifest = JSON.parse(files.get('manifest.json') ?? '') as {
      readonly entries: readonly { readonly name: string; readonly sha256: string }[];
      readonly leftOutColumns: readonly string[];
    };
    expect(manifest).toMatchObject({
      user: HANAKO,
      scope: 'policies',
      schemaVersion: expect.stringMatching(/^00\d\d_/),
    });
    expect(manifest.leftOutColumns).toEqual(['public.users.password_hash', 'team.reactions.api_token']);
    for (const { name, sha256 } of manifest.entries)
      expect(
        createHash('sha256')
          .update(files.get(name) ?? '')
          .digest('hex'),
      ).toBe(sha256);
    expect(manifest.entries).toHaveLength(files.size - 1);
    expect([...files.values()].join('')).not.toMatch(/hash-of|tok-/);
    // Rows of a team's tables, which no policy shows.
    expect(JSON.parse(result.stdout)).toMatchObject({
      tables: expect.arrayContaining([
        expect.objectContaining({ table: 'team.reactions', rows: 0, hiddenRows: 7 }),
        expect.objectContaining({ table: 'team.log', rows: 0, hiddenRows: 1 }),
      ]),
    });
  });

  test('--all adds what no policy shows, and a file that is there is not written over', async () => {
    const result = await run(['user', 'export', HANAKO, '--out', 'all.zip', '--all', '--language', 'en']);
    expect(result).toMatchObject({ exitCode: 0 });
    const files = readZip(path.join(directory, 'all.zip'));
    expect(lines(files.get('data/team.log.ndjson'))).toEqual([{ id: 1, actor: HANAKO }]);
    expect(lines(files.get('data/team.reactions.ndjson'))).toHaveLength(7);
    expect([...files.values()].join('')).not.toMatch(/hash-of|tok-/);
    expect(files.get('index.html')).toContain('Passwords and other secrets are never handed out');
    expectError(
      await run(['user', 'export', HANAKO, '--out', 'all.zip']),
      6,
      `"${path.join(directory, 'all.zip')}" exists`,
    );
    expect(await run(['user', 'export', HANAKO, '--out', 'all.zip', '--replace'])).toMatchObject({ exitCode: 0 });
  });

  test('tables of like names have files of their own, and the page shows numbers with all of their digits', async () => {
    for (const name of ['"Gift list"', 'gift_list', '"messages-2026-05"'])
      await database.admin.query(`
        create table ${name} (line bigint, price numeric, tags json, owner uuid references users);
        insert into ${name} values (9007199254740993, 0.10, '["a",\n"b"]', '${HANAKO}')`);
    expect(await run(['user', 'export', 'hanako', '--out', 'gifts.zip', '--all'])).toMatchObject({ exitCode: 0 });
    const files = readZip(path.join(directory, 'gifts.zip'));
    const names = [...files.keys()].filter((name) => /gift|messages-/i.test(name));
    expect(names.toSorted()).toEqual([
      'data/Gift_list.ndjson',
      'data/gift_list-2.ndjson',
      'data/messages-2026-05-2.ndjson',
    ]);
    for (const name of names)
      expect(files.get(name)).toBe(`{"line":9007199254740993,"price":0.10,"tags":["a", "b"],"owner":"${HANAKO}"}\n`);
    expect(files.get('index.html')?.match(/<td>9007199254740993<\/td>/g)).toHaveLength(3);
    expect(files.get('index.html')).toContain('<td>0.10</td>');
    await database.admin.query('drop table "Gift list", gift_list, "messages-2026-05"');
  });

  test('a month that is only in an export is read from its file, and named where the file is missing', async () => {
    expect(await run(['archive', 'export', '2026-05', '--out', 'may.ndjson.gz'])).toMatchObject({ exitCode: 0 });
    // June stays whatever the day is: there is no export of it.
    const prune = ['archive', 'prune', '--older-than', '1mo', '--confirm', database.name, '--json'];
    expect(JSON.parse((await run(prune)).stdout).months).toMatchObject([
      { month: '2026-05', outcome: 'pruned' },
      { month: '2026-06', outcome: 'kept' },
    ]);
    const result = await run(['user', 'export', 'hanako', '--out', 'may.zip']);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(lines(readZip(path.join(directory, 'may.zip')).get('data/messages-2026-05.ndjson'))).toHaveLength(29);
    rmSync(path.join(directory, 'may.ndjson.gz'));
    const without = await run(['user', 'export', 'hanako', '--out', 'may.zip', '--replace']);
    expect(without).toMatchObject({ exitCode: 3 });
    expect(without.stderr).toContain('the messages of 2026-05 are not in the file');
  });

  test('an unknown user is wrong usage, and a role that sees some rows only is refused', async () => {
    expectError(await run(['user', 'export', 'nobody', '--out', 'n.zip']), 2, 'there is no user "nobody"');
    const url = new URL(database.url);
    const role = `app_${url.pathname.slice(1)}`.slice(0, 60);
    await database.admin.query(`create role "${role}" login`);
    await database.admin.query(`grant select on all tables in schema public to "${role}"`);
    await database.admin.query(
      `grant usage on schema team to "${role}"; grant select on all tables in schema team to "${role}"`,
    );
    url.username = role;
    expectError(
      await run(['user', 'export', 'hanako', '--out', 'n.zip'], url.href),
      1,
      'row-level security would hide rows of public.users',
    );
    expect(existsSync(path.join(directory, 'n.zip'))).toBe(false);
    await database.admin.query(`drop owned by "${role}"; drop role "${role}"`);
  });

  test('a role that may not act as authenticated is told the statement that an administrator runs for it', async () => {
    const url = new URL(database.url);
    const role = `see_${url.pathname.slice(1)}`.slice(0, 60);
    // As the owner: a role with BYPASSRLS would be found by the doctor of any other test.
    await database.admin.query(`
      create role "${role}" login;
      grant temporary on database "${url.pathname.slice(1)}" to "${role}"`);
    await database.admin.query(`
      do $$
      declare
        owned regclass;
      begin
        for owned in
          select oid from pg_class
          where relkind in ('r', 'p') and relnamespace::regnamespace::text in ('public', 'team')
        loop
          execute format('alter table %s owner to "${role}"', owned);
        end loop;
      end $$;
      grant usage on schema team to "${role}"`);
    url.username = role;
    const refused = await run(['user', 'export', 'hanako', '--out', 'seen.zip'], url.href);
    expectError(refused, 1, 'the role may not act as authenticated');
    const [, statement = ''] = /Let an administrator run: (.*?;)/.exec(refused.stderr) ?? [];
    await database.admin.query(statement);
    const allowed = await run(['user', 'export', 'hanako', '--out', 'seen.zip', '--replace'], url.href);
    expect(allowed.stderr).not.toContain('error: the role');
    expect(existsSync(path.join(directory, 'seen.zip'))).toBe(true);
    await database.admin.query(
      `reassign owned by "${role}" to current_user; drop owned by "${role}"; drop role "${role}"`,
    );
  });
});
