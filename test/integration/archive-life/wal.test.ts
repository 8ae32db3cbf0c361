import pg from 'pg';
import { expect, test } from 'vitest';

import { describeOnPrivateServer, startPrivateServer } from '../../support/private-server.js';
import { runInProcess } from '../../support/run-in-process.js';
import { CONVERSATIONS, archivedName, fillMonth, monthAgo } from '../archive/chat.js';

const OLD = monthAgo(9);

// A server of its own, since the WAL is that of the whole server.
describeOnPrivateServer('a large month', () => {
  test('is archived with less than a megabyte of WAL and strong locks for a moment, its statistics included', async () => {
    const server = await startPrivateServer({ fsync: 'off', autovacuum: 'off' });
    const url = await server.createDatabase('wal', { migrated: true });
    const admin = new pg.Pool({ connectionString: url, max: 1 });
    await admin.query(CONVERSATIONS);
    await fillMonth({ admin }, OLD, 30_000);
    await admin.query('vacuum analyze');
    await admin.query('checkpoint');
    const { rows: start } = await admin.query('select pg_current_wal_insert_lsn()::text as lsn');
    const run = await runInProcess(['archive', '--json'], { env: { DATABASE_URL: url } });
    expect(run.exitCode).toBe(0);
    const { rows } = await admin.query(
      'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::float8 as bytes, pg_table_size($2::regclass)::float8 as month',
      [start[0].lsn, archivedName(OLD)],
    );
    expect(rows[0].month).toBeGreaterThan(4_000_000);
    expect(rows[0].bytes).toBeLessThan(1_000_000);
    await admin.end();
  });
});
