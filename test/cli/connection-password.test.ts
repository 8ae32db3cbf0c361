import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { runCli, type CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { writeMigrations } from '../support/migrations-folder.js';

const migrations = writeMigrations({ '0001_a': 'create table a (id int);' });
const scratch = mkdtempSync(path.join(tmpdir(), 'aisec-test-connection-'));
afterAll(() => {
  for (const directory of [migrations, scratch]) rmSync(directory, { recursive: true });
});

function status(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> {
  return runInProcess(['migrate', 'status', '--migrations-dir', `aisec=${migrations}`, ...args], { env });
}

function up(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> {
  return runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${migrations}`, ...args], { env });
}

describeOnServer('a password', () => {
  // The server of test/support/services asks this role, and no other, for its password.
  const role = 'aisec_test_password';
  const secret = `S3cr3t:/?#%@ ${randomBytes(6).toString('hex')}`;
  let database: ServerDatabase;
  let libpq: Record<string, string> = {};
  let isAsked = false;
  beforeAll(async () => {
    database = await createServerDatabase();
    await database.admin.query(
      `do $$ begin if not exists (select from pg_roles where rolname = '${role}') then create role ${role} login; end if; end $$`,
    );
    await database.admin.query(`alter role ${role} login password '${secret}'`);
    const { hostname, port } = new URL(inject('databaseUrl') ?? '');
    libpq = { PGHOST: hostname, PGPORT: port, PGUSER: role, PGDATABASE: database.name };
    isAsked = (await status({ ...libpq, PGPASSWORD: 'wrong' })).exitCode === 4;
  });

  afterAll(async () => {
    await database.admin.query(`drop owned by ${role}`);
    await database.admin.query(`drop role ${role}`);
  });

  function urlWith(password: string): string {
    return `postgres://${role}:${encodeURIComponent(password)}@${libpq['PGHOST']}:${libpq['PGPORT']}/${database.name}`;
  }

  /** `host:port:database:user:password`, colons and backslashes of the password escaped. */
  function passFile(password: string, mode = 0o600, home = mkdtempSync(path.join(scratch, 'home-'))): string {
    const line = ['*', '*', database.name, role, password.replaceAll(/[\\:]/g, String.raw`\$&`)].join(':');
    writeFileSync(path.join(home, '.pgpass'), `${line}\n`, { mode });
    return home;
  }

  it('is taken from the URL, PGPASSWORD, ~/.pgpass, PGPASSFILE, a service, a URL file and .env', async () => {
    expect(isAsked, 'the test server does not ask for this password').toBe(true);
    const home = passFile(secret);
    const services = path.join(scratch, 'services-with-password');
    writeFileSync(services, `[app]\npassword=${secret}\n`);
    const urlFile = path.join(scratch, 'url-with-password');
    writeFileSync(urlFile, urlWith(secret), { mode: 0o600 });
    const cwd = mkdtempSync(path.join(scratch, 'cwd-'));
    writeFileSync(path.join(cwd, '.env'), `PGPASSFILE=${path.join(home, '.pgpass')}\n`);
    const runs = await Promise.all([
      status({ DATABASE_URL: urlWith(secret) }),
      status({ ...libpq, PGPASSWORD: secret }),
      status({ ...libpq, HOME: home }),
      status({ ...libpq, PGPASSFILE: path.join(home, '.pgpass') }),
      status({ ...libpq, PGSERVICEFILE: services, PGSERVICE: 'app' }),
      status({}, '--database-url-file', urlFile),
      runCli(['migrate', 'status', '--migrations-dir', `aisec=${migrations}`], { cwd, env: libpq }),
    ]);
    for (const run of runs) {
      expect(run.exitCode, run.stderr).toBe(0);
      expect(run.stderr).not.toContain('Warning');
    }
  });

  it('that is wrong, missing, or in a file that others may read is told', async () => {
    expectError(await status({ ...libpq, PGPASSWORD: 'wrong' }), 4, `user "${role}" was refused with this password`);
    expectError(await status(libpq), 4, `user "${role}" needs a password`, 'PGPASSWORD');
    const home = passFile(secret, 0o644);
    expectError(
      await status({ ...libpq, HOME: home }),
      4,
      `user "${role}" needs a password`,
      `chmod 600 ${home}/.pgpass`,
    );
  });

  it('is nowhere to be seen: not in the output, not in errors, not in the list of processes', async () => {
    const wrong = `wrong-${secret}`;
    const encoded = encodeURIComponent(secret);
    const bad = [
      { DATABASE_URL: urlWith(wrong) },
      { DATABASE_URL: urlWith(secret).replace(/:\d+\//, ':1/') },
      { DATABASE_URL: `${urlWith(secret)}?nope=1` },
      { DATABASE_URL: urlWith(secret).replace(encoded, secret) },
      { DATABASE_URL: urlWith(secret).replace('postgres:', 'mysql:') },
      { DATABASE_URL: `${urlWith(secret)}?sslmode=require` },
      { ...libpq, PGPASSWORD: wrong },
      { ...libpq, PGPASSWORD: secret, PGDATABASE: 'aisec_test_missing' },
      { DATABASE_URL: urlWith(secret) },
    ];
    const runs: CliResult[] = [];
    for (const env of bad)
      runs.push(
        await status(env, '--verbose'),
        await status(env, '--json'),
        await up({ ...env, AISEC_SCHEMA: 'nope' }, '--verbose'),
      );
    const flag = await status({}, '--database-url', urlWith(secret), '--verbose');
    for (const run of [...runs, flag]) {
      expect(`${run.stdout}${run.stderr}`).not.toContain(secret);
      expect(`${run.stdout}${run.stderr}`).not.toContain(encoded);
      expect(`${run.stdout}${run.stderr}`).not.toContain(secret.slice(-12));
    }
    expect(runs.filter((run) => run.exitCode === 0)).toHaveLength(2);
  });
});
