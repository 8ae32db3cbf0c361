import pg from 'pg';
import { expect, test } from 'vitest';

import { describeOnPrivateServer, startPrivateServer } from '../support/private-server.js';
import { runCli } from '../support/run-cli.js';
import { waitFor } from '../support/wait-for.js';

describeOnPrivateServer('a synchronous standby that does not answer', () => {
  test('a command says what its commit waits for, and ends when it may', async () => {
    const server = await startPrivateServer();
    const url = await server.createDatabase('app', { migrated: true });
    const admin = new pg.Client({ connectionString: url, application_name: 'test support' });
    await admin.connect();
    const standbys = async (value: string): Promise<void> => {
      await admin.query(`alter system set synchronous_standby_names = '${value}'`);
      await admin.query('select pg_reload_conf()');
    };
    await standbys('nobody');
    const run = runCli(['monitor', 'record'], { env: { DATABASE_URL: url } });
    await waitFor(async () => {
      const { rows } = await admin.query(
        `select from pg_stat_activity where application_name like 'aisec%' and backend_type = 'client backend' and pid in
           (select pid from pg_stat_activity where wait_event = 'SyncRep' and clock_timestamp() - state_change > interval '3 s')`,
      );
      return rows.length > 0;
    });
    await standbys('');
    const { exitCode, stderr } = await run;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toContain("a commit waits for a synchronous standby (synchronous_standby_names = 'nobody')");
    await admin.end();
  });
});
