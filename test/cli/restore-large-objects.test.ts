import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup } from '../support/take-backup.js';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/backups.md'), 'utf8');
const [, RECIPE = ''] = /^### Large objects$.*?^```sh\n(.*?)^```$/ms.exec(PAGE) ?? [];

describeOnServer('rows that name large objects', () => {
  test('come back with a warning where the database lacks those, which the recipe of docs/backups.md brings back', async () => {
    const { admin, url } = await createServerDatabase();
    await admin.query(`
      create domain large as oid;
      create table docs (id int primary key, "the body" large, kind oid);
      insert into docs values (1, lo_from_bytea(0, 'one'), 'pg_class'::regclass), (2, lo_from_bytea(0, 'two'), null), (3, null, 1)`);
    const directory = await createEmbeddedDirectory();
    const file = path.join(directory, 'app_20261125_060000.dump');
    await takeBackup(url, file);
    const restore = (...args: readonly string[]) =>
      runInProcess(['restore', file, ...args], { env: { DATABASE_URL: url, PATH: process.env['PATH'] ?? '' } });
    const warned = (rows: string, table: string) => ({
      exitCode: 0,
      stderr: expect.stringContaining(
        `warning: ${rows} of ${table} name in "the body" a large object that the database lacks`,
      ),
    });

    await admin.query('select lo_unlink("the body") from docs where id = 1');
    await admin.query('delete from docs where id = 1');
    expect(await restore('--rows', 'docs where id = 1', '--dry-run')).toMatchObject(warned('1 row', 'public.docs'));
    expect(await restore('--rows', 'docs where id = 1')).toMatchObject(warned('1 row', 'public.docs'));
    await admin.query('select lo_unlink(oid) from pg_largeobject_metadata');
    expect(await restore('--table', 'docs', '--as', 'other')).toMatchObject(warned('2 rows', '"public"."other"'));
    await admin.query('drop table docs');
    expect(await restore('--table', 'docs')).toMatchObject(warned('2 rows', '"public"."docs"'));

    execFileSync('bash', ['-e', '-c', RECIPE.replaceAll('FILE', file).replaceAll('-d app', `-d '${url}'`)], {
      cwd: directory,
    });
    const read = `select string_agg(convert_from(lo_get("the body"), 'utf8'), ' ' order by id) as text from docs`;
    expect((await admin.query(read)).rows).toEqual([{ text: 'one two' }]);
    const again = await restore('--rows', 'docs where id = 1');
    expect(again).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('large object') });
  });
});
