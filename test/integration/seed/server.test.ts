import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { makeBarrier, UNTIL_TOLD } from '../../support/barrier.js';
import { chance, rounds } from '../../support/chance.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { startCli } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { seedsDirectory } from '../../support/seeds-directory.js';
import { waitFor } from '../../support/wait-for.js';

const PASSWORD = 'only-Pferd-in-town-42';
const KILLS = rounds(3, 8);

/** Three files of which the second waits to be told. */
function slowSet(): string {
  const insert = (key: string, value: string): string =>
    `insert into system_settings (key, value) select '${key}', ${value}\nwhere not exists (select from system_settings where key = '${key}');`;
  return seedsDirectory({
    'slow/01-first.sql': insert('first', `'1'`),
    'slow/02-slow.sql': insert('slow', `to_jsonb(${UNTIL_TOLD})`),
    'slow/03-last.sql': insert('last', 'to_jsonb(md5(current_setting($$aisec.admin_password$$)))'),
  });
}

const slowArgs = (dir: string): readonly string[] => ['seed', '--set', 'slow', '--seeds-dir', dir];
const envOf = ({ url }: ServerDatabase): Readonly<Record<string, string>> => ({
  DATABASE_URL: url,
  AISEC_ADMIN_PASSWORD: PASSWORD,
});

async function waitForSleep({ admin }: ServerDatabase): Promise<void> {
  await waitFor(async () => {
    const { rowCount } = await admin.query(
      `select from pg_stat_activity where application_name = 'aisec seed' and wait_event = 'PgSleep' and datname = current_database()`,
    );
    return rowCount === 1;
  });
}

async function keysOf({ admin }: ServerDatabase): Promise<readonly string[]> {
  const { rows } = await admin.query('select key from system_settings order by key');
  return rows.map((row) => row.key);
}

describeOnServer('aisec seed', () => {
  test('two at once: one works, the other exits 5 naming it, and with --wait has nothing to do', async () => {
    const database = await createServerDatabase({ migrated: true });
    const { tell } = await makeBarrier(database);
    const args = slowArgs(slowSet());
    const env = envOf(database);
    const first = startCli(args, { env });
    await waitForSleep(database);
    const waiting = startCli([...args, '--wait', '120s'], { env });
    const refused = await runInProcess(args, { env });
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toContain('"aisec seed"');
    await tell();
    expect((await first.finished).exitCode).toBe(0);
    const second = await waiting.finished;
    expect(second.exitCode).toBe(0);
    expect(second.stderr).toContain('nothing to do');
    expect(await keysOf(database)).toEqual(['first', 'last', 'slow']);
  });

  test('killed -9 in the middle keeps nothing, and completes when it is run again', async () => {
    const database = await createServerDatabase({ migrated: true });
    const { tell } = await makeBarrier(database);
    const args = slowArgs(slowSet());
    const env = envOf(database);
    const killed = startCli(args, { env });
    await waitForSleep(database);
    killed.child.kill('SIGKILL');
    await killed.finished;
    expect(await keysOf(database)).toEqual([]);
    await tell();
    const again = await runInProcess([...args, '--wait', '120s', '--json'], { env });
    expect(JSON.parse(again.stdout)).toMatchObject({ rows: 3 });
    expect(await keysOf(database)).toEqual(['first', 'last', 'slow']);
  });

  test(`killed -9 at random, ${KILLS} times, has written all of the initial set or nothing`, async () => {
    const database = await createServerDatabase({ migrated: true });
    const env = envOf(database);
    const random = chance();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await database.admin.query('truncate system_settings, users cascade');
      const running = startCli(['seed'], { env });
      await waitFor(async () => {
        const { rowCount } = await database.admin.query(
          `select from pg_stat_activity where application_name = 'aisec seed' and datname = current_database()`,
        );
        return rowCount === 1 || running.child.exitCode !== null;
      });
      await sleep(random() * 400);
      running.child.kill('SIGKILL');
      await running.finished;
      const { rows } = await database.admin.query(
        'select (select count(*)::int from system_settings) as settings, (select count(*)::int from users) as users',
      );
      expect([
        { settings: 0, users: 0 },
        { settings: 4, users: 1 },
      ]).toContainEqual(rows[0]);
    }
    expect((await runInProcess(['seed', '--wait', '120s'], { env })).exitCode).toBe(0);
    const { rows } = await database.admin.query(
      `select (select count(*)::int from system_settings) as settings, verify_password($1, password_hash) as accepts,
              verify_password('admin123', password_hash) as known from users`,
      [PASSWORD],
    );
    expect(rows).toEqual([{ settings: 4, accepts: true, known: false }]);
  });

  test('interrupted by SIGTERM exits 143 and keeps nothing', async () => {
    const database = await createServerDatabase({ migrated: true });
    await makeBarrier(database);
    const running = startCli(slowArgs(slowSet()), { env: envOf(database) });
    await waitForSleep(database);
    running.child.kill('SIGTERM');
    expect((await running.finished).exitCode).toBe(143);
    expect(await keysOf(database)).toEqual([]);
  });

  test('never has the password in a statement, in the list of processes, or in its output', async () => {
    const database = await createServerDatabase({ migrated: true });
    const { tell } = await makeBarrier(database);
    const dir = seedsDirectory({
      'own/01-password.sql': `insert into system_settings (key, value) values ('hash', to_jsonb(md5(current_setting('aisec.admin_password'))));`,
      'own/02-slow.sql': `insert into system_settings (key, value) values ('slow', to_jsonb(${UNTIL_TOLD}));`,
    });
    const running = startCli(['seed', '--set', 'own', '--seeds-dir', dir, '--json', '--verbose'], {
      env: envOf(database),
    });
    const seen: string[] = [];
    let statements = 0;
    while (running.child.exitCode === null) {
      const { rows } = await database.admin.query('select query from pg_stat_activity where pid <> pg_backend_pid()');
      statements += rows.filter(
        (row) => String(row.query).includes('set_config') || String(row.query).includes(UNTIL_TOLD),
      ).length;
      seen.push(
        ...rows.map((row) => String(row.query)),
        execFileSync('ps', ['-eww', '-o', 'args'], { encoding: 'utf8' }),
      );
      if (statements > 0) await tell();
      await sleep(20);
    }
    const result = await running.finished;
    expect(result.exitCode).toBe(0);
    expect(statements).toBeGreaterThan(0);
    expect(seen.join('\n') + result.stdout + result.stderr).not.toContain(PASSWORD);
    // And the setting ends with its transaction.
    expect(JSON.parse(result.stdout)).toMatchObject({ rows: 2, adminPassword: 'given' });
  });

  test('warns when the server would log the password and the role may not stop that', async () => {
    const database = await createServerDatabase();
    const role = `${database.name}_role`;
    await database.admin.query(
      `create role ${role} login;
       create table vault (secret text primary key);
       alter table vault owner to ${role};
       grant create on schema public to ${role};
       alter database ${database.name} set log_min_duration_statement = '1h'`,
    );
    const dir = seedsDirectory({
      'own/01-vault.sql': `insert into vault values (current_setting('aisec.admin_password')) on conflict do nothing;`,
    });
    const args = ['seed', '--set', 'own', '--seeds-dir', dir];
    const asRole = new URL(database.url);
    asRole.username = role;
    try {
      const result = await runInProcess(args, { env: { ...envOf(database), DATABASE_URL: asRole.href } });
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain('warning: the server logs statements with their parameters');
      const superuser = await runInProcess(args, { env: envOf(database) });
      expect(superuser.stderr).not.toContain('warning');
    } finally {
      await database.admin.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('works in another schema, and on one that is not migrated says what to run', async () => {
    const database = await createServerDatabase();
    const env = { ...envOf(database), AISEC_SCHEMA: 'My App' };
    const early = await runInProcess(['seed', '--json'], { env });
    expect(early.exitCode).toBe(3);
    expect(JSON.parse(early.stderr)).toMatchObject({
      error: { code: 'MIGRATION_PENDING', hint: 'Run: aisec migrate up', sqlState: '42P01' },
    });
    expect((await runInProcess(['migrate', 'up', '--quiet'], { env })).exitCode).toBe(0);
    expect((await runInProcess(['seed'], { env })).exitCode).toBe(0);
    const { rows } = await database.admin.query(
      `select (select count(*)::int from "My App".system_settings) as settings, username from "My App".users`,
    );
    expect(rows).toEqual([{ settings: 4, username: 'admin' }]);
  });

  test('names the session that holds a row it needs, exit 5', async () => {
    const database = await createServerDatabase({ migrated: true });
    await database.admin.query(`begin; insert into system_settings (key, value) values ('app_version', '1')`);
    const result = await runInProcess(['seed'], { env: envOf(database) });
    await database.admin.query('rollback');
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toMatch(/Blocked by pid \d+ "test admin"/);
  });
});
