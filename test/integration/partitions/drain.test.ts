import { setTimeout as sleep } from 'node:timers/promises';

import { beforeEach, describe, expect, test } from 'vitest';

import { diffCatalogs } from '../../../src/adapters/catalog/diff.js';
import { renderDifference } from '../../../src/adapters/catalog/difference.js';
import { readCatalog } from '../../../src/adapters/catalog/snapshot.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { createMigratedEmbedded } from '../../support/migrated-embedded.js';
import { waitFor } from '../../support/wait-for.js';
import { catalogOf, withSession } from '../catalog/catalog-session.js';
import { connectApplication } from './chat.js';
import { messagesFrom, monthFromNow, ONE_CONVERSATION, rowsOf } from './messages.js';
import { chance } from '../../support/chance.js';
import { expectKeys } from './writers.js';

const FIRST = monthFromNow(-3);
const SECOND = monthFromNow(-1);
const TRACES = `
  select relname::text as name from pg_class where relname like '%\\_drain' or relname like 'aisec\\_drain%'
  union all
  select proname from pg_proc where proname like '%\\_default\\_%' and proname like 'aisec\\_%' and prorettype = 'trigger'::regtype`;
const ALL_ROWS = `select md5(string_agg(m::text, ',' order by id)) as sum, count(*)::int as rows from messages m`;

describeOnServer('a default partition with rows', () => {
  let database: ServerDatabase;
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
  });
  const ensure = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['partitions', 'ensure', ...args], { env: { DATABASE_URL: database.url } });
  const fill = async (rows: number): Promise<void> => {
    for (const month of [FIRST, SECOND]) await database.admin.query(messagesFrom(`${month}-01 00:00+00`, rows));
  };
  const drainedTables = async (): Promise<readonly unknown[]> =>
    (await rowsOf(database, `select relname::text as name from pg_class where relname ~ '_drained_\\d{14}$'`)).map(
      ({ name }) => name,
    );

  test('gives way to its months and an empty one like it; the old one is kept until the next run', async () => {
    await fill(3000);
    await database.admin.query('alter default privileges grant select, insert on tables to public');
    await database.admin.query(messagesFrom('infinity', 1));
    const before = await catalogOf(database.url, { schema: 'public' });
    const rows = await rowsOf(database, ALL_ROWS);
    const run = await ensure('--json');
    expect(run).toMatchObject({ exitCode: 0 });
    const result = JSON.parse(run.stdout) as { drained: readonly { table: string }[] };
    expect(result).toMatchObject({
      months: [
        { month: FIRST, state: 'made', rows: 3000 },
        { month: monthFromNow(-2), state: 'made', rows: 0 },
        { month: SECOND, state: 'made', rows: 3000 },
      ],
      drained: [{ rows: 6001, lostRows: 0, state: 'kept' }],
    });
    expect(await rowsOf(database, ALL_ROWS)).toEqual(rows);
    expect(await rowsOf(database, 'select created_at::text from messages_default')).toEqual([
      { created_at: 'infinity' },
    ]);
    const [kept] = await drainedTables();
    expect(await rowsOf(database, `select count(*)::int as n from ${String(kept)}`)).toEqual([{ n: 6001 }]);
    const grants = `select from pg_class cross join lateral aclexplode(relacl) acl where relname = '${String(kept)}' and acl.grantee <> relowner`;
    expect(await rowsOf(database, grants)).toEqual([]);
    expect(await rowsOf(database, `select tgname from pg_trigger where tgrelid = '${String(kept)}'::regclass`)).toEqual(
      [],
    );
    expect(await rowsOf(database, TRACES)).toEqual([]);

    expect(JSON.parse((await ensure('--json')).stdout)).toMatchObject({ drained: [{ state: 'dropped' }] });
    expect(await drainedTables()).toEqual([]);
    const after = await catalogOf(database.url, { schema: 'public' });
    expect(diffCatalogs(before, after).map(renderDifference)).toEqual([]);
    expect(await rowsOf(database, ALL_ROWS)).toEqual(rows);
    await expectKeys(database);
  });

  test('gives way to its months whatever its name is, also one of 63 bytes', async () => {
    const name = '既'.repeat(21);
    await database.admin.query(`alter table messages_default rename to "${name}"`);
    await fill(3);
    const rows = await rowsOf(database, ALL_ROWS);
    expect(await ensure()).toMatchObject({ exitCode: 0 });
    expect(await drainedTables()).toHaveLength(1);
    expect(await ensure()).toMatchObject({ exitCode: 0 });
    expect(await drainedTables()).toEqual([]);
    expect(await rowsOf(database, TRACES)).toEqual([]);
    expect(await rowsOf(database, `select from "${name}"`)).toEqual([]);
    expect(await rowsOf(database, ALL_ROWS)).toEqual(rows);
  });

  test('keeps the drained table, names it and exits 1 while a message of it is in neither table', async () => {
    await fill(20);
    expect(await ensure()).toMatchObject({ exitCode: 0 });
    const [kept] = await drainedTables();
    await database.admin.query(`
      alter table messages_y${SECOND.replace('-', 'm')} disable trigger all;
      delete from messages_y${SECOND.replace('-', 'm')} where created_at = '${SECOND}-01 00:03+00';
      delete from messages where created_at = '${FIRST}-01 00:03+00'`);
    const run = await ensure();
    expect(run).toMatchObject({ exitCode: 1 });
    expect(run.stderr).toContain(`"${String(kept)}" holds messages that messages lacks`);
    expect(run.stderr).toContain('1 message');
    expect(await drainedTables()).toEqual([kept]);
  });

  test('shows every message to REPEATABLE READ transactions that began before or during its draining', async () => {
    await fill(2000);
    const seen: { readonly began: number; readonly rows: number }[] = [];
    let isOver = false;
    const random = chance();
    const reading = Promise.all(
      Array.from({ length: 3 }, async () => {
        const client = await connectApplication(database.url);
        while (!isOver) {
          // The snapshot is taken by another table; messages is not locked until the second query.
          await client.query('begin isolation level repeatable read; select from users');
          const began = performance.now();
          await sleep(random() * 300);
          const { rows } = await client.query<{ rows: number }>('select count(*)::int as rows from messages');
          await client.query('commit');
          seen.push({ began, rows: rows[0]?.rows ?? -1 });
        }
        await client.end();
      }),
    );
    await waitFor(() => Promise.resolve(seen.length > 3));
    const startedMs = performance.now();
    expect(await ensure('--max-wait', '120s')).toMatchObject({ exitCode: 0 });
    const endedMs = performance.now();
    await waitFor(() => Promise.resolve(seen.some(({ began }) => began > endedMs)));
    isOver = true;
    await reading;
    expect(new Set(seen.map(({ rows }) => rows))).toEqual(new Set([4000]));
    expect(seen.filter(({ began }) => began > startedMs && began < endedMs).length).toBeGreaterThan(0);
  });

  test('waits for a report with an older snapshot, and gives up after --max-wait naming it; no changes were made', async () => {
    await fill(50);
    const report = await connectApplication(database.url);
    await report.query('begin isolation level repeatable read; select from users');
    const run = await ensure('--max-wait', '300ms');
    expect(run).toMatchObject({ exitCode: 5 });
    expect(run.stdout + run.stderr).toContain('the application');
    expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 100 }]);
    expect(await rowsOf(database, TRACES)).toEqual([]);
    await expect(report.query('select count(*)::int as n from messages')).resolves.toMatchObject({
      rows: [{ n: 100 }],
    });
    await report.query('commit');
    await report.end();
    expect(await ensure()).toMatchObject({ exitCode: 0 });
    expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 0 }]);
  });

  test('is left as it is, exit 5, when a transaction holds messages, and the next run drains it', async () => {
    await fill(50);
    const reader = await connectApplication(database.url);
    await reader.query('begin; select from messages limit 1');
    const run = await ensure('--max-wait', '500ms');
    expect(run).toMatchObject({ exitCode: 5 });
    expect(run.stdout + run.stderr).toMatch(/the application.*idle in transaction/su);
    expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 100 }]);
    // The triggers of the drain are still there: they do what they should.
    await database.admin.query(messagesFrom(`${SECOND}-20 00:00+00`, 5));
    await reader.query('rollback');
    await reader.end();
    expect(await ensure()).toMatchObject({ exitCode: 0 });
    expect(await rowsOf(database, 'select count(*)::int as n from messages')).toEqual([{ n: 105 }]);
    expect(await rowsOf(database, TRACES)).toEqual([]);
  });

  test('moves late rows of archived months to the archive first', async () => {
    const archived = monthFromNow(-9);
    await database.admin.query(`select ensure_message_partitions(0, '${archived}-01')`);
    await database.admin.query(messagesFrom(`${archived}-03 00:00+00`, 10));
    await database.admin.query(`select archive_old_messages('8 months')`);
    await database.admin.query(messagesFrom(`${archived}-04 00:00+00`, 70));
    await database.admin.query(`drop table messages_y${SECOND.replace('-', 'm')}`);
    await database.admin.query(messagesFrom(`${SECOND}-04 00:00+00`, 30));
    const run = await ensure('--json');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ lateRows: 70, rowsOfArchive: [] });
    expect(await rowsOf(database, 'select count(*)::int as n from messages_archive')).toEqual([{ n: 80 }]);
    expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 0 }]);
    await expectKeys(database);
  });

  test('is drained although its months need several drains', async () => {
    for (let offset = -30; offset < 0; offset += 1)
      await database.admin.query(messagesFrom(`${monthFromNow(offset)}-04 00:00+00`, 5));
    const run = await ensure('--json');
    expect(run).toMatchObject({ exitCode: 0 });
    const { months, drained } = JSON.parse(run.stdout) as { months: readonly unknown[]; drained: readonly unknown[] };
    expect([months.length, drained.length]).toEqual([30, 2]);
    expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: 0 }]);
    expect(await rowsOf(database, 'select count(*)::int as n from messages')).toEqual([{ n: 150 }]);
    await expectKeys(database);
  });
});

describe('a default partition with rows, on the embedded database', () => {
  test('is drained, and the schema is as it was after the next run', async () => {
    const dataDir = await createMigratedEmbedded();
    const target = { kind: 'embedded', dataDir } as const;
    const before = await withSession(target, async (session) => {
      await session.query(
        `${ONE_CONVERSATION} ${messagesFrom(`${FIRST}-01 00:00+00`, 300)} ${messagesFrom(`${SECOND}-01 00:00+00`, 300)}`,
      );
      return readCatalog(session, { schema: 'public' });
    });
    const env = { AISEC_DATA_DIR: dataDir };
    expect(await runInProcess(['partitions', 'ensure'], { env })).toMatchObject({ exitCode: 0 });
    expect(await runInProcess(['partitions', 'ensure'], { env })).toMatchObject({ exitCode: 0 });
    await withSession(target, async (session) => {
      const after = await readCatalog(session, { schema: 'public' });
      expect(diffCatalogs(before, after).map(renderDifference)).toEqual([]);
      const { rows } = await session.query(
        'select (select count(*)::int from messages) as messages, (select count(*)::int from messages_default) as waiting',
      );
      expect(rows).toEqual([{ messages: 600, waiting: 0 }]);
    });
  });
});
