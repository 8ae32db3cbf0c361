import pg from 'pg';
import { expect, test } from 'vitest';

import { describeOnPrivateServer, startPrivateServer } from '../support/private-server.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';
import {
  CONVERSATIONS,
  archivedName,
  fillMonth,
  fingerprint,
  liveName,
  monthAgo,
} from '../integration/archive/chat.js';

const OLD = monthAgo(9);

/** A worker is sent away after deadlock_timeout: long, so that no other pause of the machine looks like a wait for that. */
const OFTEN = { fsync: 'off', autovacuum_naptime: '1s', deadlock_timeout: '10s' };

describeOnPrivateServer('a worker of autovacuum in the month', () => {
  test('is sent away, not waited for: the month is archived, and no reader or writer stopped meanwhile', async () => {
    const server = await startPrivateServer(OFTEN);
    const url = await server.createDatabase('autovacuum', { migrated: true });
    const admin = new pg.Pool({ connectionString: url, max: 2 });
    admin.on('error', () => undefined);
    await admin.query(CONVERSATIONS);
    await fillMonth({ admin }, OLD, 5000);
    // A tenth of a second for every page, of this table alone.
    await admin.query(
      `alter table ${liveName(OLD)} set (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)`,
    );
    await admin.query(`update messages set content = 'edited' where created_at < '${monthAgo(8)}-01 00:00+00'`);
    const before = await fingerprint({ admin });
    const isVacuumed = async (): Promise<boolean> =>
      (
        await admin.query(
          `select from pg_stat_progress_vacuum p join pg_stat_activity a using (pid)
           where p.relid = to_regclass('${liveName(OLD)}') and a.backend_type = 'autovacuum worker'`,
        )
      ).rowCount === 1;
    await waitFor(isVacuumed);

    // It gives up when it waits for a lock for nearly as long as archive waits for the vacuum.
    const writer = new pg.Client({ connectionString: url });
    await writer.connect();
    await writer.query(`set lock_timeout = '9s'`);
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        await writer.query('select count(*) from messages where created_at > now()');
        await writer.query(`update conversations set title = 'x' where id = '10000000-0000-4000-8000-000000000003'`);
      }
    })();
    expect(await isVacuumed()).toBe(true);
    const run = await runInProcess(['archive', '--json', '--no-analyze', '--max-wait', '120s'], {
      env: { DATABASE_URL: url },
    });
    isOver = true;
    await writing;
    await writer.end();
    expect(run.exitCode).toBe(0);
    // It asks with a lock that stops nobody until deadlock_timeout has passed and the worker is cancelled.
    expect(JSON.parse(run.stdout)).toMatchObject({ months: [{ month: OLD, outcome: 'archived' }] });
    expect(JSON.parse(run.stdout).months[0].lockWaitMs).toBeGreaterThan(5000);
    expect((await admin.query(`select from only ${archivedName(OLD)}`)).rowCount).toBe(5000);
    expect(await fingerprint({ admin })).toEqual(before);
    await admin.end();
  });
});
