import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { BAD_INVOICES, INVOICES } from '../fixtures/invoices.js';
import { createServerDatabase, describeOnServer } from '../support/database.js';
import { migration, teamDirectory } from '../support/migrations-folder.js';
import { runInProcess } from '../support/run-in-process.js';
import type { CliResult } from '../support/run-cli.js';

describe('aisec migrate lint with another branch', () => {
  test('--against compares the files of a branch with those that another branch has got meanwhile', async () => {
    const own = teamDirectory({ '0001_invoices.sql': INVOICES });
    const git = (...args: readonly string[]): void => {
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
        cwd: own,
        stdio: 'pipe',
      });
    };
    git('init', '-q', '-b', 'main');
    git('add', '.');
    git('commit', '-q', '-m', 'one');
    git('checkout', '-q', '-b', 'ours');
    git('checkout', '-q', 'main');
    const file = path.join(own, 'db', '0002_theirs.sql');
    writeFileSync(file, migration("alter table invoices alter column status set default 'new';"));
    git('add', '.');
    git('commit', '-q', '-m', 'two');
    git('checkout', '-q', 'ours');
    const against = async (name: string, sql: string): Promise<CliResult> => {
      rmSync(path.join(own, 'db', '0002_ours.sql'), { force: true });
      writeFileSync(path.join(own, 'db', name), migration(sql));
      return runInProcess(
        ['migrate', 'lint', '--migrations-dir', 'db', '--against', 'main', '--exclude', 'comment-missing'],
        {
          cwd: own,
        },
      );
    };
    const result = await against('0002_ours.sql', "alter table invoices alter column status set default 'open';");
    expect(result.exitCode).toBe(3);
    expect(result.stdout).toContain('the number 0002 is that of 0002_theirs in main, too');
    expect(result.stdout).toContain('column invoices.status: default');
    expect(result.stderr).toContain('1 file, 1 statement analysed');
    const harmless = await against('0003_ours.sql', 'alter table invoices add column paid_at timestamptz;');
    expect(harmless).toMatchObject({ exitCode: 0, stdout: '' });
    const unknown = await runInProcess(['migrate', 'lint', '--migrations-dir', 'db', '--against', 'mian'], {
      cwd: own,
    });
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
    expect(unknown.stderr).toContain('could not read the files of "mian"');
  });
});

describeOnServer('aisec migrate lint with a server', () => {
  test('looks at the pending migrations only, with the sizes that the server has', async () => {
    const database = await createServerDatabase();
    const own = teamDirectory({ '0001_invoices.sql': INVOICES });
    const env = { DATABASE_URL: database.url };
    const aisec = async (...args: readonly string[]): Promise<CliResult> =>
      runInProcess([...args, '--migrations-dir', 'db'], { cwd: own, env });
    expect((await aisec('migrate', 'up')).exitCode).toBe(0);
    await database.admin.query('insert into invoices (id) select generate_series(1, 1200)');
    await database.admin.query('analyze invoices');
    writeFileSync(path.join(own, 'db', '0002_status.sql'), BAD_INVOICES);
    const result = await aisec('migrate', 'lint');
    expect(result.stderr).toContain('1 file, 3 statements analysed');
    expect(result.stdout).toContain('is built on invoices (about 1,200 rows) without CONCURRENTLY');
    expect(result.exitCode).toBe(3);
    const columns = await database.admin.query(
      `select from pg_attribute where attrelid = 'invoices'::regclass and attname = 'note'`,
    );
    expect(columns.rowCount).toBe(1);
  });

  test('counts the rows that a pending migration would fail on, reads only, and minds its version of pgvector', async () => {
    const database = await createServerDatabase();
    const up = migration(
      'create table customers (id bigint primary key);\n' +
        'create table invoices (id bigint primary key, customer_id bigint, status text, number text, embedding vector(3));',
    );
    const own = teamDirectory({ '0001_invoices.sql': up });
    const env = { DATABASE_URL: database.url };
    const aisec = async (...args: readonly string[]): Promise<CliResult> =>
      runInProcess([...args, '--migrations-dir', 'db'], { cwd: own, env });
    expect((await aisec('migrate', 'up')).exitCode).toBe(0);
    await database.admin.query(`
      insert into invoices (id, customer_id, status, number) select n, n, nullif(n, 3)::text, n % 2 from generate_series(1, 5) as n;
      insert into customers (id) values (1), (2)`);
    const pending = migration(`alter table invoices alter column status set not null;
alter table invoices add constraint invoices_number_key unique (number);
alter table invoices add constraint invoices_customer_id_fkey foreign key (customer_id) references customers (id);
alter table invoices add constraint invoices_id_check check (id > 1);
alter table invoices add constraint later check (id > 1) not valid;
create unique index invoices_status_key on invoices (status) where id < 0;
create index invoices_embedding on invoices using hnsw (embedding vector_cosine_ops);`);
    writeFileSync(path.join(own, 'db', '0002_status.sql'), pending);
    const result = await aisec('migrate', 'lint', '--rule', 'rows-violate,vector-index-parallel');
    const messages = result.stdout
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split('\t')[3]?.split(';')[0]);
    expect(messages.slice(0, 4)).toEqual([
      '1 row of invoices would make invoices.status fail',
      '3 rows of invoices would make invoices_number_key fail',
      '3 rows of invoices would make invoices_customer_id_fkey fail',
      '1 row of invoices would make invoices_id_check fail',
    ]);
    const [version = ''] = (
      await database.admin.query("select extversion from pg_extension where extname = 'vector'")
    ).rows.map((row: { extversion: string }) => row.extversion);
    if (version.localeCompare('0.8.2', 'en', { numeric: true }) < 0)
      expect(messages[4]).toContain(`the server has pgvector ${version}`);
    expect(result.exitCode).toBe(3);
    writeFileSync(
      path.join(own, 'db', '0002_status.sql'),
      migration(
        "update invoices set status = 'x' where status is null;\nalter table invoices alter column status set not null;",
      ),
    );
    expect(await aisec('migrate', 'lint', '--rule', 'rows-violate')).toMatchObject({ exitCode: 0, stdout: '' });
  });
});
