import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import { SAME, TEAM_ROWS, TEAM_TABLES } from '../fixtures/subset-team.js';
import { chance, rounds } from '../support/chance.js';
import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { killedAt, untilGone } from '../support/kill-at-statement.js';
import { runInProcess } from '../support/run-in-process.js';
import type { CliResult } from '../support/run-cli.js';

interface Report {
  readonly users: number;
  readonly rows: number;
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  readonly check: { readonly texts: number; readonly emails: number; readonly names: number; readonly runs: number };
}

describeOnServer('aisec subset', () => {
  let source: ServerDatabase;
  let migrationsDir = '';
  const targets: ServerDatabase[] = [];
  const env = (): Readonly<Record<string, string>> => ({
    DATABASE_URL: source.url,
    AISEC_MIGRATIONS_DIR: migrationsDir,
    AISEC_MASK_KEY: 'the key of a test',
  });
  const subset = (...args: readonly string[]): Promise<CliResult> => runInProcess(['subset', ...args], { env: env() });
  const on = (target: ServerDatabase, ...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { ...env(), DATABASE_URL: target.url } });
  const newTarget = async (): Promise<ServerDatabase> => {
    const target = await createServerDatabase({ migrated: true });
    targets.push(target);
    return target;
  };
  const rowsOf = async (database: ServerDatabase, sql: string, ids: readonly string[]): Promise<readonly object[]> =>
    (await database.admin.query(sql, [ids])).rows as readonly object[];
  const chosenUsers = async (target: ServerDatabase): Promise<readonly string[]> =>
    (await target.admin.query('select distinct user_id as id from conversations')).rows.map(
      ({ id }: { readonly id: string }) => id,
    );

  beforeAll(async () => {
    source = await createServerDatabase({ migrated: true });
    migrationsDir = path.join(await createEmbeddedDirectory(), 'migrations');
    mkdirSync(migrationsDir);
    writeFileSync(path.join(migrationsDir, '0001_team.sql'), TEAM_TABLES);
    expect((await on(source, 'migrate', 'up')).stderr).not.toMatch(/error:/);
    const demo = '--users 12 --messages 2500 --embeddings 40 --months 4 --until 2026-06-01'.split(' ');
    expect(await on(source, 'seed', 'demo', ...demo)).toMatchObject({ exitCode: 0 });
    await source.admin.query(TEAM_ROWS);
    for (const month of ['2026-02-01', '2026-03-01'])
      await source.admin.query('select aisec_archive_month($1)', [month]);
  });

  afterEach(async () => {
    for (const target of targets.splice(0)) await target.drop();
  });

  test('copies users with all that belongs to them, masked, and nothing of others but what they refer to', async () => {
    const target = await newTarget();
    const result = await subset('--users', '3', '--mask', '--into-url', target.url, '--json');
    expect(result.stderr).not.toMatch(/error:/);
    expect(result.exitCode).toBe(0);
    const report = JSON.parse(result.stdout) as Report;
    expect(report).toMatchObject({ users: 3, isMasked: true, isDryRun: false });
    expect(report.check.texts).toBeGreaterThan(500);
    expect(report.check.runs).toBeGreaterThan(1000);

    const ids = await chosenUsers(target);
    expect(ids).toHaveLength(3);
    for (const [what, sql] of Object.entries(SAME)) {
      const copied = await rowsOf(target, sql, ids);
      expect([what, copied]).toEqual([what, await rowsOf(source, sql, ids)]);
      expect([what, copied.length > 0]).toEqual([what, true]);
    }
    const others = await target.admin.query('select count(*)::int as n from conversations where user_id <> all ($1)', [
      ids,
    ]);
    expect(others.rows).toEqual([{ n: 0 }]);

    const found = await target.admin.query('select email, last_name, password_hash from users');
    const users = found.rows as readonly { email: string; last_name: string; password_hash: string }[];
    for (const user of users) {
      expect(user.email).toMatch(/^[^@\s]+@[a-z]+\.example$/);
      expect(user.last_name).toMatch(/^[\p{Script=Han}々]+$/u);
      expect(user.password_hash).toMatch(/^\$2a\$12\$[./A-Za-z0-9]{53}$/);
    }
    const joined = await target.admin.query(
      "select count(*)::int as n from team_notes n join users u on u.id = n.user_id where n.meta ->> 'mail' = u.email and n.meta::text like '%12345678901234567890%'",
    );
    expect(joined.rows[0]).toEqual((await target.admin.query('select count(*)::int as n from team_notes')).rows[0]);
    expect((await target.admin.query('select document from team_notes where document is not null')).rows).toEqual([]);
    // Triggers of the team did not write what is a row of the source already.
    expect((await target.admin.query("select from teams where code like '%trigger%'")).rows).toEqual([]);
  });

  test('the copy is a database as any: keys validated, triggers on, checks green, policies in force', async () => {
    const target = await newTarget();
    expect((await subset('--users', '4', '--mask', '--into-url', target.url)).exitCode).toBe(0);
    const count = async (sql: string): Promise<unknown> => (await target.admin.query(sql)).rows;
    expect(
      await count("select conname from pg_constraint where contype = 'f' and (not convalidated or condeferred)"),
    ).toEqual([]);
    expect(await count("select tgname from pg_trigger where tgenabled = 'D'")).toEqual([]);
    for (const command of [
      ['migrate', 'check'],
      ['migrate', 'verify'],
      ['partitions', 'check'],
    ])
      expect(await on(target, ...command)).toMatchObject({
        exitCode: 0,
        stderr: expect.not.stringMatching(/error:/),
      });
    const [first = ''] = await chosenUsers(target);
    const seen = await target.admin.query(
      `begin; set local role authenticated; set local app.current_user_id = '${first}';
       select count(*)::int as n, count(*) filter (where user_id = '${first}')::int as own from conversations; rollback`,
    );
    const [{ n, own } = { n: 0, own: 0 }] =
      (seen as unknown as { rows: { n: number; own: number }[] }[])[3]?.rows ?? [];
    expect([own > 0, n]).toEqual([true, own]);
    await target.admin.query("insert into team_notes (user_id, note) values ($1, 'new')", [first]);
    expect(await count("select count(*)::int as n from teams where code like '%trigger%'")).toEqual([{ n: 1 }]);
  });

  test('the same key and seed give the same copy; a second run into it is refused', async () => {
    const [one, other] = [await newTarget(), await newTarget()];
    for (const target of [one, other])
      expect((await subset('--users', '2', '--seed', 'x', '--mask', '--into-url', target.url)).exitCode).toBe(0);
    const content =
      "select md5(string_agg(m::text, chr(10) order by id)) as messages, (select string_agg(email, ' ' order by id) from users) as users from all_messages m";
    expect((await one.admin.query(content)).rows).toEqual((await other.admin.query(content)).rows);
    const again = await subset('--users', '2', '--mask', '--into-url', one.url);
    expect(again.exitCode).toBe(3);
    expect(again.stderr).toContain('table public.users of the target has rows');
    expect((await one.admin.query(content)).rows).toEqual((await other.admin.query(content)).rows);
  });

  test('killed anywhere, its target has no row, and the next run completes', async () => {
    const target = await newTarget();
    const random = chance();
    const args = ['subset', '--users', '3', '--mask', '--into-url', target.url];
    for (let round = 0; round < rounds(2, 20); round += 1) {
      const killed = await killedAt(40 + Math.floor(random() * 160), { args, env: env() });
      expect(killed, killed.stderr).toMatchObject({ signal: 'SIGKILL' });
      for (const database of [source, target]) await untilGone(database);
      const { rows } = await target.admin.query('select count(*)::int as n from users');
      expect(rows).toEqual([{ n: 0 }]);
    }
    expect(await runInProcess(args, { env: env() })).toMatchObject({ exitCode: 0 });
    expect(await chosenUsers(target)).toHaveLength(3);
  });

  test('--out makes an embedded database that opens', async () => {
    const directory = path.join(await createEmbeddedDirectory(), 'pgdata');
    const result = await subset(
      '--where',
      'username = (select min(username) from users)',
      '--mask',
      '--out',
      directory,
    );
    expect(result.stderr).not.toMatch(/error:/);
    expect(result.exitCode).toBe(0);
    const embedded = { AISEC_DATA_DIR: directory, AISEC_MIGRATIONS_DIR: migrationsDir };
    expect(await runInProcess(['migrate', 'check'], { env: embedded })).toMatchObject({ exitCode: 0 });
    const again = await subset('--users', '1', '--mask', '--out', directory);
    expect(again).toMatchObject({ exitCode: 2 });
    expect(again.stderr).toContain('is not empty');
  });

  test('an original that is left in the result deletes the result', async () => {
    const target = await newTarget();
    await source.admin.query(
      "comment on column team_notes.phone is 'pii: none'; update team_notes set phone = (select email from users u where u.id = user_id)",
    );
    try {
      const result = await subset('--users', '2', '--mask', '--into-url', target.url);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain('originals stand in the masked result: public.team_notes.phone');
      expect(result.stderr).not.toContain('@');
      expect((await target.admin.query('select from users')).rows).toEqual([]);
    } finally {
      await source.admin.query(
        "comment on column team_notes.phone is 'Where to call. pii: phone'; update team_notes set phone = '090-1111-2222'",
      );
    }
  });

  test('a text column without a class is refused, and the fix that is printed runs', async () => {
    await source.admin.query(
      "comment on column team_notes.phone is 'Where to call.'; comment on column team_notes.kind is null",
    );
    const refused = await subset('--users', '2', '--mask', '--dry-run');
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain('column public.team_notes.phone (text) has no class of personal data');
    const [, fix = ''] = /fix: (comment on column .*;)/.exec(refused.stderr) ?? [];
    expect(fix).toBe(`comment on column "public"."team_notes"."phone" is 'Where to call. pii: text';`);
    await source.admin.query(fix);
    const plan = await subset('--users', '2', '--mask', '--dry-run', '--json');
    expect(plan.exitCode).toBe(0);
    expect(JSON.parse(plan.stdout)).toMatchObject({ users: 2, isDryRun: true, target: null, check: null });
    await source.admin.query("comment on column team_notes.phone is 'Where to call. pii: phone'");
  });

  test('--without leaves tables out with what hangs on them', async () => {
    const plan = await subset('--users', '2', '--mask', '--dry-run', '--json', '--without', 'team_notes,team_left');
    const tables = (JSON.parse(plan.stdout) as Report).tables.map(({ table }) => table);
    expect(tables.filter((table) => table.startsWith('public.team'))).toEqual([]);
    const target = await newTarget();
    const done = await subset(
      '--users',
      '2',
      '--mask',
      '--into-url',
      target.url,
      '--without',
      'voices,messages_archive',
    );
    expect(done).toMatchObject({ exitCode: 0, stderr: expect.not.stringMatching(/error:/) });
    expect((await target.admin.query('select count(voice_id)::int as n from conversations')).rows).toEqual([{ n: 0 }]);
    expect(await subset('--users', '2', '--mask', '--dry-run', '--without', 'nowhere')).toMatchObject({ exitCode: 2 });
  });

  describe('wrong usage changes nothing', () => {
    test.each([
      [['--users', '2', '--out', 'x'], 'it is not said whether the rows are masked'],
      [['--users', '2', '--mask'], 'it is not said where to'],
      [['--mask', '--out', 'x'], 'it is not said which users'],
      [['--users', '2', '--where', 'true', '--mask', '--out', 'x'], 'cannot be used together'],
      [['--where', 'true); drop table users; --', '--mask', '--dry-run'], 'invalid condition'],
      [['--users', '2', '--mask', '--into-url', 'postgres://u:secret@127.0.0.1/x'], 'carries a password'],
    ])('%j', async (args, message) => {
      const result = await subset(...args);
      expect(result).toMatchObject({ exitCode: 2 });
      expect(result.stderr).toContain(message);
      expect(result.stderr).not.toContain('secret');
    });

    test('--unmasked asks for the name of the database', async () => {
      const target = await newTarget();
      expect(await subset('--users', '1', '--unmasked', '--into-url', target.url)).toMatchObject({ exitCode: 6 });
      expect((await target.admin.query('select from users')).rows).toEqual([]);
    });
  });

  test('random graphs: an unmasked copy has every row of the chosen users as it was', async () => {
    const random = chance();
    const below = (end: number): number => Math.floor(random() * end);
    for (let round = 0; round < rounds(2, 100); round += 1) {
      await source.admin.query(`
        update messages m set parent_id = (select k.id from message_keys k order by md5(k.id::text || m.id::text || '${below(1e9)}') limit 1)
        where m.id in (select id from messages order by md5(id::text || '${below(1e9)}') limit 60);
        update conversations set assistant_id = (select id from assistants order by md5(id::text || conversations.id::text || '${below(1e9)}') limit 1)
        where id in (select id from conversations order by md5(id::text || '${below(1e9)}') limit 10);
        update team_notes set answers = (select id from team_notes other order by md5(other.id::text || team_notes.id::text || '${below(1e9)}') limit 1);
        update team_left set right_id = 1 + (id * ${1 + below(50)} + ${below(50)}) % 12;`);
      const target = await newTarget();
      const seed = String(below(1e9));
      const done = await subset(
        '--users',
        String(1 + below(4)),
        '--seed',
        seed,
        '--unmasked',
        '--confirm',
        source.name,
        '--into-url',
        target.url,
        '--json',
      );
      expect(done.stderr).not.toMatch(/error:/);
      const { users } = JSON.parse(done.stdout) as Report;
      const chosen = await source.admin.query(
        `select id from users order by md5('${seed}' || id::text), id limit ${users}`,
      );
      const ids = (chosen.rows as { id: string }[]).map(({ id }) => id);
      for (const [what, sql] of Object.entries(SAME))
        expect([what, await rowsOf(target, sql, ids)]).toEqual([what, await rowsOf(source, sql, ids)]);
      for (const table of ['users', 'conversations', 'all_messages', 'team_notes', 'assistants', 'files']) {
        const all = `select t::text as row from ${table} t order by 1`;
        const there = new Set((await source.admin.query(all)).rows.map(({ row }: { readonly row: string }) => row));
        const added = (await target.admin.query(all)).rows.filter(
          ({ row }: { readonly row: string }) => !there.has(row),
        );
        expect([table, added]).toEqual([table, []]);
      }
    }
  });
});
