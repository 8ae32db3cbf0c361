import { setTimeout as sleep } from 'node:timers/promises';

import { beforeEach, describe, expect, test } from 'vitest';

import { diffCatalogs } from '../../../src/adapters/catalog/diff.js';
import { renderDifference } from '../../../src/adapters/catalog/difference.js';
import { readCatalog } from '../../../src/adapters/catalog/snapshot.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { createMigratedEmbedded } from '../../support/migrated-embedded.js';
import { runCli, startCli } from '../../support/run-cli.js';
import { catalogOf, withSession } from '../catalog/catalog-session.js';
import { expectWhole, startChat } from './chat.js';
import { messagesFrom, monthFromNow, nameOf, ONE_CONVERSATION, rowsOf } from './messages.js';

const LARGE = 20_000;

describeOnServer('a default partition full of one month', () => {
  let database: ServerDatabase;
  const month = monthFromNow(-1);
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
    await database.admin.query(messagesFrom(`${month}-01 00:00+00`, LARGE));
  });
  const env = (): { readonly DATABASE_URL: string } => ({ DATABASE_URL: database.url });
  const oidOf = async (name: string): Promise<unknown> =>
    (await rowsOf(database, `select '${name}'::regclass::oid as oid`))[0]?.['oid'];

  test('becomes that month without a row being moved, and a fresh one like it takes its place', async () => {
    await database.admin.query('alter default privileges grant select, insert on tables to public');
    const before = await catalogOf(database.url, { schema: 'public' });
    const [full, first] = await Promise.all([
      oidOf('messages_default'),
      rowsOf(database, 'select xmin, ctid, id from messages_default order by id limit 5'),
    ]);
    const run = await runCli(['partitions', 'ensure', '--json'], { env: env() });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ months: [{ month, state: 'made', rows: LARGE }] });

    expect(await oidOf(nameOf(month))).toBe(full);
    expect(await rowsOf(database, `select xmin, ctid, id from ${nameOf(month)} order by id limit 5`)).toEqual(first);
    expect(await rowsOf(database, 'select from messages_default')).toEqual([]);
    const after = await catalogOf(database.url, { schema: 'public' });
    expect(diffCatalogs(before, after).map(renderDifference)).toEqual([]);
    expect(await runCli(['partitions', 'check'], { env: env() })).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('is swapped under writers of many months: no row is hidden, lost or doubled, and rows of other months stay', async () => {
    const archived = monthFromNow(-9);
    await database.admin.query(`select ensure_message_partition('${archived}-01')`);
    await database.admin.query(messagesFrom(`${archived}-03 00:00+00`, 10));
    expect(await runCli(['archive', '--no-analyze'], { env: env() })).toMatchObject({ exitCode: 0 });
    await database.admin.query(messagesFrom(`${archived}-04 00:00+00`, 7));
    await database.admin.query(messagesFrom('infinity', 1));
    const months = [month, archived, monthFromNow(0), monthFromNow(-20), monthFromNow(40)];
    const chat = await startChat(database, months);
    await sleep(200);
    const full = await oidOf('messages_default');
    const run = await startCli(['partitions', 'ensure'], { env: env() }).finished;
    await sleep(100);
    const written = await chat.stop();

    expect(run.exitCode).toBe(0);
    expect(await oidOf(nameOf(month))).toBe(full);
    expect(chat.atFirst).toBe(LARGE + 10 + 7 + 1);
    await expectWhole(database, chat.atFirst + written.length, written);
    // Late rows of an archived month and the one without a date have no other place.
    expect(
      await rowsOf(database, `select from messages_default where date_trunc('month', created_at) = '${month}-01'`),
    ).toEqual([]);
    expect(await rowsOf(database, 'select 1 as n from messages_default where created_at = $$infinity$$')).toEqual([
      { n: 1 },
    ]);
  });

  test('of two months is drained by rows, the smaller month first, and the larger one is swapped', async () => {
    await database.admin.query(messagesFrom(`${monthFromNow(-3)}-01 00:00+00`, 9000));
    const full = await oidOf('messages_default');
    expect(await runCli(['partitions', 'ensure'], { env: env() })).toMatchObject({ exitCode: 0 });
    expect(await oidOf(nameOf(month))).toBe(full);
    expect(await rowsOf(database, `select count(*)::int as n from ${nameOf(monthFromNow(-3))}`)).toEqual([{ n: 9000 }]);
    expect(await rowsOf(database, 'select count(*)::int as n from messages')).toEqual([{ n: LARGE + 9000 }]);
  });

  test('whose month has a name that is taken stays as it is', async () => {
    await database.admin.query(`create table ${nameOf(month)} (n integer)`);
    const { rows } = await database.admin.query(
      `select problem, problem_code from ensure_message_partition('${month}-01')`,
    );
    expect(rows).toMatchObject([{ problem: expect.stringContaining('is taken'), problem_code: '42P07' }]);
    expect(await rowsOf(database, 'select count(*)::int as n from messages_default')).toEqual([{ n: LARGE }]);
  });
});

describe('a default partition full of one month, on the embedded database', () => {
  test('becomes that month, and the schema is as it was', async () => {
    const month = monthFromNow(-1);
    const dataDir = await createMigratedEmbedded();
    const target = { kind: 'embedded', dataDir } as const;
    const before = await withSession(target, async (session) => {
      await session.query(`${ONE_CONVERSATION} ${messagesFrom(`${month}-01 00:00+00`, 3000)}`);
      return readCatalog(session, { schema: 'public' });
    });
    const run = await runCli(['partitions', 'ensure'], { env: { AISEC_DATA_DIR: dataDir } });
    expect(run).toMatchObject({ exitCode: 0 });
    await withSession(target, async (session) => {
      const after = await readCatalog(session, { schema: 'public' });
      expect(diffCatalogs(before, after).map(renderDifference)).toEqual([]);
      const { rows } = await session.query(
        `select (select count(*)::int from only ${nameOf(month)}) as month, (select count(*)::int from messages_default) as waiting`,
      );
      expect(rows).toEqual([{ month: 3000, waiting: 0 }]);
    });
  }, 180_000);
});
