import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../support/database.js';
import { migration, migrationsFolder } from '../support/migrations-folder.js';
import { startCli } from '../support/run-cli.js';

describeOnServer('five processes that start migrate up at once, as the pods of a deployment', () => {
  test('one applies, the others wait with --wait and exit 0, and each migration has run once', async () => {
    const database = await createServerDatabase();
    const { dir } = migrationsFolder({
      '0001_one.sql': migration('create table one (id int); select pg_sleep(0.3);'),
      '0002_two.sql': migration('create table two (id int);'),
    });
    const args = ['migrate', 'up', '--wait', '1h', '--json', '--migrations-dir', `aisec=${dir}`];
    const processes = Array.from({ length: 5 }, () => startCli(args, { env: { DATABASE_URL: database.url } }));
    const runs = await Promise.all(processes.map(({ finished }) => finished));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
    const applied = runs.map(({ stdout }) => (JSON.parse(stdout) as { applied: readonly object[] }).applied.length);
    expect(applied.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 2]);
    const { rows } = await database.admin.query('select name from pgmigrations order by id');
    expect(rows).toEqual([{ name: '0001_one' }, { name: '0002_two' }]);
  });
});
