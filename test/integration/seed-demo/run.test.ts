import { expect, test } from 'vitest';

import { makeBarrier, UNTIL_TOLD } from '../../support/barrier.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { startCli, type CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';

const SMALL = ['--messages', '300', '--embeddings', '10', '--users', '5'];
const LONG = ['seed', 'demo', '--messages', '20000', '--embeddings', '0'];

const envOf = ({ url }: ServerDatabase): Readonly<Record<string, string>> => ({ DATABASE_URL: url });
const demo = (database: ServerDatabase, args: readonly string[], env = {}): Promise<CliResult> =>
  runInProcess(['seed', 'demo', ...args], { env: { ...envOf(database), ...env } });

/** Waits until messages arrive in the database. */
async function waitForMessages({ admin }: ServerDatabase): Promise<void> {
  await waitFor(async () => {
    const { rowCount } = await admin.query(
      `select from pg_stat_progress_copy c join pg_class t on t.oid = c.relid
       where t.relname = 'messages' and c.datname = current_database() and c.tuples_processed > 1000`,
    );
    return rowCount === 1;
  });
}

/** What copies messages does not come past them, so that there is a middle. */
async function createHeldDatabase(): Promise<ServerDatabase> {
  const database = await createServerDatabase({ migrated: true });
  await makeBarrier(database);
  await database.admin.query(
    `create function barrier.hold() returns trigger language plpgsql as $$ begin perform ${UNTIL_TOLD}; return null; end $$;
     create trigger hold after insert on messages for each statement execute function barrier.hold()`,
  );
  return database;
}

async function waitForEnd({ admin }: ServerDatabase): Promise<void> {
  await waitFor(async () => {
    const { rowCount } = await admin.query(
      `select from pg_stat_activity where application_name = 'aisec seed demo' and datname = current_database()`,
    );
    return rowCount === 0;
  });
}

async function countRows({ admin }: ServerDatabase): Promise<number> {
  const { rows } = await admin.query(
    `select ((select count(*) from users) + (select count(*) from conversations) + (select count(*) from message_keys)
       + (select count(*) from system_settings))::int as n`,
  );
  return rows[0].n;
}

describeOnServer('aisec seed demo', () => {
  test('killed in the middle leaves nothing, and run again writes all', async () => {
    const database = await createHeldDatabase();
    const run = startCli(LONG, { env: envOf(database) });
    await waitForMessages(database);
    run.child.kill('SIGKILL');
    await run.finished;
    await waitForEnd(database);
    expect(await countRows(database)).toBe(0);
    await database.admin.query('drop trigger hold on messages');
    expect((await demo(database, SMALL)).exitCode).toBe(0);
  });

  test('interrupted stops at once with 130 and leaves nothing', async () => {
    const database = await createHeldDatabase();
    const run = startCli(LONG, { env: envOf(database) });
    await waitForMessages(database);
    run.child.kill('SIGINT');
    const result = await run.finished;
    expect(result).toMatchObject({ exitCode: 130, stdout: '' });
    expect(await countRows(database)).toBe(0);
  });

  test('lets no second run in, names itself, and tells when its own connection is cut', async () => {
    const database = await createHeldDatabase();
    const run = startCli(LONG, { env: envOf(database) });
    await waitForMessages(database);
    const second = await demo(database, SMALL);
    expect(second.exitCode).toBe(5);
    expect(second.stderr).toContain('"aisec seed demo"');
    await database.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'aisec seed demo' and datname = current_database()`,
    );
    const result = await run.finished;
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('lost the connection');
    expect(await countRows(database)).toBe(0);
  });

  test('in production is refused, whatever --yes says, but with the name of the database', async () => {
    const database = await createServerDatabase({ migrated: true });
    const env = { AISEC_ENV: 'production' };
    for (const args of [[], ['--yes'], ['--confirm', 'another']]) {
      const refused = await demo(database, [...SMALL, ...args], env);
      expect(refused).toMatchObject({ exitCode: 6, stdout: '' });
      expect(refused.stderr).toContain(database.name);
    }
    expect(await countRows(database)).toBe(0);
    expect((await demo(database, [...SMALL, '--confirm', database.name], env)).exitCode).toBe(0);
  });

  test('warns when a month is archived already, and loses no message', async () => {
    const database = await createServerDatabase({ migrated: true });
    const until = new Date().toISOString().slice(0, 10);
    await database.admin.query(`select from ensure_message_partitions(0, (now() - interval '2 months')::date)`);
    await database.admin.query(`select from aisec_archive_month((now() - interval '2 months')::date)`);
    const result = await demo(database, [...SMALL, '--months', '3', '--until', until]);
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toMatch(/warning: partition messages_archive_y\d{4}m\d\d is archived/);
    const { rows } = await database.admin.query('select count(*)::int as n from messages');
    expect(rows).toEqual([{ n: 300 }]);
  });

  test('on a database that is not migrated says so, exit 3', async () => {
    const result = await demo(await createServerDatabase(), SMALL);
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('aisec migrate up');
  });

  test('by a role that row-level security applies to is told who can', async () => {
    const database = await createServerDatabase({ migrated: true });
    const role = `${database.name}_user`;
    await database.admin.query(`create role ${role} login;
      grant select on all tables in schema public to ${role}; grant insert on users to ${role};
      grant execute on all functions in schema public to ${role}`);
    try {
      const url = Object.assign(new URL(database.url), { username: role }).toString();
      const result = await runInProcess(['seed', 'demo', ...SMALL], { env: { DATABASE_URL: url } });
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain('aisec migrate up');
      expect(await countRows(database)).toBe(0);
    } finally {
      await database.admin.query(`drop owned by ${role}; drop role ${role}`);
    }
  });
});
