import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

import { afterAll, beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

describeOnServer('the role and the server that migrate works on', () => {
  let database: ServerDatabase;
  let own: MigrationsFolder;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    database = await createServerDatabase();
    own = migrationsFolder({
      '0001_one.sql': migration('create table one (id int);', 'drop table one;'),
      '0002_two.sql': migration(
        'set local role pg_monitor; select current_user; reset role; create table two (id int);',
        'drop table two;',
      ),
    });
  });

  afterAll(() => {
    for (const socket of sockets) socket.destroy();
  });

  const aisec = (env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${own.dir}`], { env });

  /** A role that logs in and one that owns, whose name has a blank and a quote; both end with the test. */
  async function withRoles(use: (login: string, owner: string) => Promise<void>): Promise<void> {
    const [login, owner] = [`${database.name}_login`, `${database.name} "owner"`];
    const quoted = `"${owner.replaceAll('"', '""')}"`;
    await database.admin.query(`create role ${login} login password 'x' noinherit`);
    await database.admin.query(`create role ${quoted}`);
    await database.admin.query(`grant ${quoted}, pg_monitor to ${login}; grant pg_monitor to ${quoted}`);
    await database.admin.query(`grant create, usage on schema public to ${quoted}`);
    try {
      await use(login, owner);
    } finally {
      await database.admin.query(`drop owned by ${login}, ${quoted}; drop role ${login}, ${quoted}`);
    }
  }

  test('a role that does not own the functions ends well when nothing is left to do, and is told so when a month is', async () => {
    const migrated = await createServerDatabase({ migrated: true });
    const role = `${migrated.name}_reader`;
    await migrated.admin.query(`create role ${role}; grant select on all tables in schema public to ${role}`);
    const up = (): Promise<CliResult> =>
      runInProcess(['migrate', 'up', '--role', role], { env: { DATABASE_URL: migrated.url } });
    try {
      const current = await up();
      expect(current).toMatchObject({ exitCode: 0 });
      expect(current.stdout + current.stderr).toContain('every migration is applied');
      expect(current.stderr).toContain('this role could not make one: permission denied for function');
      await migrated.admin.query(
        `do $$ begin execute 'drop table ' || (select max(inhrelid::regclass::text) from pg_inherits
           where inhparent = 'messages'::regclass and inhrelid::regclass::text like 'messages_y%'); end $$`,
      );
      const lacking = await up();
      expect(lacking).toMatchObject({ exitCode: 1 });
      expect(lacking.stderr).toContain('hint: Run it as the owner, role postgres.');
    } finally {
      await migrated.admin.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('with --role everything belongs to that role, and the history says who logged in', async () => {
    await withRoles(async (login, owner) => {
      const url = Object.assign(new URL(database.url), { username: login, password: 'x' }).toString();
      const refused = await aisec({ DATABASE_URL: url }, 'migrate', 'up');
      expect(refused).toMatchObject({ exitCode: 1 });
      expect(await aisec({ DATABASE_URL: url, AISEC_ROLE: owner }, 'migrate', 'up')).toMatchObject({ exitCode: 0 });
      const { rows } = await database.admin.query(
        `select distinct tableowner from pg_tables where schemaname = 'public'`,
      );
      expect(rows).toEqual([{ tableowner: owner }]);
      const history = await database.admin.query('select distinct applied_by from aisec_migrations');
      expect(history.rows).toEqual([{ applied_by: login }]);
      expect(await aisec({ DATABASE_URL: url }, 'migrate', 'down', '--role', owner)).toMatchObject({ exitCode: 0 });
    });
  });

  test('a role that does not exist, or that may not be taken, is named', async () => {
    await withRoles(async (login) => {
      const url = Object.assign(new URL(database.url), { username: login, password: 'x' }).toString();
      const unknown = await aisec({ DATABASE_URL: url }, 'migrate', 'status', '--role', 'nobody here');
      expect(unknown).toMatchObject({ exitCode: 2 });
      expect(unknown.stderr).toContain('the role "nobody here" of --role does not exist');
      const foreign = await aisec({ DATABASE_URL: url }, 'migrate', 'status', '--role', 'pg_read_all_data');
      expect(foreign.stderr).toContain('may not work as the role "pg_read_all_data"');
      // A membership that is there WITH SET FALSE is not changed by a plain GRANT.
      await database.admin.query(`grant pg_read_all_data to "${login}" with set false`);
      const [, fix] = /hint: Let an administrator run: (grant "pg_read_all_data" to .*;)$/m.exec(foreign.stderr) ?? [];
      await database.admin.query(fix ?? '');
      const allowed = await aisec({ DATABASE_URL: url }, 'migrate', 'status', '--role', 'pg_read_all_data');
      expect(allowed.stderr).not.toContain('may not work as the role');
    });
    const embedded = await aisec({}, 'migrate', 'up', '--embedded', '--role', 'x');
    expect(embedded).toMatchObject({ exitCode: 2 });
  });

  test('--wait-for-database connects again while the server is not up, and gives up at once on anything else', async () => {
    const address = new URL(database.url);
    let connections = 0;
    const proxy = createServer((socket) => {
      connections += 1;
      sockets.add(socket.on('error', () => undefined));
      if (connections <= 2) {
        socket.destroy();
        return;
      }
      const upstream = connect(Number(address.port), address.hostname);
      sockets.add(upstream.on('error', () => undefined));
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    const { port } = proxy.address() as AddressInfo;
    const url = Object.assign(new URL(database.url), { hostname: '127.0.0.1', port: String(port) });
    const env = { DATABASE_URL: url.toString() };
    try {
      expect(await aisec(env, 'migrate', 'status')).toMatchObject({ exitCode: 4 });
      const waited = await aisec(env, 'migrate', 'status', '--wait-for-database', '30s');
      expect(waited).toMatchObject({ exitCode: 0 });
      expect(connections).toBeGreaterThan(2);
      url.password = 'wrong';
      url.pathname = '/nothing_there';
      const refused = await aisec({ DATABASE_URL: url.toString() }, 'migrate', 'status', '--wait-for-database', '1h');
      expect(refused).toMatchObject({ exitCode: 4 });
    } finally {
      proxy.close();
    }
    const ended = await aisec(
      { DATABASE_URL: `postgres://u@127.0.0.1:${port}/d`, AISEC_WAIT_FOR_DATABASE: '600ms' },
      'migrate',
      'status',
    );
    expect(ended).toMatchObject({ exitCode: 4 });
    expect(ended.durationMs).toBeGreaterThan(500);
    expect(await aisec({}, 'migrate', 'status', '--wait-for-database', '30')).toMatchObject({ exitCode: 2 });
  });
});
