import path from 'node:path';

import pg from 'pg';
import { expect, test } from 'vitest';

import { compareCatalogs } from '../../src/features/backup/verify/compare-catalogs.js';
import { snapshotOf } from '../support/catalog.js';
import { databaseAddress } from '../support/database-address.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { describeOnPrivateServer, startPrivateServer } from '../support/private-server.js';
import { runInProcess } from '../support/run-in-process.js';
import { takeBackup } from '../support/take-backup.js';

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Inserts messages until it is told to stop. */
async function writeTraffic(url: string, isOver: () => boolean, onWritten: () => void): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let written = 0;
  try {
    for (; !isOver(); written += 1) {
      await client.query(
        "insert into messages (conversation_id, role, content) select id, 'user', 'traffic' from conversations limit 1",
      );
      onWritten();
    }
    return written;
  } finally {
    await client.end();
  }
}

describeOnPrivateServer('the restore drill', () => {
  test('a lost server is brought back on a new one, with its roles', { timeout: 600_000 }, async () => {
    const file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    const lost = await startPrivateServer({ fsync: 'off' });
    const url = await lost.createDatabase('app', { migrated: true });
    const seeded = await runInProcess(['seed', 'demo', '--users', '20', '--messages', '2000', '--yes'], {
      env: { DATABASE_URL: url },
    });
    expect(seeded).toMatchObject({ exitCode: 0 });
    await query(url, 'create role chat_service login');
    await query(url, 'grant authenticated to chat_service with inherit false');
    await query(url, "alter database app set search_path to 'public', 'pg_temp'");

    let isOver = false;
    let traffic: Promise<number> = Promise.resolve(0);
    await new Promise<void>((resolve, reject) => {
      traffic = writeTraffic(url, () => isOver, resolve);
      traffic.catch(reject);
    });
    try {
      await takeBackup(url, file);
    } finally {
      isOver = true;
    }
    expect(await traffic).toBeGreaterThan(0);
    const catalog = await snapshotOf(url);
    await lost.remove();

    const fresh = await startPrivateServer({ fsync: 'off' });
    const env = { DATABASE_URL: databaseAddress(fresh.url, 'app') };
    const without = await runInProcess(['restore', file, '--create', 'app'], { env });
    expectError(without, 3, 'cannot restore to ', 'role "authenticated" is missing');
    expectError(
      await runInProcess(['restore', file, '--replace'], { env }),
      3,
      'cannot restore to ',
      'give --create app',
    );

    const restored = await runInProcess(['restore', file, '--create', 'app', '--globals', '--json'], { env });
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(restored.stdout).rows).toBeGreaterThan(2000);
    expect(compareCatalogs(catalog, await snapshotOf(env.DATABASE_URL), { withGrants: true })).toEqual([]);
    expect(
      await query(
        env.DATABASE_URL,
        `select pg_has_role('chat_service', 'authenticated', 'member') as member, rolcanlogin as login,
           current_setting('search_path') as path
         from pg_roles where rolname = 'chat_service'`,
      ),
    ).toEqual([{ member: true, login: true, path: 'public, pg_temp' }]);
    expect(await runInProcess(['migrate', 'check'], { env })).toMatchObject({ exitCode: 0 });
  });
});
