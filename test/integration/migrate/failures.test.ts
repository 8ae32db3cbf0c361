import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import { describeOnPrivateServer, startPrivateServer } from '../../support/private-server.js';
import pg from 'pg';

describeOnServer('a migration that fails', () => {
  let database: ServerDatabase;
  beforeEach(async () => {
    database = await createServerDatabase();
  });

  const up = (files: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${migrationsFolder(files).dir}`, ...args], {
      env: { DATABASE_URL: database.url },
    });

  test('deep in a function tells where in it, for people and for machines', async () => {
    const files = {
      '0001_deep.sql': migration(
        'create function deep() returns void language plpgsql as $$ begin perform 1 / 0; end $$;\ndo $$ begin perform deep(); end $$;',
      ),
    };
    const run = await up(files);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/\ncontext: .*\nPL\/pgSQL function deep\(\) line 1 at PERFORM/);
    const { error } = JSON.parse((await up(files, '--json')).stderr.split('\n').at(-2) ?? '') as {
      error: { context: string };
    };
    expect(error.context).toContain('PL/pgSQL function deep() line 1 at PERFORM');
  });

  test('with a warning shows its detail and hint', async () => {
    const raise = `do $$ begin raise warning 'odd' using detail = 'Row 7.', hint = 'Look at it.'; end $$;`;
    const run = await up({ '0001_warns.sql': migration(raise) });
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('odd\ndetail: Row 7.\nhint: Look at it.');
  });

  test.each(['create database zz;', "alter system set work_mem = '4MB';", 'cluster;'])(
    'because "%s" cannot run in a transaction is told the directive that helps',
    async (statement) => {
      const run = await up({ '0001_outside.sql': migration(statement) });
      expect(run.exitCode).not.toBe(0);
      expect(run.stderr).toContain('"-- aisec: no-transaction"');
    },
  );

  test('by a COMMIT that only the parser finds is refused before anything runs', async () => {
    const hidden = String.raw`create table a (id int); select U&'\0041;' uescape '\'; select $tag$ ; $tag$; /* ' */ commit;`;
    const run = await up({ '0001_hidden.sql': migration(hidden) });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain('transaction control does not belong in a migration');
  });

  test('up to a migration that is applied already says where the database is', async () => {
    const files = {
      '0001_a.sql': migration('select 1;'),
      '0002_b.sql': migration('select 1;'),
      '0003_c.sql': migration('select 1;'),
    };
    await up(files, '--to', '0002_b');
    const run = await up(files, '--to', '0001_a');
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('nothing to do, the database is at 0002_b already. 1 still pending.');
  });
});

describeOnPrivateServer('a prepared transaction', () => {
  test('that blocks a migration is named, with the statement that ends it', async () => {
    const server = await startPrivateServer({ fsync: 'off', max_prepared_transactions: '4' });
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('create table a (x int)');
    await admin.query(`begin; insert into a values (1); prepare transaction 'st''uck'`);
    const { dir } = migrationsFolder({ '0001_a.sql': migration('alter table a add y int;') });
    const args = ['migrate', 'up', '--migrations-dir', `aisec=${dir}`, '--max-wait', '0', '--lock-timeout', '10s'];
    const run = await runInProcess(args, { env: { DATABASE_URL: server.url } });
    await admin.query(`rollback prepared 'st''uck'`);
    await admin.end();
    expect(run).toMatchObject({ exitCode: 5, stdout: '' });
    expect(run.stderr).toContain(`Blocked by prepared transaction 'st''uck' of role`);
    expect(run.stderr).toContain(`rollback prepared 'st''uck';`);
  });
});
