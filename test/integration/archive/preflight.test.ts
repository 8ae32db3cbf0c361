import { expect, test } from 'vitest';

import { describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { archivedName, createChat, fillMonth, fingerprint, liveName, monthAgo, partitionsOf } from './chat.js';

const OLD = monthAgo(9);
const OLDER = monthAgo(10);

interface Month {
  readonly month: string;
  readonly outcome: string;
  readonly boundCheck: string;
  readonly findings: readonly { readonly id: string; readonly message: string; readonly fix: string }[];
}

const envOf = ({ url }: ServerDatabase): Readonly<Record<string, string>> => ({ DATABASE_URL: url });

async function archive(database: ServerDatabase, ...more: readonly string[]) {
  const run = await runInProcess(['archive', '--json', ...more], { env: envOf(database) });
  const months = run.stdout === '' ? [] : (JSON.parse(run.stdout).months as readonly Month[]);
  return { ...run, months };
}

async function fixAll({ admin }: ServerDatabase, months: readonly Month[]): Promise<void> {
  for (const { fix } of months.flatMap(({ findings }) => findings)) await admin.query(fix);
}

describeOnServer('the preflight of aisec archive', () => {
  test('reports a missing and an invalid index together, moves the other months, and its SQL fixes both', async () => {
    const database = await createChat();
    for (const month of [OLDER, OLD]) await fillMonth(database, month, 100);
    const before = await fingerprint(database);
    await database.admin.query(`create index idx_extra on messages_archive (content_type)`);
    await database.admin.query(`create index on ${liveName(OLDER)} (content_type)`);
    await database.admin.query(
      `update pg_index set indisvalid = false where indexrelid = (select indexrelid from pg_index where indrelid = '${liveName(OLD)}'::regclass and pg_get_indexdef(indexrelid) like '%(role)')`,
    );
    const dry = await archive(database, '--dry-run');
    expect(dry.exitCode).toBe(3);
    const run = await archive(database);
    expect(run.exitCode).toBe(3);
    expect(run.months.map(({ month, outcome }) => [month, outcome])).toEqual([
      [OLDER, 'archived'],
      [OLD, 'blocked'],
    ]);
    expect(run.months[1]?.findings).toEqual(dry.months[1]?.findings);
    const fixes = run.months[1]?.findings.map(({ fix }) => fix) ?? [];
    expect(fixes.some((fix) => /^create index concurrently on .*\(content_type\);$/.test(fix))).toBe(true);
    expect(fixes.some((fix) => fix.startsWith('reindex index concurrently'))).toBe(true);
    expect(run.stderr).toContain('INVALID');
    await fixAll(database, run.months);
    expect((await archive(database)).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('adds the CHECK that a hand-made partition lacks, and one that was never validated is validated', async () => {
    const database = await createChat();
    for (const month of [OLDER, OLD]) await fillMonth(database, month, 100);
    const { admin } = database;
    await admin.query(`alter table ${liveName(OLDER)} drop constraint message_month_bounds`);
    await admin.query(`alter table ${liveName(OLDER)} add constraint message_month_bounds check (content <> 'never')`);
    await admin.query(`alter table ${liveName(OLDER)} rename to january_by_hand`);
    const { rows: bounds } = await admin.query(
      `select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = '${liveName(OLD)}'::regclass and conname = 'message_month_bounds'`,
    );
    await admin.query(`alter table ${liveName(OLD)} drop constraint message_month_bounds`);
    await admin.query(`alter table ${liveName(OLD)} add constraint bounds_by_hand ${bounds[0].definition} not valid`);
    const dry = await archive(database, '--dry-run');
    expect(dry.months.map(({ boundCheck }) => boundCheck)).toEqual(['add', 'validate']);
    const run = await archive(database);
    expect(run.exitCode).toBe(0);
    const { rows } = await admin.query(
      `select conname, convalidated from pg_constraint where conrelid = '${archivedName(OLDER)}'::regclass and contype = 'c' and conname like 'message_month%'
       union all select conname, convalidated from pg_constraint where conrelid = '${archivedName(OLD)}'::regclass and conname = 'bounds_by_hand' order by 1`,
    );
    expect(rows).toEqual([
      { conname: 'bounds_by_hand', convalidated: true },
      { conname: 'message_month_bounds', convalidated: true },
      { conname: 'message_month_bounds_2', convalidated: true },
    ]);
  });

  test('names a partition that is not a calendar month, and the SQL it gives archives it', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 100);
    await database.admin.query(
      `create table wide partition of messages for values from ('2020-01-01 00:00+00') to ('2020-07-01 00:00+00')`,
    );
    const run = await archive(database);
    expect(run.exitCode).toBe(3);
    expect(run.months.map(({ outcome }) => outcome)).toEqual(['blocked', 'archived']);
    expect(run.months[0]?.findings[0]?.message).toContain('wide');
    await fixAll(database, run.months);
    expect((await archive(database)).exitCode).toBe(0);
    expect(await partitionsOf(database, 'messages_archive')).toEqual(['wide', archivedName(OLD)]);
    const listing = await runInProcess(['archive', 'list', '--json'], { env: envOf(database) });
    expect(JSON.parse(listing.stdout).months[0]).toMatchObject({ month: null, partition: 'wide' });
  });

  test('finds a month whose DETACH CONCURRENTLY was interrupted, and its SQL brings the rows back into sight', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 100);
    const before = await fingerprint(database);
    await database.admin.query(
      `update pg_inherits set inhdetachpending = true where inhrelid = '${liveName(OLD)}'::regclass`,
    );
    const run = await archive(database);
    expect(run.exitCode).toBe(3);
    expect(run.months[0]?.findings[0]?.fix).toContain('finalize');
    await fixAll(database, run.months);
    expect((await archive(database)).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('refuses while a foreign key points at messages, a column differs or the name is taken: all at once', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 100);
    const before = await fingerprint(database);
    const { admin } = database;
    await admin.query(
      `create table likes (message_id uuid, at timestamptz, constraint likes_message foreign key (message_id, at) references messages on delete cascade)`,
    );
    await admin.query(
      `alter table messages add column mood text not null default 'calm', add column length int generated always as (length(content)) stored`,
    );
    await admin.query(`create table ${archivedName(OLD)} (x int)`);
    const run = await archive(database);
    expect(run.exitCode).toBe(3);
    expect(run.months[0]?.findings).toHaveLength(4);
    await fixAll(database, run.months);
    expect((await archive(database)).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('a role without the privileges is told which statement gives them', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 20);
    const role = `${database.name}_reader`;
    await database.admin.query(`create role "${role}" login; grant pg_read_all_data, pg_write_all_data to "${role}"`);
    const url = new URL(database.url);
    url.username = role;
    try {
      for (const args of [['archive'], ['archive', 'list'], ['archive', 'restore', OLD]]) {
        const run = await runInProcess(args, { env: { DATABASE_URL: url.href } });
        expect(run.exitCode).toBe(1);
        expect(run.stderr).toContain('may not use the archive of messages');
        expect(run.stderr).toContain(`grant "postgres" to "${role}"`);
      }
      expect(await partitionsOf(database, 'messages_archive')).toEqual([]);
    } finally {
      await database.admin.query(`drop owned by "${role}"; drop role "${role}"`);
    }
  });

  test('refuses while a subscriber would miss messages, once for all months, and its SQL makes the move possible', async () => {
    const database = await createChat();
    for (const month of [OLDER, OLD]) await fillMonth(database, month, 20);
    const before = await fingerprint(database);
    const { admin } = database;
    await admin.query(`create publication chat for table messages`);
    await admin.query(`create publication one_month for table ${liveName(monthAgo(0))}`);
    const dry = await archive(database, '--dry-run');
    expect(dry.exitCode).toBe(3);
    const ids = (run: Awaited<ReturnType<typeof archive>>) =>
      run.months.map(({ findings }) => findings.map(({ id }) => id));
    expect(ids(dry)).toEqual([
      ['publication-root:chat', 'publication-partition:one_month'],
      ['publication-root:chat', 'publication-partition:one_month'],
    ]);
    expect(dry.stderr.match(/publication one_month/g)).toHaveLength(2);
    expect(dry.stderr).toContain(`${OLDER}, ${OLD}: publication one_month`);
    const run = await archive(database);
    expect(run.exitCode).toBe(3);
    expect(ids(run)).toEqual(ids(dry));
    await fixAll(database, run.months.slice(0, 1));
    const half = await archive(database);
    expect(ids(half)).toEqual([['publication-half:chat'], ['publication-half:chat']]);
    await expect(admin.query('select archive_old_messages()')).rejects.toMatchObject({ code: '55000' });
    await fixAll(database, half.months.slice(0, 1));
    expect((await archive(database)).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);

    const env = envOf(database);
    const prune = ['archive', 'prune', '--older-than', '1mo', '--without-export'];
    const refused = await runInProcess([...prune, '--confirm', database.name], { env });
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain(`alter publication chat set (publish = 'insert, update');`);
    expect((await runInProcess([...prune, '--dry-run'], { env })).exitCode).toBe(3);
    expect(await fingerprint(database)).toEqual(before);
    await admin.query(`alter publication chat set (publish = 'insert, update')`);
    expect((await runInProcess([...prune, '--confirm', database.name], { env })).exitCode).toBe(0);
    expect(await partitionsOf(database, 'messages_archive')).toEqual([]);
  });
});
