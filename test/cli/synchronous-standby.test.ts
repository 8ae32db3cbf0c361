import pg from 'pg';
import { expect, test } from 'vitest';

import { describeOnPrivateServer, startPrivateServer } from '../support/private-server.js';
import { startCli } from '../support/run-cli.js';

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
    const run = startCli(['monitor', 'record'], { env: { DATABASE_URL: url } });
    await run.waitForOutput("a commit waits for a synchronous standby (synchronous_standby_names = 'nobody')");
    await standbys('');
    expect(await run.finished).toMatchObject({ exitCode: 0 });
    await admin.end();
  });
});
