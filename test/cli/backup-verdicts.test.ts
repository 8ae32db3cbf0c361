import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { newDatabaseName } from '../support/database-names.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

interface Manifest {
  readonly damage: unknown;
  readonly verifications: readonly { readonly level: string }[];
}

describeOnServer('what a backup is found to be', () => {
  let server: pg.Client;
  let directory = '';
  const url = (): string => inject('databaseUrl') ?? '';
  const manifestOf = async (file: string): Promise<Manifest> => JSON.parse(await readFile(`${file}.json`, 'utf8'));

  /** A backup of a database with these statements run in it, which is dropped again. */
  const backupOf = async (name: string, statements: readonly string[]): Promise<string> => {
    const database = await createServerDatabase();
    for (const sql of statements) await database.admin.query(sql);
    const args = ['backup', '--dir', path.join(directory, name), '--json'];
    const run = await runInProcess(args, { env: { DATABASE_URL: database.url } });
    await database.drop();
    return String(JSON.parse(run.stdout).file);
  };
  const verify = (args: readonly string[]): Promise<CliResult> =>
    runInProcess(['backup', 'verify', ...args], { env: { DATABASE_URL: url() } });

  beforeAll(async () => {
    directory = await createEmbeddedDirectory();
    server = new pg.Client({ connectionString: url() });
    await server.connect();
  });
  afterAll(() => server.end());

  test('a role that only a policy names is missed before a restore without owners begins', async () => {
    const role = newDatabaseName(inject('runId'));
    await server.query(`create role ${pg.escapeIdentifier(role)}`);
    const file = await backupOf('policy', [
      'create table t (id int)',
      `create policy p on t to ${pg.escapeIdentifier(role)} using (true)`,
    ]);
    await server.query(`drop role ${pg.escapeIdentifier(role)}`);
    const env = { DATABASE_URL: url() };
    const name = newDatabaseName(inject('runId'));
    const plan = await runInProcess(['restore', file, '--create', name, '--no-owner', '--dry-run'], { env });
    expectError(plan, 3, 'cannot restore to ', `role ${pg.escapeIdentifier(role)} is missing`);

    const deep = await verify([file, '--deep', '--no-owner']);
    expectError(deep, 3, 'cannot restore to ', `role ${pg.escapeIdentifier(role)} is missing`);
    // These are options of restore alone.
    expect(plan.stderr).toContain('--create-roles or --globals');
    expect(deep.stderr).not.toMatch(/--create-roles|--globals/);
    expect(await manifestOf(file)).toMatchObject({ damage: null, verifications: [{ level: 'read' }] });
  });

  test('a backup that this server cannot take is not called damaged, and its manifest stays as it is', async () => {
    const file = await backupOf('unqualified', [
      'create table limits (most int)',
      'insert into limits values (5)',
      'create function is_allowed(n int) returns boolean language plpgsql as $$ begin return n <= (select most from limits); end $$',
      'create table t (n int check (is_allowed(n)))',
      'insert into t values (1)',
    ]);
    const before = await manifestOf(file);
    const deep = await verify([file, '--deep']);
    expect(deep).toMatchObject({ exitCode: 3 });
    expect(deep.stdout).toContain('not tried');
    expect(deep.stdout).toContain('relation "limits" does not exist');
    expect(deep.stderr).not.toContain('damaged');
    expect(await manifestOf(file)).toEqual(before);
  });

  test('a subscription comes back disabled, which is said, and keeps no scratch database from being dropped', async () => {
    const database = await createServerDatabase();
    await database.admin.query('create table t (id int)');
    await database.admin.query(
      `create subscription news connection 'dbname=nowhere' publication p with (connect = false)`,
    );
    const env = { DATABASE_URL: database.url };
    const made = await runInProcess(['backup', '--dir', path.join(directory, 'subscribed'), '--json'], { env });
    await database.admin.query('alter subscription news set (slot_name = none)');
    await database.admin.query('drop subscription news');
    const file = String(JSON.parse(made.stdout).file);
    expect(await verify([file, '--deep', '--json'])).toMatchObject({ exitCode: 0 });
    const { rows } = await server.query('select from pg_database where datname = $1', [
      `aisec_verify_${database.name}`,
    ]);
    expect(rows).toEqual([]);
    const plan = await runInProcess(['restore', file, '--create', newDatabaseName(inject('runId')), '--dry-run'], {
      env,
    });
    expect(plan.stderr).toContain('subscription "news" comes back disabled');
  });

  test('a backup whose roles are missing beside it is whole itself, and what is missing is named', async () => {
    const file = await backupOf('alone', ['create table t (id int)']);
    await rm(file.replace(/\.dump$/, '.globals.sql'));
    const read = await verify([file, '--json']);
    expect(read).toMatchObject({ exitCode: 3 });
    const [result] = JSON.parse(read.stdout).results;
    expect(result).toMatchObject({ verdict: 'incomplete' });
    expect(result.reason).toContain('.globals.sql');
    expect(await manifestOf(file)).toMatchObject({ damage: null });
    const check = await runInProcess(['backup', 'check', '--dir', path.dirname(file)]);
    expect(check.stdout).not.toContain('is damaged');
  });

  /** Makes the length of the first piece of data a negative one, which pg_restore cannot have the memory for. */
  const damageLength = async (file: string): Promise<void> => {
    const bytes = await readFile(file);
    const id = Buffer.alloc(4);
    const [, dumpId] =
      /^(\d+); \d+ \d+ TABLE DATA /m.exec(execFileSync('pg_restore', ['--list', file]).toString()) ?? [];
    id.writeUInt32LE(Number(dumpId));
    // A block of rows: its kind, and the number of the entry with its sign.
    const at = bytes.indexOf(Buffer.from([1, 0, ...id]));
    bytes[at + 6] = 1;
    await writeFile(file, bytes);
  };
  const restore = (file: string, env: Readonly<Record<string, string>> = {}): Promise<CliResult> => {
    const name = newDatabaseName(inject('runId'));
    const args = ['restore', file, '--create', name, '--without-manifest', '--dry-run'];
    return runInProcess(args, { env: { DATABASE_URL: url(), ...env } });
  };

  test('an archive with a damaged length is damaged, though pg_restore says that memory is out', async () => {
    const file = await backupOf('length', ['create table t as select generate_series(1, 5000) as n']);
    await damageLength(file);
    const restored = await restore(file);
    expectError(restored, 3, `the archive ${file} cannot be read to its end`, 'out of memory');
    // As of a disk that had damaged it before its checksum was taken.
    const bytes = await readFile(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(`${file}.json`, JSON.stringify({ ...(await manifestOf(file)), sha256 }));
    const read = await verify([file, '--json']);
    expect(read).toMatchObject({ exitCode: 3 });
    expect(JSON.parse(read.stdout).results).toMatchObject([{ verdict: 'damaged' }]);
    expect(await manifestOf(file)).toMatchObject({ damage: { reason: expect.stringContaining('out of memory') } });
  });

  test.each([
    ["echo 'pg_restore: error: could not read from input file: Input/output error' >&2; exit 1", 'Input/output error'],
    [
      "echo 'pg_restore: error: this build does not support compression with zstd' >&2; exit 1",
      'compression with zstd',
    ],
    ['kill -KILL $$', 'was ended by SIGKILL'],
  ])('an archive that this machine cannot read is not called damaged: %s', async (fails, detail) => {
    const file = await backupOf('unread', ['create table t (id int)']);
    const directoryOfTools = await mkdtemp(path.join(directory, 'tools-'));
    const real = execFileSync('sh', ['-c', 'command -v pg_restore']).toString().trim();
    const program = path.join(directoryOfTools, 'pg_restore');
    await writeFile(program, `#!/bin/sh\ncase "$*" in *--file=*) ${fails};; esac\nexec ${real} "$@"\n`);
    await chmod(program, 0o755);
    const restored = await restore(file, { AISEC_PG_BIN: directoryOfTools });
    expectError(restored, 1, `the archive ${file} could not be read here`, detail);
    expect(restored.stderr).not.toContain('Restore another backup');
  });
});
