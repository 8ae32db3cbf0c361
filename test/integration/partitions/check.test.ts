import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { messagesFrom, monthFromNow, nameOf, ONE_CONVERSATION, rowsOf } from './messages.js';

interface Finding {
  readonly kind: string;
  readonly severity: string;
  readonly partition: string | null;
  readonly fix: string;
}

describeOnServer('aisec partitions check', () => {
  let database: ServerDatabase;
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
  });
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['partitions', ...args], { env: { DATABASE_URL: database.url } });

  async function findings(): Promise<readonly Finding[]> {
    const { exitCode, stdout } = await aisec('check', '--json');
    const { findings: found } = JSON.parse(stdout) as { findings: readonly Finding[] };
    expect(exitCode).toBe(found.some(({ severity }) => severity !== 'notice') ? 3 : 0);
    // A drained default partition is kept until the next run.
    return found.filter(({ severity }) => severity !== 'notice');
  }

  /** Runs a fix as its reader would: SQL statement by statement, commands of aisec in a shell. */
  async function fix({ fix: text }: Finding): Promise<void> {
    for (const part of text.split(/; (?:then: )?/)) {
      if (part.startsWith('aisec ')) expect((await aisec(...part.split(' ').slice(2))).exitCode).toBe(0);
      else await database.admin.query(part);
    }
  }

  const thisMonth = nameOf(monthFromNow(0));
  const nextMonth = nameOf(monthFromNow(1));

  test.each([
    ['months-ahead', `drop table ${nextMonth}`, 'months-ahead,gap'],
    ['months-ahead', `drop table ${thisMonth}`, 'months-ahead'],
    ['row-security', `alter table ${nextMonth} disable row level security`, 'row-security'],
    ['grants', `grant select on ${nextMonth} to public, authenticated`, 'grants'],
    ['grants', `grant select (id) on ${nextMonth} to authenticated`, 'grants'],
    ['bound-check', `alter table ${nextMonth} drop constraint message_month_bounds`, 'bound-check'],
    ['default-rows', messagesFrom(`${monthFromNow(-1)}-07 00:00+00`, 3), 'default-rows'],
    ['no-default-partition', 'drop table messages_default', 'no-default-partition'],
    [
      'odd-bounds',
      `set timezone to 'America/New_York';
       create table odd (like messages including all);
       alter table odd enable row level security;
       alter table messages attach partition odd
         for values from ('${monthFromNow(4)}-01') to ('${monthFromNow(5)}-01');
       set timezone to 'UTC';
       ${messagesFrom(`${monthFromNow(4)}-07 00:00+00`, 9)}`,
      'odd-bounds',
    ],
  ])('finds %s (%#), exits 3, and what it prints fixes it', async (_, fault, kinds) => {
    await database.admin.query(fault);
    const before = await rowsOf(database, 'select id, created_at from messages order by id');
    const found = await findings();
    expect(found.map(({ kind }) => kind).join()).toBe(kinds);
    for (const finding of found) await fix(finding);
    expect(await findings()).toEqual([]);
    expect(await rowsOf(database, 'select id, created_at from messages order by id')).toEqual(before);
  });

  test('finds a gap in the past and ensure fills it', async () => {
    await aisec('ensure', '--since', monthFromNow(-6));
    await database.admin.query(`drop table ${nameOf(monthFromNow(-3))}`);
    expect((await findings()).map(({ kind }) => kind)).toEqual(['gap']);
    expect((await aisec('ensure')).exitCode).toBe(0);
    expect(await findings()).toEqual([]);
  });

  test('finds an index that partitions lack, and one that is invalid', async () => {
    await database.admin.query('create index idx_messages_content_type on only messages (content_type)');
    const missing = await findings();
    expect(missing.map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'missing-index'));
    for (const finding of missing) await fix(finding);
    expect(await findings()).toEqual([]);

    const [index] = await rowsOf(
      database,
      `select indexrelid::regclass::text as name from pg_index where indrelid = '${nextMonth}'::regclass and not indisprimary limit 1`,
    );
    await database.admin.query(
      `update pg_index set indisvalid = false where indexrelid = '${String(index?.['name'])}'::regclass`,
    );
    const invalid = await findings();
    expect(invalid.map(({ kind, partition }) => [kind, partition])).toEqual([['invalid-index', nextMonth]]);
    for (const finding of invalid) await fix(finding);
    expect(await findings()).toEqual([]);
  });

  test('finds a detach that was broken off, ensure does not take the month for done, and the fix brings its rows back', async () => {
    await database.admin.query(messagesFrom(`${monthFromNow(1)}-07 00:00+00`, 3));
    await database.admin.query('alter table messages detach partition messages_default');
    const reader = new pg.Client({ connectionString: database.url });
    const killed = new pg.Client({ connectionString: database.url, application_name: 'killed' });
    killed.on('error', () => undefined);
    await Promise.all([reader.connect(), killed.connect()]);
    await reader.query('begin; select count(*) from messages');
    const detach = killed
      .query(`alter table messages detach partition ${nextMonth} concurrently`)
      .catch(() => undefined);
    const isPending = async (): Promise<boolean> =>
      (await rowsOf(database, 'select from pg_inherits where inhdetachpending')).length > 0;
    await waitFor(isPending);
    await database.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'killed'`,
    );
    await detach;
    await reader.query('commit');
    await reader.end();
    await killed.end().catch(() => undefined);
    await database.admin.query('alter table messages attach partition messages_default default');

    expect(await rowsOf(database, 'select from messages')).toEqual([]);
    const found = await findings();
    expect(found.map(({ kind, partition }) => [kind, partition])).toEqual([
      ['detach-pending', nextMonth],
      ['months-ahead', null],
    ]);
    expect(found[0]?.fix).toContain('finalize');
    const ensure = await aisec('ensure');
    expect(ensure.exitCode).toBe(1);
    expect(ensure.stderr).toContain(`${monthFromNow(1)}: a DETACH CONCURRENTLY of ${nextMonth} was not finished`);
    await fix(found[0]!);
    expect(await findings()).toEqual([]);
    expect((await rowsOf(database, 'select from messages')).length).toBe(3);
  });

  test('changes nothing: it runs in a database that only reads', async () => {
    await database.admin.query(`alter database "${database.name}" set default_transaction_read_only to on`);
    expect((await aisec('check')).exitCode).toBe(0);
    expect((await aisec('list')).exitCode).toBe(0);
    expect((await aisec('ensure', '--ahead', '9', '--dry-run')).exitCode).toBe(0);
  });

  test('does not call a default partition empty whose rows a policy hides', async () => {
    await database.admin.query(messagesFrom(`${monthFromNow(-1)}-07 00:00+00`, 3));
    await database.admin.query(
      `create role "${database.name}" login; grant usage on schema public to "${database.name}"`,
    );
    await database.admin.query(`grant select on messages_default to "${database.name}"`);
    const url = Object.assign(new URL(database.url), { username: database.name, password: '' }).href;
    const run = await runInProcess(['partitions', 'check'], { env: { DATABASE_URL: url } });
    await database.admin.query(`drop owned by "${database.name}"; drop role "${database.name}"`);
    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run.stderr).toContain('may not read every row of messages_default');
  });

  test('and list take 200 partitions', async () => {
    await database.admin.query(`select ensure_message_partitions(100, '${monthFromNow(-100)}-01')`);
    const list = await aisec('list', '--json');
    expect((JSON.parse(list.stdout) as { partitions: unknown[] }).partitions.length).toBe(202);
    const check = await aisec('check');
    expect(check.exitCode).toBe(0);
  });
});
