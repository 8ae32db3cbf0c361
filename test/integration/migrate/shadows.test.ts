import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const run = promisify(execFile);

const FORMAT = `create function public.format(text, text) returns text language sql immutable return 'x'`;
const EQUAL = `create function public.same(varchar, varchar) returns boolean language sql immutable return false;
  create operator public.= (leftarg = varchar, rightarg = varchar, function = public.same)`;

describeOnServer('functions and operators of a user that PostgreSQL prefers to its own', () => {
  let database: ServerDatabase;
  const directory = temporaryDirectory();

  beforeEach(async () => {
    database = await createServerDatabase();
  });

  const aisec = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database.url, ...env } });
  const tables = async (): Promise<unknown> =>
    (await database.admin.query(`select tablename from pg_tables where schemaname = 'public'`)).rows;

  test('migrate up names them all with a fix that works, and changes nothing', async () => {
    await database.admin.query(`${FORMAT}; ${EQUAL}`);
    for (const args of [['up'], ['up', '--dry-run']]) {
      const refused = await aisec(['migrate', ...args, '--json']);
      expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
      const { error } = JSON.parse(refused.stderr) as { error: { code: string; detail: string } };
      const { code, detail } = error;
      expect(code).toBe('MIGRATION_BLOCKED');
      expect(detail).toContain('function public.format(text, text) is taken in place of format(text,"any")');
      expect(detail).toContain(
        'operator public.= (character varying, character varying) is taken in place of =(text,text)',
      );
      expect(await tables()).toEqual([]);
    }
    const { stderr } = await aisec(['migrate', 'up']);
    const fix = [...stderr.matchAll(/^ *(?:fix: )?((?:create schema|alter function|alter operator) .*;)$/gm)];
    for (const [, statement] of fix) await database.admin.query(statement ?? '');
    expect(await aisec(['migrate', 'up'])).toMatchObject({ exitCode: 0 });
  });

  test('the script for psql stops at one, and runs after its hint was followed', async () => {
    await database.admin.query(FORMAT);
    const file = path.join(directory, 'up.sql');
    writeFileSync(file, (await aisec(['migrate', 'up', '--sql'])).stdout);
    const psql = () => run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', database.url, '-f', file]);
    const { stderr } = await psql().catch((error: unknown) => error as { stderr: string });
    expect(stderr).toContain('function public.format(text, text) is taken in place of format(text,"any")');
    expect(await tables()).toEqual([]);
    const [, fix = ''] = /No changes were made. Run: (.*;)$/m.exec(stderr) ?? [];
    await database.admin.query(fix);
    await psql();
    expect(await aisec(['migrate', 'status'])).toMatchObject({ exitCode: 0 });
  });

  test.each([
    [
      'the arguments of the built-in one',
      `create function now() returns timestamptz language sql return null::timestamptz`,
    ],
    [
      'a type that is converted',
      `create function date_trunc(text, date) returns date language sql immutable return $2`,
    ],
    [
      'a type that the built-in one does not take',
      `create function larger(uuid, uuid) returns uuid language sql immutable return $1;
      create aggregate max(uuid) (sfunc = larger, stype = uuid)`,
    ],
    [
      'a name that no migration calls',
      `create function initcap(varchar) returns text language sql immutable return 'x'`,
    ],
    ['an extension', 'create extension intarray'],
  ])('a function with %s is no obstacle', async (_what, sql) => {
    await database.admin.query(sql);
    expect(await aisec(['migrate', 'up'])).toMatchObject({ exitCode: 0 });
  });

  test('one in the schema that stands before that of the extensions is found', async () => {
    await database.admin
      .query(`create schema extensions; create extension pgcrypto schema extensions; create extension vector schema extensions;
      create function public.crypt(text, text) returns text language sql immutable return $1`);
    const { exitCode, stderr } = await aisec(['migrate', 'up'], { AISEC_EXTENSION_SCHEMA: 'extensions' });
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(
        'function public.crypt(text, text) is taken in place of extensions.crypt(text,text)',
      ) as string,
    });
  });

  test('doctor calls it critical where a role has made it that owns nothing of the database', async () => {
    const role = `${database.name}_other`;
    expect(await aisec(['migrate', 'up'])).toMatchObject({ exitCode: 0 });
    await database.admin.query(`create role ${role}; grant create, usage on schema public to ${role};
      set role ${role}; ${FORMAT}; reset role`);
    try {
      const { stdout, exitCode } = await aisec(['doctor', '--only', 'shadowed', '--json']);
      expect(exitCode).toBe(3);
      expect(JSON.parse(stdout)).toMatchObject({
        findings: [
          {
            id: 'shadowed:public.format(text, text)',
            severity: 'critical',
            impact: expect.stringContaining(`code of role "${role}" runs with the privileges`) as string,
          },
        ],
      });
    } finally {
      await database.admin.query(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });
});
