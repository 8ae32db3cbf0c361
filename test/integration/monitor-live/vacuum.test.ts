import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  cleanUpDatabases,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import { aisecOn, findingsOn, paste } from './doctor-on.js';

describeOnServer('vacuum and statistics', () => {
  let database: ServerDatabase;
  const run = (sql: string): Promise<unknown> => database.admin.query(sql);

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    // Autovacuum of the shared server must not be quicker than the test.
    await run('create table "Half dead" (id int) with (autovacuum_enabled = off)');
  });
  afterAll(cleanUpDatabases);

  test('a table half dead with autovacuum off is found by both reasons in doctor, Nagios and the overview; its fix ends it', async () => {
    await run('insert into "Half dead" select generate_series(1, 5000); update "Half dead" set id = id');
    await run('select pg_stat_force_next_flush()');
    const findings = await findingsOn(database.url, 'vacuum');
    expect(findings).toMatchObject([
      {
        id: 'vacuum-dead-rows:"Half dead"',
        severity: 'warning',
        message: '5,000 of 10,000 rows of "Half dead" are dead (50 %); autovacuum is off for it',
      },
      { id: 'autovacuum-off:"Half dead"', severity: 'warning', message: 'autovacuum is off for "Half dead"' },
    ]);
    const nagios = await aisecOn(database.url, 'monitor', 'export', '--nagios');
    expect(nagios.stdout).toContain('rows of "Half dead" are dead (50 %)');
    expect(nagios.exitCode).toBeGreaterThan(0);
    const overview = JSON.parse((await aisecOn(database.url, 'monitor', '--json')).stdout) as {
      findings: readonly { readonly id: string }[];
    };
    expect(overview.findings.map(({ id }) => id)).toContain('vacuum-dead-rows:"Half dead"');
    const vacuum = await aisecOn(database.url, 'monitor', 'vacuum');
    expect(vacuum.stderr).toContain('1 table or partition is due for a vacuum');
    expect(vacuum.stderr).toContain('Autovacuum is off for "Half dead"');
    for (const { fix } of findings) await paste(database.url, fix!);
    await run('select pg_stat_force_next_flush()');
    expect(await findingsOn(database.url, 'vacuum')).toEqual([]);
  });

  test('a table that was loaded and never analyzed is found; one with few rows is not', async () => {
    await run(
      'create table loaded (id int) with (autovacuum_enabled = off); insert into loaded select generate_series(1, 20000)',
    );
    await run(
      'create table small (id int) with (autovacuum_enabled = off); insert into small select generate_series(1, 20)',
    );
    await run('select pg_stat_force_next_flush()');
    const [finding, ...others] = await findingsOn(database.url, 'vacuum-never-analyzed');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      id: 'vacuum-never-analyzed:loaded',
      message: 'loaded was never vacuumed or analyzed, with 20,000 rows; autovacuum is off for it',
    });
    await paste(database.url, finding!.fix!);
    expect(await findingsOn(database.url, 'vacuum-never-analyzed')).toEqual([]);
    await run('drop table loaded, small');
  });

  test('monitor vacuum and doctor agree on what is due to be frozen, by the settings of the table itself', async () => {
    await run('create table old (id int) with (autovacuum_enabled = off, autovacuum_freeze_max_age = 100000)');
    // Against wraparound autovacuum comes all the same, and has to wait for this.
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin; lock table old in share update exclusive mode');
    await run(`do $$ begin for i in 1..100100 loop
      begin insert into old values (i); exception when division_by_zero then null; end;
    end loop; end $$`);
    const [finding, ...others] = await findingsOn(database.url, 'vacuum-freeze');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      id: 'vacuum-freeze:old',
      severity: 'notice',
      message: expect.stringMatching(
        /^old is due to be frozen: the oldest transaction id is 1\d\d,\d{3} transactions old/,
      ),
    });
    const { stderr } = await aisecOn(database.url, 'monitor', 'vacuum');
    expect(stderr).toContain('1 table or partition is due for a vacuum, 1 of them to be frozen');
    await holder.end();
    await paste(database.url, 'vacuum (freeze) old;');
    expect(await findingsOn(database.url, 'vacuum-freeze')).toEqual([]);
    await run('drop table old');
  });

  test('large knowledge_base and months of messages get settings of their own proposed, with the reason', async () => {
    await run(`update pg_class set reltuples = 200000 where oid = 'knowledge_base'::regclass`);
    await run(
      `update pg_class set reltuples = 2000000 where oid in (
         select inhrelid from pg_inherits where inhparent = 'messages'::regclass order by inhrelid limit 1)`,
    );
    const findings = (await findingsOn(database.url, 'vacuum-settings')).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(findings).toMatchObject([
      {
        id: 'vacuum-settings:knowledge_base',
        severity: 'notice',
        message: 'autovacuum comes to knowledge_base after 40,050 dead rows of 200,000',
      },
      {
        id: 'vacuum-settings:messages',
        message: expect.stringMatching(
          /^autovacuum comes to 1 partition of messages \(the largest: messages_\w+\) after 400,050/,
        ),
      },
    ]);
    for (const { fix } of findings) await paste(database.url, fix!);
    expect(await findingsOn(database.url, 'vacuum-settings')).toEqual([]);
  });
});
