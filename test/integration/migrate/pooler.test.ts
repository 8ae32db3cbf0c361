import { describe, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import { runInProcess } from '../../support/run-in-process.js';
import { pgbouncer, startPgbouncer } from '../client/pgbouncer.js';

describeOnServer('migrate through a pooler', () => {
  describe.skipIf(pgbouncer === undefined && !process.env['CI'])('that is PgBouncer (needs pgbouncer)', () => {
    const { dir } = migrationsFolder({ '0001_one.sql': migration('create table one (id int);', 'drop table one;') });
    const run = (url: string, ...args: readonly string[]) =>
      runInProcess(['migrate', ...args, '--migrations-dir', `aisec=${dir}`], { env: { DATABASE_URL: url } });

    test.each([1, 5])('works in session mode with %i connections to the server', async (size) => {
      const { url } = await createServerDatabase();
      const pooler = await startPgbouncer(url, size, 'session');
      try {
        expect(await run(pooler.url, 'up')).toMatchObject({ exitCode: 0 });
        expect(await run(pooler.url, 'check')).toMatchObject({ exitCode: 0 });
        expect(await run(pooler.url, 'down')).toMatchObject({ exitCode: 0 });
      } finally {
        await pooler.stop();
      }
    });

    test.each([1, 5])('is refused in transaction mode with %i, saying what was seen', async (size) => {
      const { url } = await createServerDatabase();
      const pooler = await startPgbouncer(url, size);
      try {
        for (let attempt = 0; attempt < 5; attempt += 1) {
          const refused = await run(pooler.url, 'up');
          expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
          expect(refused.stderr).toContain('goes through a pooler in transaction mode');
          expect(refused.stderr).toContain('or at a pooler in session mode');
        }
      } finally {
        await pooler.stop();
      }
    });
  });
});
