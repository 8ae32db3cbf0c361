import { beforeAll, describe, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { createMigratedEmbedded } from '../support/migrated-embedded.js';
import { onTerminal } from '../support/on-terminal.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

function monthFromNow(offset: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1)).toISOString().slice(0, 7);
}
const nameOf = (month: string): string => `messages_y${month.replace('-', 'm')}`;
const USER = '10000000-0000-4000-8000-000000000001';

describe('aisec partitions on the embedded database', () => {
  test('are checked, made and listed', async () => {
    const env = { AISEC_DATA_DIR: await createMigratedEmbedded() };
    expect(await runInProcess(['partitions', 'check'], { env })).toMatchObject({ exitCode: 0, stdout: '' });
    const made = await runInProcess(['partitions', 'ensure', '--ahead', '4', '--json'], { env });
    expect(JSON.parse(made.stdout)).toMatchObject({ months: [{ month: monthFromNow(4), state: 'made' }] });
    const { stdout } = await runInProcess(['partitions', 'list', '--json'], { env });
    expect(JSON.parse(stdout).partitions.map(({ partition }: { readonly partition: string }) => partition)).toEqual([
      ...[0, 1, 2, 3, 4].map((offset) => nameOf(monthFromNow(offset))),
      'messages_default',
    ]);
  });
});

describeOnServer('aisec partitions', () => {
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  const aisec = (...args: readonly string[]): Promise<CliResult> => runInProcess(['partitions', ...args], { env });
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    env = { DATABASE_URL: database.url };
  });

  test('are listed with month, bounds in UTC, size and state, in JSON with stable fields', async () => {
    const { exitCode, stdout } = await aisec('list', '--json');
    expect(exitCode).toBe(0);
    const { partitions } = JSON.parse(stdout) as { partitions: readonly Record<string, unknown>[] };
    expect(partitions.map(({ partition, state }) => [partition, state])).toEqual([
      ...[0, 1, 2, 3].map((offset) => [nameOf(monthFromNow(offset)), offset === 0 ? 'current' : 'ahead']),
      ['messages_default', 'default'],
    ]);
    expect(partitions[0]).toEqual({
      table: 'messages',
      partition: nameOf(monthFromNow(0)),
      month: monthFromNow(0),
      lowerBound: `${monthFromNow(0)}-01T00:00:00Z`,
      upperBound: `${monthFromNow(1)}-01T00:00:00Z`,
      rowEstimate: null,
      sizeBytes: expect.any(Number),
      state: 'current',
    });
    expect(partitions.at(-1)).toMatchObject({ month: null, lowerBound: null, upperBound: null });
  });

  test('are listed tab-separated in a pipe and aligned, with sizes for people, on a terminal', async () => {
    const piped = await aisec('list');
    expect(piped.stdout.split('\n')[0]).toBe('table\tpartition\tmonth\tbounds\trows\tsize\tstate');
    expect(piped.stdout.split('\n')[1]?.split('\t')[5]).toMatch(/^\d+$/);
    const { screen } = await onTerminal('aisec partitions list', { ...env, NO_COLOR: '1' });
    expect(screen).toMatch(/messages_default .* \d+ kB {2}default/);
  });

  test('are healthy after migrate up, and ensure has nothing to do', async () => {
    expect(await aisec('check')).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await aisec('ensure', '--quiet')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect((await aisec('check', '--min-ahead', '4')).exitCode).toBe(3);
  });

  test('of a missed month are told by check, planned by a dry run that changes nothing, and made by ensure', async () => {
    const query = async (sql: string): Promise<readonly unknown[]> => (await database.admin.query(sql)).rows;
    await query(`insert into users (id, username, email, password_hash) values ('${USER}', 'u', 'u@x', 'h')`);
    await query(`insert into conversations (id, user_id) values ('${USER}', '${USER}')`);
    await query(
      `insert into messages (conversation_id, role, created_at) values
         ('${USER}', 'user', '${monthFromNow(-3)}-09 00:00+00'), ('${USER}', 'user', '${monthFromNow(-3)}-10 00:00+00')`,
    );
    const check = await aisec('check', '--json');
    expect(check.exitCode).toBe(3);
    expect(JSON.parse(check.stdout)).toMatchObject({
      isHealthy: false,
      monthsAhead: 3,
      minAhead: 2,
      defaultRows: 2,
      findings: [{ kind: 'default-rows', fix: 'aisec partitions ensure' }],
    });
    const table = (word: string, title: string): string =>
      [
        `month\tpartition\t${title}\tstate`,
        ...[-3, -2, -1]
          .map(monthFromNow)
          .map((month) => `${month}\t${nameOf(month)}\t${month === monthFromNow(-3) ? 2 : 0}\t${word}`),
        '',
      ].join('\n');
    expect(await aisec('ensure', '--dry-run')).toMatchObject({ exitCode: 0, stdout: table('to make', 'rows to move') });
    expect(await aisec('ensure')).toMatchObject({ exitCode: 0, stdout: table('made', 'rows moved') });
    expect((await aisec('check')).exitCode).toBe(0);
    expect(await query('select distinct tableoid::regclass::text as place from messages')).toEqual([
      { place: nameOf(monthFromNow(-3)) },
    ]);
  });

  test.each([
    [[monthFromNow(2)], 'lies in the future'],
    [['0001-01'], 'lies too far back'],
  ])('ensure --since %s is refused by the clock of the server, exit 2', async ([from = ''], message) => {
    const run = await aisec('ensure', '--since', from);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(message);
  });

  test('in a schema whose name needs quotes work alike, and fixes carry the schema', async () => {
    const own = { DATABASE_URL: (await createServerDatabase()).url };
    const args = ['--schema', 'My App'];
    expect((await runInProcess(['migrate', 'up', ...args], { env: own })).exitCode).toBe(0);
    const made = await runInProcess(['partitions', 'ensure', '--ahead', '5', '--json', ...args], { env: own });
    expect(JSON.parse(made.stdout)).toMatchObject({ schema: 'My App', months: [{ state: 'made' }, { state: 'made' }] });
    const list = await runInProcess(['partitions', 'list', ...args], { env: own });
    expect(list.stdout.trim().split('\n').length).toBe(1 + 7);
    const check = await runInProcess(['partitions', 'check', '--min-ahead', '6', ...args], { env: own });
    expect(check.exitCode).toBe(3);
    expect(check.stdout).toContain("aisec partitions ensure --ahead 6 --schema 'My App'");
    const elsewhere = await runInProcess(['partitions', 'check'], { env: own });
    expect(elsewhere).toMatchObject({ exitCode: 3, stdout: '' });
    expect(elsewhere.stderr).toMatch(
      /error: the schema "public" of .* is not migrated[\s\S]*hint: Run: aisec migrate up/,
    );
  });
});

describe('aisec partitions', () => {
  test.each([
    ['--since', '2026-13', 'invalid month "2026-13"'],
    ['--since', 'soon', 'invalid month "soon"'],
    ['--ahead', '121', 'invalid number of months "121": expected 0 to 120'],
    ['--ahead', '-1', 'invalid number of months "-1": expected 0 to 120'],
  ])('ensure %s %s is refused before anything is opened, exit 2', async (flag, value, message) => {
    const run = await runInProcess(['partitions', 'ensure', flag, value]);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(`error: ${flag}: ${message}`);
  });

  test.each(['ensure', 'list', 'check'])('%s without a database says so and exits 2', async (verb) => {
    const run = await runInProcess(['partitions', verb]);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain('aisec migrate up');
  });
});
