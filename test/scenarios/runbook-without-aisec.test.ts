import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { databaseAddress } from '../support/database-address.js';
import { dropDatabase, newDatabaseName } from '../support/database-names.js';
import { createEmbeddedDirectory, describeOnServer } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const [, BLOCK = ''] = /^Without aisec, with any client of the store.*?^```sh\n(.*?)^```$/ms.exec(PAGE) ?? [];
/** But for the download, and for the roles, which are of the whole server, and other tests use it, too. */
const COMMANDS = BLOCK.split('\n').filter((line) => !/^(aws|psql) /.test(line));

const PROPERTIES = `
  select datlocprovider, datlocale, datcollate, datconnlimit, array(select unnest(datacl)::text order by 1) as privileges, shobj_description(d.oid, 'pg_database') as comment,
    (select jsonb_object_agg(coalesce(setrole::regrole::text, ''), setconfig order by setrole) from pg_db_role_setting s where s.setdatabase = d.oid) as settings
  from pg_database d where datname = $1`;

describeOnServer('the way of docs/runbook.md to restore without aisec', () => {
  const name = newDatabaseName(inject('runId'));
  const serverUrl = inject('databaseUrl') ?? '';
  const url = databaseAddress(serverUrl, name);
  const server = new pg.Client({ connectionString: serverUrl });

  beforeAll(() => server.connect());
  afterAll(async () => {
    for (const each of [name, `${name}_old`]) await dropDatabase(server, each);
    await server.end();
  });

  test('brings the properties of the database back, too, and leaves it analyzed', async () => {
    for (const sql of [
      `create database ${name} template template0 locale_provider icu icu_locale 'ja-JP' locale 'C' encoding 'UTF8' connection limit 50`,
      `comment on database ${name} is 'of the test'`,
      `alter database ${name} set timezone = 'Asia/Tokyo'`,
      `alter role current_user in database ${name} set work_mem = '8MB'`,
      `revoke connect on database ${name} from public`,
    ])
      await server.query(sql);
    const filling = new pg.Client({ connectionString: url });
    await filling.connect();
    await filling.query('create table kept as select n from generate_series(1, 1000) as n');
    await filling.end();
    const directory = await createEmbeddedDirectory();
    execFileSync('age-keygen', ['-o', 'key.txt'], { cwd: directory, stdio: 'ignore' });
    const key = execFileSync('age-keygen', ['-y', 'key.txt'], { cwd: directory, encoding: 'utf8' }).trim();
    const args = ['backup', '--dir', directory, '--encrypt-to', key, '--json'];
    const made = await runInProcess(args, { env: { DATABASE_URL: url } });
    expect(made).toMatchObject({ exitCode: 0 });
    const { file, sha256 } = JSON.parse(made.stdout) as { readonly file: string; readonly sha256: string };
    const stem = path.basename(file, '.dump.age');
    const { rows: before } = await server.query(PROPERTIES, [name]);
    expect(before).toMatchObject([{ datlocale: 'ja-JP', comment: 'of the test' }]);
    await server.query(`alter database ${name} rename to ${name}_old`);

    expect(COMMANDS.length).toBeGreaterThan(4);
    const script = COMMANDS.join('\n')
      .replaceAll('NAME', stem)
      .replaceAll(/\bapp$/gm, name);
    const { hostname, port, username } = new URL(url);
    const run = spawnSync('bash', ['-e', '-c', script], {
      cwd: directory,
      env: { PATH: process.env['PATH'], PGHOST: hostname, PGPORT: port, PGUSER: username },
      encoding: 'utf8',
    });
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(run.stdout).toContain(sha256);
    expect(readFileSync(path.join(directory, `${stem}.globals.sql`), 'utf8')).toContain('CREATE ROLE');

    expect((await server.query(PROPERTIES, [name])).rows).toEqual(before);
    const restored = new pg.Client({ connectionString: url });
    await restored.connect();
    const { rows } = await restored.query(`
      select (select count(*)::int from kept) as rows, (select count(*)::int from pg_stats where tablename = 'kept') as statistics`);
    await restored.end();
    expect(rows).toEqual([{ rows: 1000, statistics: 1 }]);
  });
});
