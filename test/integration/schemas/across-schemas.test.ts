import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { chance, rounds } from '../../support/chance.js';
import { expectError } from '../../support/expect-error.js';
import { killedAt } from '../../support/kill-at-statement.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import { runCli, type CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

interface Document {
  readonly database: string | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly left: readonly string[];
  readonly schemas: readonly {
    readonly schema: string;
    readonly state: string;
    readonly exitCode: number | null;
    readonly summary: string;
    readonly result: object | null;
    readonly error: { readonly code: string } | null;
  }[];
}

const documentOf = (run: CliResult): Document => JSON.parse(run.stdout) as Document;
const statesOf = (run: CliResult): readonly string[] =>
  documentOf(run).schemas.map(({ schema, state, summary }) => `${schema} ${state}: ${summary}`);

describeOnServer('a command in several schemas', () => {
  const { dir } = migrationsFolder({
    '0001_one.sql': migration('create table one (id int primary key);', 'drop table one;'),
    '0002_two.sql': migration(`do $$ begin
      if current_schema() = 'tenant_bad' then raise exception 'no table in %', current_schema(); end if;
      create table two (id int primary key);
    end $$;`),
  });
  let database: ServerDatabase;
  beforeEach(async () => {
    database = await createServerDatabase();
  });
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${dir}`], { env: { DATABASE_URL: database.url } });
  const tables = async (): Promise<readonly string[]> => {
    const { rows } = await database.admin.query(
      `select schemaname || '.' || tablename as name from pg_tables where tablename in ('one', 'two') order by 1`,
    );
    return rows.map((row: { name: string }) => row.name);
  };

  test('many at once bring no warning of Node about all that listens for the end of the run', async () => {
    const names = Array.from({ length: 14 }, (_, at) => `many_${at}`);
    const run = await runCli(
      ['migrate', 'up', '--schema', names.join(','), '--jobs', '14', '--quiet', '--migrations-dir', `aisec=${dir}`],
      { env: { DATABASE_URL: database.url } },
    );
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('of a list is run in each: migrate up makes the schemas, a line each and one summary; again there is nothing to do', async () => {
    const first = await aisec('migrate', 'up', '--schema', 'tenant_a, tenant_b,"tenant,c"');
    expect(first.exitCode).toBe(0);
    expect(first.stdout.replaceAll(/\t\d+ ms|\t[\d.]+ s/g, '')).toBe(
      'schema\tstate\tresult\ttime\n' +
        ['tenant_a', 'tenant_b', 'tenant,c'].map((name) => `${name}\tdone\t2 migrations applied\n`).join(''),
    );
    expect(first.stderr).toMatch(/^aisec migrate up in 3 schemas of database ".*" at .*: 3 done; .*\.\n$/);
    expect(await tables()).toEqual([
      'tenant,c.one',
      'tenant,c.two',
      'tenant_a.one',
      'tenant_a.two',
      'tenant_b.one',
      'tenant_b.two',
    ]);
    expect(statesOf(await aisec('migrate', 'up', '--schema', 'tenant?*', '--json'))).toEqual(
      [
        'tenant_a done: nothing to apply',
        'tenant_b done: nothing to apply',
        'tenant,c done: nothing to apply',
      ].toSorted(),
    );
    expect(await aisec('migrate', 'up', '--schema', 'tenant_*', '--quiet')).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('goes on where one of them fails, exits with its code, shows the failure first, and says how to do the rest', async () => {
    const run = await aisec('migrate', 'up', '--schema', 'tenant_a,tenant_bad,tenant_c');
    expect(run.exitCode).toBe(1);
    expect(run.stdout.split('\n').map((line) => line.split('\t').slice(0, 2).join(' '))).toEqual([
      'schema state',
      'tenant_bad failed',
      'tenant_a done',
      'tenant_c done',
      '',
    ]);
    expect(run.stderr).toContain('error: migration 0002_two: no table in tenant_bad (SQLSTATE P0001)');
    expect(run.stderr).toContain('in 1 schema: tenant_bad');
    expect(run.stderr).toContain('Only those that are not done: --schema tenant_bad\n');
    expect(run.stderr).toMatch(/: 1 failed, 2 done; /);
    expect(await tables()).toEqual(['tenant_a.one', 'tenant_a.two', 'tenant_bad.one', 'tenant_c.one', 'tenant_c.two']);
  });

  test('has one document with --json, in which each schema has the document of the command, or its error', async () => {
    const run = await aisec('migrate', 'up', '--schema', 'tenant_a,tenant_bad', '--json');
    const document = documentOf(run);
    expect(run.exitCode).toBe(1);
    expect(document.database).toMatch(/^database "/);
    expect(document.counts).toMatchObject({ schemas: 2, done: 1, failed: 1, notBegun: 0 });
    expect(document.schemas).toMatchObject([
      {
        schema: 'tenant_a',
        exitCode: 0,
        result: { applied: [{ name: '0001_one' }, { name: '0002_two' }] },
        error: null,
      },
      { schema: 'tenant_bad', exitCode: 1, result: null, error: { code: 'MIGRATION_FAILED' } },
    ]);
    const check = await aisec('migrate', 'check', '--schema', 'tenant_*', '--json');
    expect(check.exitCode).toBe(3);
    expect(statesOf(check)).toEqual(['tenant_a done: every migration is applied', 'tenant_bad findings: 1 finding']);
  });

  test('of a pattern is run where aisec has migrated; migrate up takes empty schemas as well, and none of another program', async () => {
    await aisec('migrate', 'up', '--schema', 'tenant_a');
    await database.admin.query(`create schema tenant_new; create schema tenant_shop; create table tenant_shop.orders ();
      create schema "tenant%x"; create schema tenantx`);
    const status = await aisec('migrate', 'status', '--schema', 'tenant_*', '--json');
    expect(statesOf(status)).toEqual(['tenant_a done: 2 applied']);
    expect(documentOf(status).left).toEqual(['tenant_new', 'tenant_shop']);
    const up = await aisec('migrate', 'up', '--schema', 'tenant_*');
    expect(up.stderr).toContain('1 schema that matches holds no migrations of aisec: tenant_shop.\n');
    expect(await tables()).toEqual(['tenant_a.one', 'tenant_a.two', 'tenant_new.one', 'tenant_new.two']);
    expect(statesOf(await aisec('migrate', 'status', '--schema', 'tenant_???,tenant_a', '--json'))).toEqual([
      'tenant_new done: 2 applied',
      'tenant_a done: 2 applied',
    ]);
  });

  test('of a query is run in the schemas that its first column names; the query can only read', async () => {
    await database.admin
      .query(`create table public.tenants as select * from (values ('tenant_b', true), ('tenant_a', true),
      ('tenant_gone', false)) t (name, is_active)`);
    const run = await aisec('migrate', 'up', '--schema', 'select name from public.tenants where is_active', '--json');
    expect(statesOf(run)).toEqual(['tenant_b done: 2 migrations applied', 'tenant_a done: 2 migrations applied']);
    const writing = await aisec(
      'migrate',
      'up',
      '--schema',
      'with x as (delete from public.tenants returning name) select * from x',
    );
    expectError(writing, 2, 'the query of --schema may only read');
    expectError(
      await aisec('migrate', 'status', '--schema', 'select null::text'),
      2,
      'the query of --schema gave a row without the name of a schema',
    );
  });

  test.each([
    [['migrate', 'status', '--schema', 'nothing_*'], '--schema: "nothing_*" finds no schema'],
    [['migrate', 'status', '--schema', 'a,,b'], 'the list of schemas "a,,b" has an empty name'],
    [['migrate', 'up', '--schema', 'a,b', '--sql'], '--sql is for one schema, and --schema names several'],
    [['migrate', 'up', '--schema', 'a,pg_b'], '"pg_b" cannot be used as the schema'],
    [['migrate', 'up', '--schema', 'a,b', '--to', 'nope'], 'there is no migration "nope"'],
    [['migrate', 'up', '--schema', 'a,b', '--jobs', '0'], '--jobs: invalid value "0"'],
    [['seed', '--schema', 'a,b'], 'aisec seed works on one schema, and --schema names several'],
    [['monitor', '--watch', '--schema', 'a*'], '--watch is for one schema, and --schema names several'],
  ])('is refused with exit 2 before anything is changed: %j', async (args, message) => {
    expectError(await aisec(...args), 2, message);
    const { rows } = await database.admin.query(`select nspname from pg_namespace where nspname in ('a', 'b')`);
    expect(rows).toEqual([]);
  });

  test('of a server that is not there is the error of one', async () => {
    const run = await runInProcess(['migrate', 'up', '--schema', 'a,b'], {
      env: { DATABASE_URL: 'postgres://127.0.0.1:1/app' },
    });
    expectError(run, 4, 'could not connect to');
  });

  test('and other such runs, in one schema or several, exclude each other schema by schema, and what works on the whole database', async () => {
    await aisec('migrate', 'up', '--schema', 'tenant_a,tenant_b,tenant_c');
    const { schemaLockKey, RUN_LOCK_KEY } = await import('../../../src/adapters/postgres/locks/advisory-lock.js');
    // As another run holds them while it works in tenant_b.
    await database.admin.query(
      `select pg_advisory_lock_shared(${RUN_LOCK_KEY}), pg_advisory_lock(${schemaLockKey('tenant_b')})`,
    );
    const beside = await aisec('migrate', 'up', '--schema', 'tenant_*', '--json');
    expect(beside.exitCode).toBe(5);
    expect(documentOf(beside).schemas.map(({ schema, state }) => `${schema} ${state}`)).toEqual([
      'tenant_a done',
      'tenant_b busy',
      'tenant_c done',
    ]);
    expect(await aisec('migrate', 'up', '--schema', 'tenant_a')).toMatchObject({ exitCode: 0 });
    const same = await aisec('migrate', 'up', '--schema', 'tenant_b');
    expectError(same, 5, 'another run is at work on schema tenant_b');
    expect(same.stderr).toContain('"test admin" of role');
    const whole = await runInProcess(['seed', '--schema', 'tenant_a'], { env: { DATABASE_URL: database.url } });
    expectError(whole, 5, 'another run is at work on database');
    const waiting = aisec('migrate', 'up', '--schema', 'tenant_b', '--wait', '10m');
    await database.admin.query('select pg_advisory_unlock_all()');
    expect(await waiting).toMatchObject({ exitCode: 0 });
    await database.admin.query(`select pg_advisory_lock(${RUN_LOCK_KEY})`);
    expect((await aisec('migrate', 'up', '--schema', 'tenant_*')).exitCode).toBe(5);
    expect((await aisec('migrate', 'up', '--schema', 'tenant_a')).exitCode).toBe(5);
    await database.admin.query('select pg_advisory_unlock_all()');
    expect((await aisec('migrate', 'up', '--schema', 'tenant_*')).exitCode).toBe(0);
  });

  test('brings what one run has left undone to its end when it is run again', async () => {
    await aisec('migrate', 'up', '--schema', 'tenant_a,tenant_b', '--to', '0001_one');
    expect(statesOf(await aisec('migrate', 'down', '--yes', '--json', '--schema', 'tenant_a,tenant_b'))).toEqual([
      'tenant_a done: 1 migration reverted',
      'tenant_b done: 1 migration reverted',
    ]);
    await aisec('migrate', 'up', '--schema', 'tenant_b');
    expect(statesOf(await aisec('migrate', 'up', '--schema', 'tenant_a,tenant_b', '--json'))).toEqual([
      'tenant_a done: 2 migrations applied',
      'tenant_b done: nothing to apply',
    ]);
  });

  test('killed at any statement and run again applies every migration once in every schema', async () => {
    const names = ['tenant_a', 'tenant_b', 'tenant_c'];
    await database.admin.query('create table public.ledger (schema text, file int)');
    const note = (file: number): string =>
      migration(`create table t${file} (id int);\ninsert into public.ledger values (current_schema(), ${file});`);
    const own = migrationsFolder(Object.fromEntries([1, 2, 3, 4].map((file) => [`000${file}_step.sql`, note(file)])));
    const args = ['migrate', 'up', '--jobs', '2', '--wait', '20s', '--schema', names.join(',')];
    args.push('--migrations-dir', `aisec=${own.dir}`);
    const env = { DATABASE_URL: database.url };
    const random = chance();
    const killed: (string | null)[] = [];
    // The first run sends 51.
    for (let kill = 0; kill < rounds(3, 15); kill += 1)
      killed.push((await killedAt(8 + Math.floor(random() * 40), { args, env })).signal);
    expect(killed[0]).toBe('SIGKILL');
    expect(await runInProcess(args, { env })).toMatchObject({ exitCode: 0 });
    const { rows } = await database.admin.query(
      `select schema, array_agg(file order by file) as files from public.ledger group by schema order by schema`,
    );
    expect(rows).toEqual(names.map((schema) => ({ schema, files: [1, 2, 3, 4] })));
  });
});
