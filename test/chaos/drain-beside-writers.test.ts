import { beforeEach, expect, test } from 'vitest';

import { monthFromNow, messagesFrom, ONE_CONVERSATION, rowsOf } from '../integration/partitions/messages.js';
import { startWriters } from '../integration/partitions/writers.js';
import { rounds, seedOfTest } from '../support/chance.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

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
    for (const month of [FIRST, SECOND]) await database.admin.query(messagesFrom(`${month}-01 00:00+00`, 2000));
  });
  const ensure = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['partitions', 'ensure', ...args], { env: { DATABASE_URL: database.url } });

  test.each(['read committed', 'repeatable read', 'serializable'])(
    'loses, doubles and hides nothing under writers of every kind, %s being the default of the database',
    async (isolation) => {
      const [filled] = await rowsOf(database, ALL_ROWS);
      await database.admin.query(`alter database ${database.name} set default_transaction_isolation to '${isolation}'`);
      const seed = seedOfTest();
      const months = [FIRST, SECOND, monthFromNow(0), monthFromNow(-20), monthFromNow(40)];
      for (let round = 0; round < rounds(1, 10); round += 1) {
        const writers = startWriters(database, months, seed + round * 100);
        await waitFor(() => Promise.resolve(writers.operations() > 10));
        let run = await ensure('--ahead', String(3 + round));
        // On a busy machine transactions of the writers may never leave it a moment: it says so, and is run again.
        while (run.exitCode === 5) {
          expect(run.stderr).toContain('(the application) holds');
          run = await ensure('--ahead', String(3 + round));
        }
        expect(run, run.stderr + run.stdout).toMatchObject({ exitCode: 0 });
        expect(run.stdout).toContain(round === 0 ? FIRST : '');
        await waitFor(() => Promise.resolve(writers.operations() > 20));
        await writers.stop();
        await database.admin.query(`delete from messages where content like 'text 0.%' or content like 'changed%'`);
      }
      expect(await rowsOf(database, ALL_ROWS)).toEqual([filled]);
      expect(await rowsOf(database, TRACES)).toEqual([]);
    },
  );
});
