import pg from 'pg';
import { expect, test } from 'vitest';

import { describeOnServer, type ServerDatabase } from '../../support/database.js';
import { startCli } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { archivedName, createChat, fillMonth, fingerprint, liveName, monthAgo, partitionsOf } from './chat.js';

const OLD = monthAgo(9);
const OLDER = monthAgo(10);
const YOUNG = monthAgo(3);

const envOf = ({ url }: ServerDatabase): Readonly<Record<string, string>> => ({ DATABASE_URL: url });

async function connect({ url }: ServerDatabase, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: applicationName });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describeOnServer('aisec archive of whole months', () => {
  test('a repeatable-read transaction that has looked into one table finds every message, or holds the move off', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 30);
    const reader = await connect(database, 'a report');
    await reader.query('begin isolation level repeatable read');
    const { rows: total } = await database.admin.query('select count(*)::int as n from messages');
    expect((await reader.query('select count(*)::int as n from messages_archive')).rows).toEqual([{ n: 0 }]);
    const held = await runInProcess(['archive', '--max-wait', '1s'], { env: envOf(database) });
    expect((await reader.query('select count(*)::int as n from messages')).rows).toEqual(total);
    expect(held.exitCode).toBe(5);
    // The functions of the schema try 30 times, about 7 s, when nobody tells them to stop after 1 s.
    expect(Number(/(\d+) attempts/.exec(held.stderr)?.[1])).toBeLessThan(12);
    await reader.query('commit');
    await reader.end();
    expect((await runInProcess(['archive'], { env: envOf(database) })).exitCode).toBe(0);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([archivedName(OLD)]);
  });

  test('moves the months older than the age, keeps every reference, and has nothing to do the second time', async () => {
    const database = await createChat();
    for (const month of [OLDER, OLD, YOUNG]) {
      await fillMonth(database, month, 200);
      // A worker of autovacuum would be in the way of the first attempt.
      await database.admin.query(`alter table ${liveName(month)} set (autovacuum_enabled = off)`);
    }
    const before = await fingerprint(database);

    const plan = await runInProcess(['archive', '--dry-run', '--json'], { env: envOf(database) });
    const planned = JSON.parse(plan.stdout);
    expect(planned.months.map(({ month, action, rows }: never) => [month, action, rows])).toEqual([
      [OLDER, 'swap', 200],
      [OLD, 'swap', 200],
    ]);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([]);

    const run = await runInProcess(['archive', '--json'], { env: envOf(database) });
    expect(run.exitCode).toBe(0);
    const result = JSON.parse(run.stdout);
    expect(result.months.map(({ month, locks }: never) => [month, locks])).toEqual(
      planned.months.map(({ month, locks }: never) => [month, locks]),
    );
    expect(result.months.map(({ outcome, partition }: never) => [outcome, partition])).toEqual([
      ['archived', archivedName(OLDER)],
      ['archived', archivedName(OLD)],
    ]);
    expect(await fingerprint(database)).toEqual(before);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([archivedName(OLDER), archivedName(OLD)]);
    expect(await partitionsOf(database, 'messages')).toContain(liveName(YOUNG));

    const { rows: journal } = await database.admin.query(
      `select to_char(month, 'YYYY-MM') as month, action, partition_name, row_count::int, row_count_is_exact, attempts, role_name
       from archive_journal order by id`,
    );
    expect(journal).toEqual(
      [OLDER, OLD].map((month) => ({
        month,
        action: 'archive',
        partition_name: archivedName(month),
        row_count: 200,
        row_count_is_exact: true,
        attempts: 1,
        role_name: 'postgres',
      })),
    );
    const again = await runInProcess(['archive'], { env: envOf(database) });
    expect(again).toMatchObject({ exitCode: 0, stdout: '' });
    expect(again.stderr).toContain('nothing to do');

    await database.admin.query('delete from users');
    const { rows } = await database.admin.query('select count(*)::int as left from all_messages');
    expect(rows).toEqual([{ left: 0 }]);
  });

  test('brings a month back, again and again, with the messages that were written for it meanwhile', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 200);
    await runInProcess(['archive'], { env: envOf(database) });
    await database.admin.query(
      `insert into messages (conversation_id, role, created_at)
       select id, 'user', $1::date + interval '3 days' from conversations limit 1`,
      [`${OLD}-01`],
    );
    const before = await fingerprint(database);
    const restored = await runInProcess(['archive', 'restore', OLD, '--json'], { env: envOf(database) });
    expect(JSON.parse(restored.stdout)).toMatchObject({ outcome: 'restored', partition: liveName(OLD) });
    expect(await fingerprint(database)).toEqual(before);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([]);
    const again = await runInProcess(['archive', 'restore', OLD, '--json'], { env: envOf(database) });
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'live' });
    expect((await runInProcess(['archive'], { env: envOf(database) })).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('a reader in the middle of a transaction: exit 5 names it, nothing has changed; a patient run gets through', async () => {
    const database = await createChat();
    await fillMonth(database, OLDER, 50);
    const before = await fingerprint(database);
    const reader = await connect(database, 'slow report');
    await reader.query('begin');
    await reader.query('select count(*) from messages');
    const run = await runInProcess(['archive', '--max-wait', '0'], { env: envOf(database) });
    expect(run.exitCode).toBe(5);
    expect(run.stderr).toContain('slow report');
    expect(run.stderr).toContain('idle in transaction');
    expect(await fingerprint(database)).toEqual(before);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([]);
    expect((await database.admin.query('select from archive_journal')).rowCount).toBe(0);

    const patient = startCli(['archive', '--max-wait', '180s'], { env: envOf(database) });
    await waitFor(async () => {
      const { rowCount } = await database.admin.query(
        `select from pg_stat_activity join pg_locks using (pid)
         where application_name = 'aisec archive' and datname = current_database() and locktype = 'advisory' and mode = 'ExclusiveLock' and granted`,
      );
      return rowCount === 1;
    });
    const second = await runInProcess(['archive'], { env: envOf(database) });
    expect(second.exitCode).toBe(5);
    expect(second.stderr).toContain('"aisec archive"');
    await reader.query('commit');
    await reader.end();
    expect((await patient.finished).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('every reader sees one number of messages while months go back and forth under writers', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 2000);
    const { rows: first } = await database.admin.query(
      'select count(*)::int as n from all_messages where created_at < $1',
      [`${YOUNG}-01`],
    );
    const counter = await connect(database, 'counter');
    const writers = await Promise.all([1, 2, 3].map((n) => connect(database, `writer ${n}`)));
    let isOver = false;
    const seen = new Set<number>();
    const counting = (async () => {
      while (!isOver) {
        const { rows } = await counter.query(
          'select (select count(*)::int from messages where created_at < $1) + (select count(*)::int from messages_archive) as n',
          [`${YOUNG}-01`],
        );
        seen.add(rows[0].n);
      }
    })();
    const failures: string[] = [];
    const writing = writers.map(async (writer, index) => {
      for (let n = 0; !isOver; n += 1) {
        const conversation = `10000000-0000-4000-8000-${String((n + index) % 20).padStart(12, '0')}`;
        const insert = `insert into messages (conversation_id, role) values ('${conversation}', 'user')`;
        const update = `update conversations set title = 'x' where id = '${conversation}'`;
        const [one, two] = n % 2 === 0 ? [insert, update] : [update, insert];
        await writer.query(`begin; ${one}; ${two}; commit`).catch(async (error: unknown) => {
          failures.push((error as { code: string }).code);
          await writer.query('rollback');
        });
      }
    });
    for (let round = 0; round < 4; round += 1) {
      for (const args of [['--no-analyze'], ['restore', OLD]])
        expect(await runInProcess(['archive', ...args, '--max-wait', '120s'], { env: envOf(database) })).toMatchObject({
          exitCode: 0,
        });
    }
    isOver = true;
    await Promise.all([counting, ...writing]);
    await Promise.all([counter, ...writers].map((client) => client.end()));
    expect([...seen]).toEqual([first[0].n]);
    expect(failures).toEqual([]);
  });

  test('month ends are those of UTC to the microsecond, in the months of daylight saving, too', async () => {
    const database = await createChat();
    await database.admin.query(`alter database "${database.name}" set timezone = 'Pacific/Kiritimati'`);
    const months = Array.from({ length: 12 }, (_, index) => monthAgo(18 - index));
    await database.admin.query(`select ensure_message_partitions(3, '${months[0]}-01')`);
    for (const month of months)
      await database.admin.query(
        `insert into messages (conversation_id, role, content, created_at)
         select c.id, 'user', $1, e.moment
         from (select id from conversations limit 1) c,
           (values ($2::timestamptz),
              (($2::timestamptz at time zone 'UTC' + interval '1 month' - interval '1 microsecond') at time zone 'UTC')) e(moment)`,
        [month, `${month}-01 00:00:00+00`],
      );
    for (const [index, timeZone] of ['America/New_York', 'Asia/Kathmandu', 'Pacific/Kiritimati'].entries()) {
      const env = { ...envOf(database), TZ: timeZone, PGTZ: timeZone };
      const args = ['archive', '--older-than', `${15 - 3 * index}mo`, '--json'];
      const run = await runInProcess(args, { env });
      const { cutoff, months: moved } = JSON.parse(run.stdout) as { cutoff: string; months: { rows: number }[] };
      expect(moved.every(({ rows }) => rows === 2)).toBe(true);
      const { rows } = await database.admin.query(
        `select content, to_char(created_at at time zone 'UTC', 'YYYY-MM') as month, is_archived, tableoid::regclass::text as partition
         from (select *, true as is_archived, tableoid from messages_archive union all select *, false, tableoid from messages) m`,
      );
      expect(rows.length).toBe(24);
      for (const row of rows as { content: string; month: string; is_archived: boolean; partition: string }[]) {
        expect(row.month).toBe(row.content);
        expect(row.is_archived).toBe(row.content < cutoff.slice(0, 7));
        expect(row.partition).toBe(row.is_archived ? archivedName(row.content) : liveName(row.content));
      }
    }
  });

  test('renews the statistics of both tables without reading a month again', async () => {
    const database = await createChat();
    for (const month of [OLD, YOUNG]) await fillMonth(database, month, 500);
    // The server's own autovacuum reads what it likes.
    await database.admin.query(`do $$ declare name regclass; begin
      for name in select relid from pg_partition_tree('messages') where isleaf loop
        execute format('alter table %s set (autovacuum_enabled = off)', name);
      end loop; end $$`);
    await database.admin.query('analyze messages');
    const ofPartitions = async (): Promise<unknown> =>
      (
        await database.admin.query(
          `select starelid::regclass::oid as partition, array_agg(distinct xmin::text) as written
           from pg_statistic where not stainherit and starelid in (select partition from aisec_message_partition_bounds())
           group by 1 order by 1`,
        )
      ).rows;
    const before = await ofPartitions();
    expect((await runInProcess(['archive'], { env: envOf(database) })).exitCode).toBe(0);
    expect(await ofPartitions()).toEqual(before);
    const { rows } = await database.admin.query(
      `select tablename, bool_and(inherited) as inherited, string_agg(attname, ' ' order by attname) as columns from pg_stats
       where tablename = 'messages_archive' group by 1`,
    );
    expect(rows).toEqual([
      { tablename: 'messages_archive', inherited: true, columns: 'conversation_id created_at id parent_id role' },
    ]);
    const { rows: known } = await database.admin.query(
      `select (select reltuples from pg_class where oid = 'messages_archive'::regclass) as archived,
         (select reltuples from pg_class where oid = 'messages'::regclass) - (select count(*) from messages) as missed`,
    );
    expect(known).toEqual([{ archived: 500, missed: 0 }]);
  });

  test('a session in another time zone changes nothing: bounds and months are those of UTC', async () => {
    const database = await createChat();
    await database.admin.query(`alter database "${database.name}" set timezone = 'America/New_York'`);
    await database.admin.query(`alter database "${database.name}" set datestyle = 'SQL, DMY'`);
    await fillMonth(database, OLD, 100);
    const before = await fingerprint(database);
    const env = { ...envOf(database), TZ: 'America/New_York' };
    expect((await runInProcess(['archive'], { env })).exitCode).toBe(0);
    expect((await runInProcess(['archive', 'restore', OLD], { env })).exitCode).toBe(0);
    expect((await runInProcess(['archive'], { env })).exitCode).toBe(0);
    const { rows } = await database.admin.query(
      `select to_char(lower_bound at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as lower from aisec_message_partition_bounds() where parent = 'messages_archive'::regclass`,
    );
    expect(rows).toEqual([{ lower: `${OLD}-01 00:00` }]);
    expect(await fingerprint(database)).toEqual(before);
  });
});
