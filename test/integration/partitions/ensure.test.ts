import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { boundsOf, messagesFrom, monthFromNow, nameOf, ONE_CONVERSATION, rowsOf } from './messages.js';

describeOnServer('aisec partitions ensure', () => {
  let database: ServerDatabase;
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
  });
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['partitions', ...args], { env: { DATABASE_URL: database.url } });

  test('makes the same bounds, UTC midnights, whatever the time zone and date style of the database', async () => {
    const bounds: (readonly string[])[] = [];
    for (const [zone, style] of [
      ['UTC', 'ISO, YMD'],
      ['America/New_York', 'German, DMY'],
      ['Asia/Kathmandu', 'SQL, MDY'],
    ]) {
      const other = await createServerDatabase({ migrated: true });
      await other.admin.query(`alter database "${other.name}" set timezone to '${zone}'`);
      await other.admin.query(`alter database "${other.name}" set datestyle to '${style}'`);
      const env = { DATABASE_URL: other.url, TZ: String(zone), PGTZ: String(zone) };
      expect((await runInProcess(['partitions', 'ensure', '--ahead', '14'], { env })).exitCode).toBe(0);
      expect((await runInProcess(['partitions', 'check', '--min-ahead', '14'], { env })).stdout).toBe('');
      bounds.push(await boundsOf(other));
    }
    expect(bounds[0]?.length).toBe(16);
    expect(bounds[1]).toEqual(bounds[0]);
    expect(bounds[2]).toEqual(bounds[0]);
    expect(
      bounds[0]?.slice(1).filter((line) => !/\('\S+-01 00:00:00\+00'\) TO \('\S+-01 00:00:00\+00'\)$/.test(line)),
    ).toEqual([]);
  });

  test('counts the horizon from now: a message dated 2100 gets its own month and no other', async () => {
    await database.admin.query(messagesFrom('2100-06-15 10:00+00', 1));
    const result = await aisec('ensure', '--ahead', '5', '--json');
    expect(result.exitCode).toBe(0);
    const { months } = JSON.parse(result.stdout) as { months: { month: string; state: string; rows: number }[] };
    expect(months.map(({ month, state, rows }) => [month, state, rows])).toEqual([
      [monthFromNow(4), 'made', 0],
      [monthFromNow(5), 'made', 0],
      ['2100-06', 'made', 1],
    ]);
    expect(await rowsOf(database, 'select tableoid::regclass::text as place from messages')).toEqual([
      { place: 'messages_y2100m06' },
    ]);
    expect((await aisec('ensure')).exitCode).toBe(0);
    expect(await aisec('check')).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('with an unrelated table of the wanted name makes the other months, names it, exits 1, and the fix works', async () => {
    const taken = nameOf(monthFromNow(5));
    await database.admin.query(`create table ${taken} (id int)`);
    await database.admin.query(messagesFrom(`${monthFromNow(5)}-10 00:00+00`, 3));
    await database.admin.query(messagesFrom(`${monthFromNow(-2)}-10 00:00+00`, 4));
    const plan = await aisec('ensure', '--ahead', '6', '--dry-run', '--json');
    const run = await aisec('ensure', '--ahead', '6', '--json');
    expect([plan.exitCode, run.exitCode]).toEqual([1, 1]);
    const monthsOf = ({ stdout }: CliResult, state: string): readonly string[] =>
      (JSON.parse(stdout) as { months: { month: string; state: string; fix: string }[] }).months
        .filter((month) => month.state === state)
        .map(({ month }) => month);
    expect(monthsOf(run, 'made')).toEqual([-2, -1, 4, 6].map(monthFromNow));
    expect(monthsOf(plan, 'planned')).toEqual(monthsOf(run, 'made'));
    expect(monthsOf(run, 'failed')).toEqual([monthFromNow(5)]);
    const lines = run.stderr.trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ error: { code: 'PARTITION_NOT_MADE' } });
    expect(run.stderr).toContain(`the name ${taken} is in use by a table`);
    expect((await rowsOf(database, 'select from messages')).length).toBe(7);

    const fix = /to fix it: (.*;)$/m.exec(run.stderr)?.[1] ?? '';
    await database.admin.query(fix);
    expect((await aisec('ensure')).exitCode).toBe(0);
    expect((await aisec('check')).exitCode).toBe(0);
    expect(await rowsOf(database, 'select from messages_default')).toEqual([]);
  });

  test('makes a month with its CHECK, indexes, row-level security, replica identity and no grants from birth', async () => {
    await database.admin.query('alter default privileges grant select on tables to public, authenticated');
    await database.admin.query('alter table messages replica identity full');
    expect((await aisec('ensure', '--ahead', '4')).exitCode).toBe(0);
    const name = nameOf(monthFromNow(4));
    expect(
      await rowsOf(
        database,
        `select relrowsecurity, relreplident,
                (select count(*) from aclexplode(relacl) where grantee <> relowner)::int as grants,
                (select count(*) from pg_index where indrelid = c.oid and indisvalid)::int as indexes,
                (select count(*) from pg_index where indrelid = 'messages'::regclass)::int as wanted_indexes,
                (select count(*) from pg_constraint where conrelid = c.oid and contype = 'c' and convalidated
                    and conname = 'message_month_bounds')::int as checks
         from pg_class c where relname = '${name}'`,
      ),
    ).toEqual([{ relrowsecurity: true, relreplident: 'f', grants: 0, indexes: 6, wanted_indexes: 6, checks: 1 }]);
  });

  test('moves the rows of every month out of the default partition, does what the dry run said, and then has nothing to do', async () => {
    for (const [offset, count] of [
      [-30, 5],
      [-4, 7],
      [-3, 11],
      [9, 2],
    ] as const)
      await database.admin.query(messagesFrom(`${monthFromNow(offset)}-03 00:00+00`, count));
    const before = await rowsOf(database, 'select id, created_at, content from messages order by id');
    const plan = await aisec('ensure', '--dry-run', '--json');
    expect(await rowsOf(database, 'select count(*)::int as rows from messages_default')).toEqual([{ rows: 25 }]);
    const run = await aisec('ensure', '--json');
    expect([plan.exitCode, run.exitCode]).toEqual([0, 0]);
    expect(JSON.parse(plan.stdout.replaceAll('"planned"', '"made"'))).toEqual({
      ...(JSON.parse(run.stdout) as object),
      isDryRun: true,
      drained: [],
    });
    expect(await rowsOf(database, 'select id, created_at, content from messages order by id')).toEqual(before);
    expect(await rowsOf(database, 'select from messages_default')).toEqual([]);
    expect(await rowsOf(database, 'select count(*)::int as keys from message_keys')).toEqual([{ keys: 25 }]);
    expect(await aisec('ensure')).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringContaining('nothing to do'),
    });
    expect((await aisec('check')).exitCode).toBe(0);
  });

  test('leaves the late rows of an archived month where they are and says what moves them', async () => {
    const month = monthFromNow(-8);
    await database.admin.query(`select ensure_message_partitions(0, '${month}-01')`);
    await database.admin.query(`select aisec_archive_month('${month}-01')`);
    await database.admin.query(messagesFrom(`${month}-03 00:00+00`, 2));
    const run = await aisec('ensure', '--since', month);
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain(`${month}: 2 rows left in the default partition, the month is in the archive`);
    expect(run.stdout).not.toContain(month);
    const check = await aisec('check', '--json');
    expect(check.exitCode).toBe(3);
    expect(JSON.parse(check.stdout)).toMatchObject({ findings: [{ kind: 'default-rows', fix: 'aisec archive' }] });
  });

  test('and archive say so, exit 3, when the functions in the database are older than this aisec', async () => {
    const old = await createServerDatabase();
    const env = { DATABASE_URL: old.url };
    expect(await runInProcess(['migrate', 'up', '--to', '0016_message_maintenance'], { env })).toMatchObject({
      exitCode: 0,
    });
    for (const args of [['partitions', 'ensure'], ['archive']]) {
      const run = await runInProcess(args, { env });
      expect(run).toMatchObject({ exitCode: 3, stdout: '' });
      expect(run.stderr).toContain('Run: aisec migrate up');
    }
  });

  test('is refused for a role that does not own the tables, with the way out', async () => {
    await database.admin.query(`create role "${database.name}" login`);
    await database.admin.query(`grant usage on schema public to "${database.name}"`);
    const url = Object.assign(new URL(database.url), { username: database.name, password: '' }).href;
    const run = await runInProcess(['partitions', 'ensure', '--ahead', '9'], { env: { DATABASE_URL: url } });
    await database.admin.query(`drop owned by "${database.name}"; drop role "${database.name}"`);
    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run.stderr).toMatch(/may not read every row of messages_default[\s\S]*hint: Run it as the owner/);
  });
});
