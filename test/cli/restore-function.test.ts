import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { databaseAddress } from '../support/database-address.js';
import { dropDatabase, newDatabaseName } from '../support/database-names.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { runInProcess } from '../support/run-in-process.js';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const HINT =
  'A function in the backup names something without its schema: docs/runbook.md, "A function stops a restore"';

/** Each with a function `a.helper(integer)` that works in its database, and not with the search path of pg_restore. */
const CASES = [
  {
    title: 'a check whose function reads a table',
    missing: 'relation "limits" does not exist',
    sql: `create function a.helper(n int) returns boolean language plpgsql as $$ begin return n <= (select most from limits); end $$;
      create table a.numbers (n int check (a.helper(n)))`,
  },
  {
    title: 'an index whose function calls a function',
    missing: 'function twice(integer) does not exist',
    sql: `create function a.twice(n int) returns int language sql immutable as 'select n * 2';
      create function a.helper(n int) returns int language plpgsql immutable as $$ begin return twice(n); end $$;
      create table a.numbers (n int);
      create index on a.numbers (a.helper(n))`,
  },
];

describeOnServer('a function that names something without its schema', () => {
  const made: string[] = [];
  let server: pg.Client;
  beforeAll(async () => {
    server = new pg.Client({ connectionString: inject('databaseUrl') ?? '' });
    await server.connect();
  });
  afterAll(async () => {
    for (const name of made) await dropDatabase(server, name);
    await server.end();
  });

  test.each(CASES)('stops a restore with a hint, and the way of the runbook brings all back: $title', async (each) => {
    const { admin, name, url } = await createServerDatabase();
    await admin.query(`
      create schema a;
      set search_path to a, public;
      create table a.limits as select 5 as most;
      ${each.sql};
      insert into a.numbers select n % 5 from generate_series(1, 100) n`);
    const env = { DATABASE_URL: url };
    const backup = ['backup', '--dir', await createEmbeddedDirectory(), '--json'];
    const { file } = JSON.parse((await runInProcess(backup, { env })).stdout);
    const target = newDatabaseName(inject('runId'));
    made.push(target);
    const refused = await runInProcess(['restore', file, '--create', target], { env });
    expectError(refused, 1, 'pg_restore could not restore the backup', each.missing);
    expect(refused.stderr).toContain(
      `hint: What had been restored was dropped again, and nothing else was touched. ${HINT}`,
    );

    const [, script = ''] = /^## A function stops a restore$.*?^```sh\n(.*?)^```$/ms.exec(PAGE) ?? [];
    const { hostname, port, username } = new URL(url);
    const run = spawnSync('bash', ['-e', '-c', script.replaceAll('NAME.dump', file).replaceAll('app_new', target)], {
      env: { PATH: process.env['PATH'], PGHOST: hostname, PGPORT: port, PGUSER: username },
      encoding: 'utf8',
    });
    expect(run, run.stderr).toMatchObject({ status: 0 });
    const restored = new pg.Client({ connectionString: databaseAddress(url, target) });
    await restored.connect();
    const { rows } = await restored.query('select count(*)::int as n from a.numbers where a.helper(n) is not null');
    await restored.end();
    expect(rows).toEqual([{ n: 100 }]);
    expect(name).not.toBe(target);
  });
});
