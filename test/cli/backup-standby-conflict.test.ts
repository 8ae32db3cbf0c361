import { readdirSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { expect, test } from 'vitest';

import { databaseAddress } from '../support/database-address.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { holdProgram } from '../support/held-program.js';
import {
  describeOnPrivateServer,
  startPrivateServer,
  startStandby,
  type PrivateServer,
} from '../support/private-server.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

const QUIET = { fsync: 'off', autovacuum: 'off' };

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Waits until the standby has replayed all that its primary has written. */
async function caughtUp(writer: pg.Client, standby: PrivateServer): Promise<void> {
  const { rows } = await writer.query<{ at: string }>('select pg_current_wal_lsn() as at');
  const reader = await connectTo(standby.url);
  await waitFor(async () => {
    const sql = 'select pg_last_wal_replay_lsn() >= $1 as is_there';
    return (await reader.query<{ is_there: boolean }>(sql, [rows[0]?.at])).rows[0]?.is_there === true;
  });
  await reader.end();
}

describeOnPrivateServer('a backup that is in the way of what a standby has to replay', () => {
  test('is ended by it with exit 5, whichever of its sessions that meets, and leaves no file', async () => {
    const primary = await startPrivateServer(QUIET);
    const writer = await connectTo(await primary.createDatabase('app'));
    await writer.query('create table notes as select generate_series(1, 1000) as id; create table doomed (n int)');
    const standby = await startStandby(primary, { fsync: 'off', max_standby_streaming_delay: '0' });
    await caughtUp(writer, standby);
    const env = { DATABASE_URL: databaseAddress(standby.url, 'app') };
    const directory = path.join(await createEmbeddedDirectory(), 'backups');
    const vacuum = async (): Promise<void> => {
      await writer.query('delete from notes where id % 2 = 0');
      await writer.query('vacuum notes');
    };
    const drop = async (): Promise<unknown> => writer.query('drop table doomed');
    for (const [change, words] of [
      [vacuum, 'row versions that must be removed'],
      [drop, 'holding a relation lock for too long'],
    ] as const) {
      const pgDump = await holdProgram('pg_dump', '--snapshot=');
      const run = runInProcess(['backup', '--dir', directory], { env: { ...env, ...pgDump.environment } });
      await pgDump.reached();
      await change();
      await caughtUp(writer, standby);
      pgDump.release();
      const ended = await run;
      expectError(ended, 5, 'the standby ended the backup', words);
      expect(ended.stderr).toContain('hot_standby_feedback');
      expect(ended.stderr).toContain('max_standby_streaming_delay');
      expect(readdirSync(directory).filter((name) => name.includes('.dump'))).toEqual([]);
    }
    expect(await runInProcess(['backup', '--dir', directory], { env })).toMatchObject({ exitCode: 0 });
    await writer.end();
  });
});
