import { afterEach, expect, test } from 'vitest';

import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.js';
import { createServerDatabase, describeOnServer } from '../support/database.js';
import { startCli } from '../support/run-cli.js';
import { waitFor } from '../support/wait-for.js';

describeOnServer('a server that ends a session', () => {
  let proxy: CuttingProxy | undefined;
  afterEach(() => proxy?.stop());

  test('in the moment of its login is told in one line, exit 4', async () => {
    const database = await createServerDatabase({ migrated: true });
    proxy = await startCuttingProxy(database.url);
    // The welcome and the end arrive in one packet.
    proxy.decide({ holdsFrom: 'server_version', until: 'terminating connection' });
    const running = startCli(['partitions', 'list'], { env: { DATABASE_URL: proxy.url } });
    await waitFor(async () => {
      const { rows } = await database.admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name like 'aisec%' and state = 'idle'`,
      );
      return rows.length > 0;
    });
    const run = await running.finished;
    expect(run).toMatchObject({ exitCode: 4, stdout: '' });
    expect(run.stderr).toMatch(/^error: .*connection/u);
    expect(run.stderr).not.toContain('    at ');
  });
});
