import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { sql, type Kysely } from 'kysely';
import { beforeAll, expect, test } from 'vitest';

import { createDatabase } from '../../../src/index.js';
import { createEmbeddedDirectory } from '../../support/database.js';
import { expectError } from '../../support/expect-error.js';
import {
  describeOnPrivateServer,
  startPrivateServer,
  startStandby,
  type PrivateServer,
} from '../../support/private-server.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';

const NOBODY = '127.0.0.1:1';

async function portOf(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ port: string }>`select current_setting('port') as port`.execute(db);
  return rows[0]?.port ?? '';
}

/** The port of the server that psql finds, or `none`: libpq is the oracle. */
async function psqlFinds(url: string): Promise<string> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'] ?? '' };
    execFile('psql', ['-XAtwc', "select current_setting('port')", url], { env }, (error, stdout) =>
      resolve(error === null ? stdout.trim() : 'none'),
    );
  });
}

async function poolFinds(url: string): Promise<string> {
  const db = createDatabase<unknown>({ url, poolSize: 1, maxOverflow: 0 });
  try {
    return await portOf(db);
  } catch {
    return 'none';
  } finally {
    await db.destroy();
  }
}

describeOnPrivateServer('several servers in one address', () => {
  let primary: PrivateServer;
  let standby: PrivateServer;
  let [onPrimary, onStandby] = ['', ''];
  const urlOf = (hosts: readonly string[], parameters = ''): string =>
    `postgres://postgres@${hosts.join(',')}/app?connect_timeout=60${parameters}`;
  const status = (url: string, env: Readonly<Record<string, string>> = {}) =>
    runInProcess(['migrate', 'status', '--quiet'], { env: { DATABASE_URL: url, ...env } });

  beforeAll(async () => {
    primary = await startPrivateServer({ fsync: 'off' });
    await primary.createDatabase('app', { migrated: true });
    standby = await startStandby(primary, { fsync: 'off' });
    [onPrimary, onStandby] = [new URL(primary.url).host, new URL(standby.url).host];
  });

  test.each(['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'])(
    'target_session_attrs=%s finds the server that psql finds, in either order and past one that is gone',
    async (kind) => {
      const parameters = `&target_session_attrs=${kind}`;
      const lists = [
        [onStandby, onPrimary],
        [onPrimary, onStandby],
        [NOBODY, onPrimary],
        [NOBODY, onStandby],
        [onPrimary],
      ];
      await Promise.all(
        lists.map(async (list) => {
          const url = urlOf(list, parameters);
          const [expected, pool, run] = await Promise.all([psqlFinds(url), poolFinds(url), status(url)]);
          expect({ list, pool, exitCode: run.exitCode }).toEqual({
            list,
            pool: expected,
            exitCode: expected === 'none' ? 4 : 0,
          });
        }),
      );
    },
  );

  test('the variables of libpq are lists as well, and each server that could not be had is named', async () => {
    const [, port = ''] = onPrimary.split(':');
    const env = { PGHOST: '127.0.0.1,127.0.0.1', PGPORT: `1,${port}`, PGUSER: 'postgres', PGDATABASE: 'app' };
    expect(await runInProcess(['migrate', 'status', '--quiet'], { env })).toMatchObject({ exitCode: 0 });

    const none = await status(urlOf([NOBODY, onStandby], '&target_session_attrs=primary'));
    expectError(
      none,
      4,
      'none of the servers that target_session_attrs=primary asks for could be reached',
      `127.0.0.1:1: Nothing listens there. ${onStandby}: It is a standby.`,
    );
    const noStandby = await status(urlOf([NOBODY, onPrimary], '&target_session_attrs=standby'));
    expect(noStandby.stderr).toContain(`127.0.0.1:1: Nothing listens there. ${onPrimary}: It is a primary.`);
    // A login that is refused ends the search: psql does the same.
    const stranger = urlOf([onStandby, onPrimary]).replace('postgres@', 'stranger@');
    expect(await psqlFinds(stranger)).toBe('none');
    expectError(await status(stranger), 4, 'user "stranger" may not log in', onStandby);
  });

  test('pg_dump works on the server that the command found', async () => {
    const directory = path.join(await createEmbeddedDirectory(), 'backups');
    const env = { DATABASE_URL: urlOf([NOBODY, onStandby, onPrimary], '&target_session_attrs=primary') };
    const backup = await runInProcess(['backup', '--dir', directory, '--json'], { env });
    expect(backup).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(backup.stdout)).not.toHaveProperty('standby');
    const restored = await runInProcess(['restore', String(JSON.parse(backup.stdout).file), '--create', 'copy'], {
      env,
    });
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(await psqlFinds(`${primary.url.replace(/postgres$/, 'copy')}`)).toBe(onPrimary.split(':')[1]);
  });

  test('backup and monitor work on a standby by choice, and on the primary without one', async () => {
    const directory = path.join(await createEmbeddedDirectory(), 'backups');
    const runOn = async (list: readonly string[], ...args: string[]): Promise<Record<string, unknown>> => {
      const env = { DATABASE_URL: urlOf(list, '&target_session_attrs=prefer-standby') };
      const run = await runInProcess([...args, '--json'], { env });
      expect(run).toMatchObject({ exitCode: 0 });
      return JSON.parse(run.stdout) as Record<string, unknown>;
    };
    const backup = await runOn([onPrimary, onStandby], 'backup', '--dir', directory);
    const manifest = JSON.parse(readFileSync(`${String(backup['file'])}.json`, 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ standby: { unloggedTables: [] } });
    expect(await runOn([onPrimary, onStandby], 'monitor', 'tables')).toMatchObject({
      database: expect.stringContaining(onStandby),
    });
    expect(await runOn([onPrimary, NOBODY], 'monitor', 'tables')).toMatchObject({
      database: expect.stringContaining(onPrimary),
    });
  });

  test('load_balance_hosts=random reaches all of them', async () => {
    const url = urlOf([onPrimary, onStandby], '&load_balance_hosts=random');
    const found = new Set<string>();
    await waitFor(async () => {
      found.add(await poolFinds(url));
      return found.size === 2;
    });
    expect(found).toEqual(new Set([onPrimary, onStandby].map((host) => host.split(':')[1])));
  });

  test('a pool follows the primary when a standby is promoted', async () => {
    const db = createDatabase<unknown>({
      url: urlOf([onPrimary, onStandby], '&target_session_attrs=read-write'),
      poolSize: 2,
    });
    expect(await portOf(db)).toBe(onPrimary.split(':')[1]);
    await primary.stop('immediate');
    const promoter = createDatabase<unknown>({ url: urlOf([onStandby]), poolSize: 1 });
    await sql`select pg_promote()`.execute(promoter);
    await promoter.destroy();
    await waitFor(async () => {
      const port = await portOf(db).catch(() => 'none');
      return port === onStandby.split(':')[1];
    });
    await sql`create table written_there ()`.execute(db);
    await db.destroy();
  });
});
