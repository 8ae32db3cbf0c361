import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { runCli, startCli } from '../../support/run-cli.js';
import { waitFor } from '../../support/wait-for.js';
import { messagesFrom, monthFromNow, ONE_CONVERSATION, rowsOf } from './messages.js';

const KILLS = 20;

describeOnServer('kill -9 at any moment of partitions ensure', () => {
  test(`${KILLS} times at random with rows in the default partition loses and doubles no message, and the next run completes`, async () => {
    const database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
    const env = { DATABASE_URL: database.url };
    const sessions = async (): Promise<number> =>
      (
        await rowsOf(
          database,
          `select from pg_stat_activity where application_name like 'aisec%' and datname = current_database()`,
        )
      ).length;
    const allIds = `select md5(string_agg(id::text || created_at, ',' order by id, created_at)) as ids, count(*)::int as rows from messages`;
    let killedAtWork = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      // New months every time: what an earlier run moved is moved already.
      for (let month = 0; month < 3; month += 1)
        await database.admin.query(messagesFrom(`${monthFromNow(-40 - kill * 3 - month)}-05 00:00+00`, 300));
      const before = await rowsOf(database, allIds);
      const running = startCli(['partitions', 'ensure', '--wait', '20s', '--ahead', String(3 + kill)], { env });
      if (kill % 5 > 0) await waitFor(async () => (await sessions()) > 0 || running.child.exitCode !== null);
      await sleep(Math.random() * 150);
      if ((await sessions()) > 0 && running.child.exitCode === null) killedAtWork += 1;
      running.child.kill('SIGKILL');
      await running.finished;
      expect(await rowsOf(database, allIds)).toEqual(before);
    }
    expect(killedAtWork).toBeGreaterThan(5);
    const before = await rowsOf(database, allIds);
    const last = await runCli(['partitions', 'ensure', '--wait', '20s', '--ahead', String(3 + KILLS)], { env });
    expect(last).toMatchObject({ exitCode: 0 });
    expect(await rowsOf(database, allIds)).toEqual(before);
    expect(before).toMatchObject([{ rows: KILLS * 900 }]);
    expect(await rowsOf(database, 'select from messages_default')).toEqual([]);
    expect(await rowsOf(database, 'select count(*)::int as keys from message_keys')).toEqual([{ keys: KILLS * 900 }]);
    expect(await runCli(['partitions', 'check'], { env })).toMatchObject({ exitCode: 0, stdout: '' });
    const strays = `select relname from pg_class where relkind = 'r' and not relispartition and relname like 'messages\\_y%'`;
    expect(await rowsOf(database, strays)).toEqual([]);
  });
});
