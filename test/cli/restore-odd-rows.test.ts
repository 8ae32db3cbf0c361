import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup } from '../support/take-backup.js';

const FILL = `
  create schema "Ö, d d";
  create table "Ö, d d"."表 ""1" (id int generated always as identity primary key, "名 前" text);
  insert into "Ö, d d"."表 ""1" ("名 前") values ('山 田'), ('b');
  create table readings (at int, value point);
  insert into readings values (1, '(1,2)'), (1, '(1,2)'), (1, null), (1, null), (2, null);
  create table hens (id int primary key, egg int);
  create table eggs (id int primary key, hen int not null references hens);
  alter table hens add constraint hatched foreign key (egg) references eggs;
  insert into hens values (1, null);
  insert into eggs values (1, 1);
  update hens set egg = 1`;

describeOnServer('aisec restore --rows of odd tables', () => {
  let database: ServerDatabase;
  let file = '';
  const query = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
    (await database.admin.query(sql)).rows;
  const restore = (rows: string): Promise<CliResult> =>
    runInProcess(['restore', file, '--rows', rows], {
      env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' },
    });

  beforeAll(async () => {
    database = await createServerDatabase();
    await query(FILL);
    file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(database.url, file);
  });

  test('names with blanks, quotes and Japanese, each part quoted as psql does', async () => {
    await query(`delete from "Ö, d d"."表 ""1"`);
    expect(await restore(`"Ö, d d"."表 ""1" where "名 前" = '山 田'`)).toMatchObject({ exitCode: 0 });
    expect(await query(`select * from "Ö, d d"."表 ""1"`)).toEqual([{ id: 1, '名 前': '山 田' }]);
  });

  test('an archive in another encoding is refused where a part of it would come with other letters', async () => {
    const other = path.join(await createEmbeddedDirectory(), 'other.dump');
    await query("create table sealed (v text default '既定')");
    await promisify(execFile)('pg_dump', ['-Fc', '-E', 'EUC_JP', '-t', 'sealed', '-f', other, database.url]);
    const args = ['restore', other, '--without-manifest', '--table', 'sealed', '--as', 'unsealed'];
    const refused = await runInProcess(args, {
      env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '' },
    });
    expectError(refused, 2, 'the definitions in ', 'are not in UTF-8');
  });

  test('a row that a table without a primary key had twice is there twice again', async () => {
    for (const wrong of [
      'delete from readings',
      'delete from readings where ctid in (select min(ctid) from readings)',
    ]) {
      await query(wrong);
      expect(await restore('readings where true')).toMatchObject({ exitCode: 0 });
      expect(
        await query('select at, value::text, count(*)::int as rows from readings group by 1, 2 order by 1, 2'),
      ).toEqual([
        { at: 1, value: '(1,2)', rows: 2 },
        { at: 1, value: null, rows: 2 },
        { at: 2, value: null, rows: 1 },
      ]);
    }
  });

  test('of tables that refer to each other the statement is named that lets their rows come back', async () => {
    await query('update hens set egg = null');
    await query('delete from eggs');
    await query('delete from hens');
    const refused = await restore('hens where true');
    expect(refused).toMatchObject({ exitCode: 1 });
    const [, statement = ''] = /transaction: (alter table .*;)/.exec(refused.stderr) ?? [];
    await query(statement);
    expect(await restore('hens where true')).toMatchObject({ exitCode: 0 });
    expect(await query('select hens.egg, eggs.hen from hens, eggs')).toEqual([{ egg: 1, hen: 1 }]);
  });
});
