import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { snapshotOf } from '../../support/catalog.js';

const run = promisify(execFile);
const HISTORY = `select pgmigrations.id, name, state, checksum, content, statements_total, statements_started, statements_done, error, applied_by, aisec_version
from pgmigrations join aisec_migrations using (name) order by id`;

describeOnServer('migrate up --sql', () => {
  let online: ServerDatabase;
  let offline: ServerDatabase;

  beforeEach(async () => {
    online = await createServerDatabase();
    offline = await createServerDatabase();
  });

  /** As a DBA would run it: psql, stopping at the first error. */
  async function psql(
    database: ServerDatabase,
    script: string,
    folder: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly code: number; readonly stderr: string }> {
    const file = path.join(folder, 'up.script');
    writeFileSync(file, script);
    try {
      const { stderr } = await run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', database.url, '-f', file], {
        env: { PATH: process.env['PATH'] ?? '', ...env },
      });
      return { code: 0, stderr };
    } catch (error) {
      const failure = error as { code: number; stderr: string };
      return { code: failure.code, stderr: failure.stderr };
    }
  }

  const script = (folder: MigrationsFolder | undefined, ...args: readonly string[]): Promise<CliResult> =>
    runInProcess([
      'migrate',
      'up',
      '--sql',
      ...(folder === undefined ? [] : ['--migrations-dir', `aisec=${folder.dir}`]),
      ...args,
    ]);
  const history = async (database: ServerDatabase): Promise<readonly unknown[]> =>
    (await database.admin.query(HISTORY)).rows;

  test('ends a last statement without a semicolon, and one whose semicolon is in a comment', async () => {
    const folder = migrationsFolder({
      '0001_one.sql': migration('create table one (i int) -- a note', 'drop table one'),
      '0002_two.sql': migration('create table two (i int) -- done;', 'drop table two /* gone; */'),
    });
    const up = await script(folder);
    expect(await psql(offline, up.stdout, folder.dir)).toMatchObject({ code: 0 });
    expect(await history(offline)).toHaveLength(2);
    const env = { DATABASE_URL: online.url };
    const flags = ['--migrations-dir', `aisec=${folder.dir}`];
    expect(await runInProcess(['migrate', 'up', ...flags], { env })).toMatchObject({ exitCode: 0 });
    expect(await runInProcess(['migrate', 'down', '--all', '--yes', ...flags], { env })).toMatchObject({ exitCode: 0 });
  });

  test('needs no database, and psql makes of it the catalog and the history of the online run, whatever is set there', async () => {
    const { dir } = migrationsFolder({});
    const written = await script(undefined);
    expect(written.stderr).toBe('');
    for (const setting of [
      `standard_conforming_strings to off`,
      `timezone to 'Asia/Tokyo'`,
      `statement_timeout to '5s'`,
    ])
      await offline.admin.query(`alter database "${offline.name}" set ${setting}`);
    const ran = await psql(offline, written.stdout, dir, { PGCLIENTENCODING: 'SJIS', PGDATESTYLE: 'German' });
    expect(ran).toEqual({ code: 0, stderr: expect.not.stringContaining('ERROR') as unknown });
    await runInProcess(['migrate', 'up'], { env: { DATABASE_URL: online.url } });
    expect(await history(offline)).toEqual(await history(online));
    expect(await snapshotOf(offline.url)).toEqual(await snapshotOf(online.url));
    const after = await runInProcess(['migrate', 'up'], { env: { DATABASE_URL: offline.url } });
    expect(after.stderr).toContain('nothing to do');
  });

  test('with --from and --to holds just that range, and refuses a database at another version without changing it', async () => {
    const folder = migrationsFolder({
      '0001_one.sql': migration('create table one (id int);', 'drop table one;'),
      '0002_two.sql': migration("create table two (note text default 'it''s \\ a \"test\" :x');", 'drop table two;'),
      '0003_three.sql': migration(
        'create index concurrently one_id on one (id);\ncreate index concurrently two_note on two (note);',
        'drop index concurrently two_note;\ndrop index concurrently one_id;',
        '-- aisec: no-transaction',
      ),
    });
    const range = await script(folder, '--from', '0001_one', '--to', '0003_three');
    const refused = await psql(offline, range.stdout, folder.dir);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(
      'this script starts from version 0001_one, but the database is at none (an empty database)',
    );
    expect(
      (await offline.admin.query(`select from pg_class where relnamespace = 'public'::regnamespace`)).rowCount,
    ).toBe(0);

    expect((await psql(offline, (await script(folder, '--to', '0001_one')).stdout, folder.dir)).code).toBe(0);
    expect((await psql(offline, range.stdout, folder.dir)).code).toBe(0);
    await runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${folder.dir}`], {
      env: { DATABASE_URL: online.url },
    });
    expect(await history(offline)).toEqual(await history(online));
    expect(await snapshotOf(offline.url)).toEqual(await snapshotOf(online.url));
    expect((await psql(offline, range.stdout, folder.dir)).stderr).toContain('but the database is at 0003_three');
  });

  test('refuses unknown names and a range that runs backwards, exit 2', async () => {
    const folder = migrationsFolder({ '0001_one.sql': migration('select 1;'), '0002_two.sql': migration('select 2;') });
    expect((await script(folder, '--from', '0001_won')).stderr).toContain('Did you mean "0001_one"?');
    expect((await script(folder, '--from', '0002_two', '--to', '0001_one')).exitCode).toBe(2);
  });
});
