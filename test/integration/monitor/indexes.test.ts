import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Session } from '../../../src/adapters/postgres/session.js';
import { monitorIndexes, type IndexesReport } from '../../../src/features/monitor/indexes/indexes.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { openTestSession } from '../catalog/catalog-session.js';
import { messagesFrom, monthFromNow, nameOf, ONE_CONVERSATION, rowsOf } from '../partitions/messages.js';

const DAY_MS = 86_400_000;

describeOnServer('monitor of indexes', () => {
  let database: ServerDatabase;
  let session: Session;
  let report: IndexesReport;
  const find = (name: string): IndexesReport['indexes'][number] => report.indexes.find(({ index }) => index === name)!;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    const statements = [
      ONE_CONVERSATION,
      messagesFrom(`${monthFromNow(0)}-01 00:00+00`, 300),
      'create table plain (id int primary key, a int, b int, note text, doc jsonb, parent int references plain)',
      'create index plain_never on plain (b)',
      'create index plain_prefix on plain (a)',
      'create index plain_a_b on plain (a, b)',
      'create index plain_clustered on plain (a)',
      'alter table plain cluster on plain_clustered',
      'create index plain_lower on plain (lower(note))',
      'create unique index plain_note on plain (note)',
      `create index "Stray one" on ${nameOf(monthFromNow(0))} (content_type)`,
      'create index half_made on only messages (content_type, role)',
      'create table "two keys" (x int, y int, primary key (x, y))',
      'create table refers (y int, x int, foreign key (x, y) references "two keys" (x, y))',
    ];
    for (const statement of statements) await database.admin.query(statement);
    await database.admin.query('set enable_seqscan to off');
    // Without pruning each look goes through every partition; with it, through one.
    await database.admin.query(`select count(*) from messages where role = 'user'`);
    await database.admin.query(
      `select count(*) from messages where role = 'user' and created_at >= '${monthFromNow(0)}-01 00:00+00' and created_at < '${monthFromNow(1)}-01 00:00+00'`,
    );
    await database.admin.query('select pg_stat_force_next_flush()');
    await database.admin.query('vacuum analyze');
    session = await openTestSession(database.url);
    report = await monitorIndexes(session, 'public', { unusedAfterMs: 0 });
  });
  afterAll(async () => {
    await session.close();
    await database.drop();
  });

  test('a partitioned index is one row, with the size and the scans of all its parts', async () => {
    const [truth] = await rowsOf(
      database,
      `select sum(pg_total_relation_size(relid))::int as bytes, sum(pg_stat_get_numscans(relid))::int as scans,
              count(*) filter (where pg_stat_get_numscans(relid) > 0)::int as used, count(*)::int as parts
       from pg_partition_tree('idx_messages_role') where isleaf`,
    );
    expect(truth?.['scans']).toBeGreaterThan(Number(truth?.['parts']) - 1);
    expect(find('idx_messages_role')).toMatchObject({
      verdict: 'used',
      isPartitioned: true,
      sizeBytes: truth?.['bytes'],
      scans: truth?.['scans'],
      usedParts: truth?.['used'],
      partCount: truth?.['parts'],
      lastScanAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(report.indexes.filter(({ index }) => /^messages_y.*_role_idx$/.test(index))).toEqual([]);
  });

  test('nothing is unused while scans were counted for less than asked', async () => {
    const early = await monitorIndexes(session, 'public', { unusedAfterMs: 36_500 * DAY_MS });
    expect(early.indexes.filter(({ verdict }) => verdict === 'unused')).toEqual([]);
    const undecided = early.indexes.filter(({ verdict }) => verdict === 'undecided');
    expect(undecided.length).toBeGreaterThan(0);
    for (const { reason } of undecided) expect(reason).toContain('too early');
  });

  test('only what nothing needs is unused, what another one covers is redundant, and the SQL for both runs', async () => {
    expect(find('plain_never')).toMatchObject({ verdict: 'unused', sql: expect.stringContaining('drop index') });
    expect(find('plain_prefix')).toMatchObject({ verdict: 'redundant', reason: expect.stringContaining('plain_a_b') });
    expect(find('plain_clustered')).toMatchObject({ verdict: 'kept', reason: 'the table is clustered by it' });
    expect(find('plain_lower')).toMatchObject({ verdict: 'kept', reason: expect.stringContaining('expression') });
    expect(find('plain_note')).toMatchObject({ verdict: 'kept', reason: 'keeps values unique' });
    expect(find('idx_voices_user_id')).toMatchObject({
      verdict: 'kept',
      reason: expect.stringContaining('foreign key'),
    });
    expect(find('idx_users_username')).toMatchObject({
      verdict: 'redundant',
      reason: expect.stringContaining('users_username_key'),
    });
    expect(find('idx_messages_conversation_id')).toMatchObject({ verdict: 'redundant', isPartitioned: true });
    const needed = report.indexes.filter(({ isUnique, isReplicaIdentity }) => isUnique || isReplicaIdentity);
    expect(needed.filter(({ verdict }) => verdict === 'unused' || verdict === 'redundant')).toEqual([]);
    const idle = report.indexes.filter(({ verdict }) => verdict === 'unused' || verdict === 'redundant');
    expect(report.savingBytes).toBe(idle.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    for (const { sql } of idle) await database.admin.query(sql ?? 'no SQL');
  });

  test('bloat is what REINDEX gives back, within 5 points, or not told and why', async () => {
    await database.admin.query('create extension pgstattuple');
    await database.admin.query(`
      create table churned (id int primary key, b int, c int, doc jsonb) with (autovacuum_enabled = off);
      create index churned_random on churned (b);
      create index churned_loose on churned (c) with (fillfactor = 50);
      create index churned_doc on churned using gin (doc);
      create index churned_none on churned (doc) where id < 0;
      insert into churned select g, hashint4(g), g, '{}' from generate_series(1, 40000) as g`);
    await database.admin.query('delete from churned where id % 5 <> 0 and id < 30000');
    await database.admin.query('vacuum churned');
    const measured = await monitorIndexes(session, 'public', { unusedAfterMs: 0, withBloat: true });
    const ofChurned = measured.indexes.filter(({ table }) => table === 'churned');
    expect(ofChurned.map(({ index }) => index).toSorted()).toEqual([
      'churned_doc',
      'churned_loose',
      'churned_none',
      'churned_pkey',
      'churned_random',
    ]);
    for (const { index, bloat } of ofChurned.filter(({ bloatUnknown }) => bloatUnknown === null)) {
      const size = `select pg_relation_size('${index}')::int as bytes`;
      const [before] = await rowsOf(database, size);
      await database.admin.query(`reindex index ${index}`);
      const [after] = await rowsOf(database, size);
      const truth = 1 - Number(after?.['bytes']) / Number(before?.['bytes']);
      expect(Math.abs((bloat?.share ?? Number.NaN) - truth), index).toBeLessThan(0.05);
    }
    const shares = Object.fromEntries(ofChurned.map(({ index, bloat }) => [index, bloat?.share]));
    expect(shares).toMatchObject({ churned_pkey: expect.any(Number), churned_none: 0 });
    expect(shares['churned_pkey']).toBeGreaterThan(0.3);
    expect(ofChurned.find(({ method }) => method === 'gin')).toMatchObject({
      bloat: null,
      bloatUnknown: 'not a b-tree',
    });
    expect(find('churned_pkey')).toBeUndefined();
    const roots = measured.indexes.filter(({ index }) => index === 'idx_messages_role');
    expect(roots).toMatchObject([{ bloat: { share: expect.any(Number) }, bloatUnknown: null }]);
  });

  test('an invalid, a stray and a missing index are each found once', () => {
    expect(report.indexes.filter(({ verdict }) => verdict === 'invalid').map(({ index }) => index)).toEqual([
      'half_made',
    ]);
    expect(report.indexes.filter(({ verdict }) => verdict === 'stray').map(({ index }) => index)).toEqual([
      'Stray one',
    ]);
    expect(report.missingIndexes).toEqual([
      {
        foreignKey: 'plain_parent_fkey',
        tableName: 'plain',
        table: 'public.plain',
        referencedTable: 'plain',
        columns: 'parent',
        isPartitioned: false,
        sql: 'create index concurrently on public.plain (parent);',
      },
      expect.objectContaining({ table: 'public.refers', columns: 'x, y' }),
    ]);
  });
});
