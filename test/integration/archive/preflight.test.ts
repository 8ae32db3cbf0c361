import { expect, test } from 'vitest';

import { describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runCli } from '../../support/run-cli.js';
import { archivedName, createChat, fillMonth, fingerprint, liveName, monthAgo, partitionsOf } from './chat.js';

const OLD = monthAgo(9);
const OLDER = monthAgo(10);

interface Month {
  readonly month: string;
  readonly outcome: string;
  readonly boundCheck: string;
  readonly faults: readonly { readonly problem: string; readonly mend: string }[];
}

const envOf = ({ url }: ServerDatabase): Readonly<Record<string, string>> => ({ DATABASE_URL: url });

async function archive(database: ServerDatabase, ...more: readonly string[]) {
  const run = await runCli(['archive', '--json', ...more], { env: envOf(database) });
  const months = run.stdout === '' ? [] : (JSON.parse(run.stdout).months as readonly Month[]);
  return { ...run, months };
}

async function mendAll({ admin }: ServerDatabase, months: readonly Month[]): Promise<void> {
  for (const { mend } of months.flatMap(({ faults }) => faults)) await admin.query(mend);
}

describeOnServer('the preflight of aisec archive', () => {
  test('reports a missing and an invalid index together, moves the other months, and its SQL mends both', async () => {
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
    expect(run.months[1]?.faults).toEqual(dry.months[1]?.faults);
    const mends = run.months[1]?.faults.map(({ mend }) => mend) ?? [];
    expect(mends.some((mend) => /^create index concurrently on .*\(content_type\);$/.test(mend))).toBe(true);
    expect(mends.some((mend) => mend.startsWith('reindex index concurrently'))).toBe(true);
    expect(run.stderr).toContain('INVALID');
    await mendAll(database, run.months);
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

  test('names a partition that is no calendar month, and the SQL it gives archives it', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 100);
    await database.admin.query(
      `create table wide partition of messages for values from ('2020-01-01 00:00+00') to ('2020-07-01 00:00+00')`,
    );
    const run = await archive(database);
    expect(run.exitCode).toBe(3);
    expect(run.months.map(({ outcome }) => outcome)).toEqual(['blocked', 'archived']);
    expect(run.months[0]?.faults[0]?.problem).toContain('wide');
    await mendAll(database, run.months);
    expect((await archive(database)).exitCode).toBe(0);
    expect(await partitionsOf(database, 'messages_archive')).toEqual(['wide', archivedName(OLD)]);
    const listing = await runCli(['archive', 'list', '--json'], { env: envOf(database) });
    expect(JSON.parse(listing.stdout).months[0]).toMatchObject({ month: null, partition: 'wide' });
  });

  test('finds a month whose DETACH CONCURRENTLY was cut off, and its SQL brings the rows back into sight', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 100);
    const before = await fingerprint(database);
    await database.admin.query(
      `update pg_inherits set inhdetachpending = true where inhrelid = '${liveName(OLD)}'::regclass`,
    );
    const run = await archive(database);
    expect(run.exitCode).toBe(3);
    expect(run.months[0]?.faults[0]?.mend).toContain('finalize');
    await mendAll(database, run.months);
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
    await admin.query('alter table messages add column mood text');
    await admin.query(`create table ${archivedName(OLD)} (x int)`);
    const run = await archive(database);
    expect(run.exitCode).toBe(3);
    expect(run.months[0]?.faults).toHaveLength(3);
    await mendAll(database, run.months);
    expect((await archive(database)).exitCode).toBe(0);
    expect(await fingerprint(database)).toEqual(before);
  });

  test('refuses a role that does not own the tables, and warns of a publication', async () => {
    const database = await createChat();
    await fillMonth(database, OLD, 20);
    await database.admin.query('create publication chat for table messages');
    const role = `${database.name}_reader`;
    await database.admin.query(`create role "${role}" login; grant pg_read_all_data, pg_write_all_data to "${role}"`);
    const url = new URL(database.url);
    url.username = role;
    try {
      const run = await runCli(['archive'], { env: { DATABASE_URL: url.href } });
      expect(run.exitCode).not.toBe(0);
      expect(run.stderr).toMatch(/does not own|permission denied/);
      expect(await partitionsOf(database, 'messages_archive')).toEqual([]);
    } finally {
      await database.admin.query(`drop owned by "${role}"; drop role "${role}"`);
    }
    const run = await archive(database);
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('publication');
  });
});
