import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { runCli, startCli, type CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';
import { writeMigrations } from '../support/migrations-folder.js';

const migrations = writeMigrations({ '0001_a': 'create table a (id int);' });
const scratch = mkdtempSync(path.join(tmpdir(), 'aisec-test-connection-'));
afterAll(() => {
  for (const directory of [migrations, scratch]) rmSync(directory, { recursive: true });
});

const STATUS = ['migrate', 'status', '--migrations-dir', `aisec=${migrations}`];

function status(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> {
  return runInProcess([...STATUS, ...args], { env });
}

function up(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> {
  return runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${migrations}`, ...args], { env });
}

describe('a server that cannot be reached', () => {
  it.each([
    [
      'a URL with a password in the flag',
      ['--database-url', 'postgres://u:hunter2@h/db'],
      2,
      '--database-url carries a password',
    ],
    ['a bad URL', ['--database-url', 'mysql://h/db'], 2, 'invalid database URL in --database-url'],
    ['an unknown sslmode', ['--database-url', 'postgres://u@h/db?sslmode=full'], 2, 'invalid sslmode "full"'],
    [
      'an unknown host',
      ['--database-url', 'postgres://u@nowhere.invalid/db'],
      4,
      'could not connect to database "db" at nowhere.invalid:5432',
    ],
    [
      'a port where nothing listens',
      ['--database-url', 'postgres://u@127.0.0.1:1/db'],
      4,
      'could not connect to database "db" at 127.0.0.1:1',
    ],
    [
      'an IPv6 address',
      ['--database-url', 'postgres://u@[::1]:1/db'],
      4,
      'could not connect to database "db" at [::1]:1',
    ],
    [
      'a missing socket',
      ['--database-url', 'postgres://u@/db?host=/nowhere'],
      4,
      'could not connect to database "db" at /nowhere/.s.PGSQL.5432',
    ],
  ])('because of %s is told with exit code and hint', async (_title, args, exitCode, message) => {
    expectError(await status({}, ...args), exitCode, message);
  });

  it('because it is named twice by "localhost" is told once', async () => {
    expectError(
      await status({ DATABASE_URL: 'postgres://u@localhost:1/db' }),
      4,
      'could not connect',
      'Nothing listens there.',
    );
  });

  describe('because it never answers', () => {
    let silent: Server;
    let port = 0;
    beforeAll(async () => {
      silent = createServer(() => undefined);
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      port = (silent.address() as { port: number }).port;
    });
    afterAll(() => {
      silent.close();
    });

    it('is given up after connect_timeout', async () => {
      // Its process ends, too.
      const run = await runCli(STATUS, {
        env: { DATABASE_URL: `postgres://u@127.0.0.1:${port}/db?connect_timeout=1` },
      });
      expectError(run, 4, 'could not connect', 'did not answer within 1 seconds');
    });

    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('is given up at once on %s', async (signal, exitCode) => {
      const connected = new Promise((resolve) => silent.once('connection', resolve));
      // Longer than the test: only the signal ends it.
      const address = `postgres://u@127.0.0.1:${port}/db?connect_timeout=3600`;
      const cli = startCli(['migrate', 'status'], { env: { DATABASE_URL: address } });
      await connected;
      cli.child.kill(signal);
      const run = await cli.finished;
      expect(run).toMatchObject({ exitCode, stdout: '', signal: null });
      expect(run.stderr.trim().split('\n')).toHaveLength(1);
    });
  });
});

describeOnServer('a server', () => {
  let database: ServerDatabase;
  let address: URL;
  const roles: string[] = [];
  beforeAll(async () => {
    database = await createServerDatabase();
    address = new URL(database.url);
  });
  afterAll(async () => {
    for (const role of roles) {
      await database.admin.query(`drop owned by ${role}`);
      await database.admin.query(`drop role ${role}`);
    }
  });

  /** A login role of its own, and the address of the database as that role. */
  async function createRole(attributes = ''): Promise<{ readonly role: string; readonly url: string }> {
    const role = `aisec_test_${randomBytes(5).toString('hex')}`;
    await database.admin.query(`create role ${role} login ${attributes}`);
    roles.push(role);
    const url = new URL(address);
    url.username = role;
    return { role, url: url.href };
  }

  it('is found by a URL in the flag, a file, the environment, a .env file and the variables of libpq', async () => {
    const file = path.join(scratch, 'url');
    writeFileSync(file, `${database.url}\n`);
    const cwd = mkdtempSync(path.join(scratch, 'cwd-'));
    writeFileSync(path.join(cwd, '.env'), `DATABASE_URL=${database.url}\n`);
    const services = path.join(scratch, 'services');
    const [host, port, user] = [address.hostname, address.port, decodeURIComponent(address.username)];
    writeFileSync(services, `[app]\nhost=${host}\nport=${port}\nuser=${user}\ndbname=${database.name}\n`);
    const runs = await Promise.all([
      status({}, '--database-url', database.url),
      status({}, '--database-url-file', file),
      status({ DATABASE_URL: database.url }),
      runCli(STATUS, { cwd }),
      status({ PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database.name }),
      status({ PGSERVICEFILE: services, PGSERVICE: 'app' }),
    ]);
    for (const run of runs) {
      expect(run.exitCode).toBe(0);
      expect(run.stderr).toContain(`database "${database.name}" at ${host}:${port}, schema public: 1 pending.`);
    }
  });

  it('gets PGOPTIONS, and our own settings beside them', async () => {
    const directory = writeMigrations({
      '0001_settings': `do $$ begin
        raise warning 'work_mem %, tz %, app %', current_setting('work_mem'), current_setting('timezone'), current_setting('application_name');
      end $$;`,
    });
    const schema = `s_${randomBytes(4).toString('hex')}`;
    const run = await runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${directory}`, '--schema', schema], {
      env: { DATABASE_URL: database.url, PGOPTIONS: '-c work_mem=5MB -c timezone=Asia/Tokyo' },
    });
    rmSync(directory, { recursive: true });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain('warning: work_mem 5MB, tz UTC, app aisec migrate up\n');
  });

  it('without TLS is used with sslmode prefer and allow, and refused with require and verify-full', async () => {
    const { rows } = await database.admin.query('show ssl');
    expect(rows[0]).toEqual({ ssl: 'off' });
    for (const mode of ['disable', 'allow', 'prefer'])
      expect(await status({ DATABASE_URL: `${database.url}?sslmode=${mode}` })).toMatchObject({ exitCode: 0 });
    for (const mode of ['require', 'verify-ca', 'verify-full'])
      expectError(
        await status({ DATABASE_URL: `${database.url}?sslmode=${mode}` }),
        4,
        'could not make an encrypted connection',
        'The server does not support SSL connections.',
      );
  });

  it('that has no such database says so', async () => {
    const url = new URL(address);
    url.pathname = '/aisec_test_missing';
    expectError(
      await status({ DATABASE_URL: url.href }),
      4,
      'database "aisec_test_missing" at',
      'create database "aisec_test_missing";',
    );
  });

  it('that has no such role says so', async () => {
    const url = new URL(address);
    url.username = 'aisec_test_nobody';
    expectError(
      await status({ DATABASE_URL: url.href }),
      4,
      'user "aisec_test_nobody" may not log in',
      'does not exist',
    );
  });

  it('refuses a role without the CONNECT privilege', async () => {
    const { url } = await createRole();
    await database.admin.query(`revoke connect on database ${database.name} from public`);
    const run = await status({ DATABASE_URL: url });
    await database.admin.query(`grant connect on database ${database.name} to public`);
    expectError(run, 1, 'user', 'has no CONNECT privilege');
    expect(run.stderr).toContain('grant connect on database');
  });

  it('refuses a role that may not create in the schema, before anything is changed', async () => {
    const { role, url } = await createRole();
    expectError(
      await up({ DATABASE_URL: url }),
      1,
      'this role may not create tables in the schema "public"',
      `grant create, usage on schema "public" to "${role}";`,
    );
    expectError(
      await up({ DATABASE_URL: url }, '--schema', 'own'),
      1,
      'this role may not create the schema "own"',
      `grant create on database "${database.name}" to "${role}";`,
    );
    const { rows } = await database.admin.query(`select to_regclass('public.pgmigrations') as found`);
    expect(rows[0]).toEqual({ found: null });
  });

  it.each([
    ['an extension', 'create extension if not exists file_fdw;', 'this role may not create the extension "file_fdw"'],
    [
      'a role',
      'create role aisec_test_never;',
      'the role "aisec_test_never" does not exist and this role may not create it',
    ],
  ])('refuses a role that may not create %s, before anything is changed', async (_what, sql, message) => {
    const { role, url } = await createRole();
    await database.admin.query(`grant create on schema public to ${role}`);
    const directory = writeMigrations({ '0001_before': 'create table before_it (id int);', '0002_it': sql });
    const run = await runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${directory}`], {
      env: { DATABASE_URL: url },
    });
    rmSync(directory, { recursive: true });
    expectError(run, 1, message);
    const { rows } = await database.admin.query(`select to_regclass('public.before_it') as found`);
    expect(rows[0]).toEqual({ found: null });
  });

  it('with no connection left says so', async () => {
    const { url } = await createRole('connection limit 0');
    expectError(
      await status({ DATABASE_URL: url }),
      4,
      'no connection is left on database',
      'too many connections for role',
    );
  });

  it('that takes no connections to a database says so', async () => {
    const closed = await createServerDatabase();
    await database.admin.query(`alter database ${closed.name} allow_connections false`);
    expectError(await status({ DATABASE_URL: closed.url }), 4, 'database', 'accepts no connections now');
  });

  it('that ends the connection in the middle is told, rolled back, and the next run works', async () => {
    const directory = writeMigrations({ '0001_slow': 'create table slow_one (id int); select pg_sleep(60);' });
    const schema = `s_${randomBytes(4).toString('hex')}`;
    const args = ['migrate', 'up', '--migrations-dir', `aisec=${directory}`, '--schema', schema];
    const cli = startCli(args, { env: { DATABASE_URL: database.url } });
    await waitFor(async () => {
      const { rowCount } = await database.admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'aisec migrate up' and query like '%pg_sleep%' and state = 'active'`,
      );
      return rowCount === 1;
    });
    expectError(await cli.finished, 4, 'lost the connection to the database', 'run the command again');
    writeMigrations({ '0001_slow': 'create table slow_one (id int);' }, directory);
    expect(await runInProcess(args, { env: { DATABASE_URL: database.url } })).toMatchObject({ exitCode: 0 });
    rmSync(directory, { recursive: true });
  });
});
