import { afterEach, expect, test } from 'vitest';

import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { terminatedAt } from '../support/kill-at-statement.js';
import { startCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';
import { createChat, fillMonth, monthAgo } from '../integration/archive/chat.js';

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

  test('in the middle of a look is no verdict on what was looked at, exit 4', async () => {
    const database = await createChat();
    const cwd = await createEmbeddedDirectory();
    const month = monthAgo(40);
    await fillMonth(database, month, 20);
    await database.admin.query('create policy dear on users using (id = current_user_id())');
    const { rows } = await database.admin.query('select user_id as id from conversations limit 1');
    const run = (words: string) => runInProcess(words.split(' '), { env: { DATABASE_URL: database.url }, cwd });
    for (const words of ['archive --no-analyze', `archive export ${month} --out ${month}.gz`])
      expect(await run(words)).toMatchObject({ exitCode: 0 });
    const moments: (readonly [words: string, at: RegExp])[] = [
      // The role may act as authenticated.
      [`user export ${rows[0]?.id} --out person.zip`, /set local role "?authenticated/],
      // The export is whole, and the months can be pruned.
      ['archive prune --older-than 3y --dry-run', /repeatable read, read only/],
      ['doctor --only policy-cost --explain', /explain \(analyze/],
      ['vector status', /embedding/],
      ['migrate check', /aisec_migrations/],
    ];
    for (const [words, at] of moments) {
      const { exitCode, stderr, isReached } = await terminatedAt(at, database, () => run(words));
      expect(isReached, words).toBe(true);
      expect(stderr, words).toContain('error: lost the connection to the database');
      expect(exitCode, words).toBe(4);
    }
  });
});
