import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { needsRedis } from '../support/needs.js';
import { createRedisProcess, type RedisProcess } from '../support/redis-process.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { waitFor } from '../support/wait-for.js';

/** Each works on tables of the platform. */
const COMMANDS: readonly (readonly string[])[] = [
  ['migrate', 'check'],
  ['migrate', 'drift'],
  ['migrate', 'baseline', '--dry-run'],
  ['migrate', 'repair', '--dry-run'],
  ['migrate', 'diagram'],
  ['seed'],
  ['seed', 'demo', '--yes'],
  ['partitions', 'list'],
  ['partitions', 'check'],
  ['partitions', 'check', '--keys'],
  ['partitions', 'ensure'],
  ['partitions', 'rebuild-keys'],
  ['partitions', 'rebuild-keys', '--dry-run'],
  ['archive'],
  ['archive', 'list'],
  ['archive', 'restore', '2024-01'],
  ['archive', 'prune', '--older-than', '3y', '--dry-run'],
  ['user', 'export', 'somebody', '--out', 'somebody'],
  ['user', 'erase', 'somebody', '--dry-run'],
  ['subset', '--users', '5', '--mask', '--out', 'subset'],
  ['types', 'generate', '--source', 'database', '--out', 'types.ts'],
  ['monitor'],
  ['monitor', 'tables'],
  ['monitor', 'partitions'],
  ['monitor', 'indexes'],
  ['monitor', 'vacuum'],
  ['monitor', 'growth'],
  ['monitor', 'record'],
  ['monitor', 'report', '--out', 'report.html'],
  ['vector', 'status'],
  ['vector', 'check'],
  ['vector', 'rebuild'],
  ['vector', 'tune'],
  ['cache', 'status'],
  ['cache', 'check'],
  ['cache', 'warm'],
  ['cache', 'warm', '--dry-run'],
  ['cache', 'sync'],
  ['cache', 'flush'],
  ['doctor'],
];

describeOnServer(`a database without what a command needs ${needsRedis}`, () => {
  let redis: RedisProcess;
  let database: ServerDatabase;
  const cwd = temporaryDirectory();

  beforeAll(async () => {
    redis = await createRedisProcess();
    await redis.start();
    database = await createServerDatabase();
    return () => redis.remove();
  });

  const aisec = (args: readonly string[], url = database.url): Promise<CliResult> =>
    runInProcess(args, {
      cwd,
      env: {
        DATABASE_URL: url,
        REDIS_URL: redis.url,
        AISEC_ADMIN_PASSWORD: 'kq7-Wz9mTr-4421x',
        AISEC_CACHE_DIR: path.join(cwd, 'cache'),
      },
    });

  test.each(COMMANDS.map((args) => [args.join(' '), args] as const))(
    'aisec %s on one that is not migrated is exit 3 and says what to run',
    async (_name, args) => {
      const { exitCode, stdout, stderr } = await aisec(args);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 3 });
      expect(stdout + stderr).toContain('aisec migrate up');
    },
  );

  test('on one that has only the first migrations, too', async () => {
    const { url } = await createServerDatabase();
    expect(await aisec(['migrate', 'up', '--to', '0010_messages_archive'], url)).toMatchObject({ exitCode: 0 });
    for (const args of [
      ['seed'],
      ['seed', 'demo', '--yes'],
      ['partitions', 'ensure'],
      ['archive'],
      ['monitor', 'record'],
      ['cache', 'warm'],
      ['vector', 'status'],
      ['user', 'erase', 'somebody', '--dry-run'],
    ]) {
      const { exitCode, stderr } = await aisec(args, url);
      expect({ args, exitCode, stderr }).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('hint: Run: aisec migrate up') as string,
      });
    }
  });

  test('cache warm of a role that may not act as authenticated names the grant', async () => {
    const { url, admin, name } = await createServerDatabase({ migrated: true });
    const role = `${name}_warm`;
    await admin.query(
      `create role ${role} login password 'x'; grant usage on schema public to ${role}; grant select on users to ${role}`,
    );
    try {
      const own = Object.assign(new URL(url), { username: role, password: 'x' }).toString();
      const refused = await aisec(['cache', 'warm'], own);
      expect(refused).toMatchObject({ exitCode: 1 });
      const [, fix] = /run: (grant .*;)$/m.exec(refused.stderr) ?? [];
      expect(fix).toBe(`grant authenticated to "${role}" with inherit false, set true;`);
      await admin.query(fix ?? '');
      expect(await aisec(['cache', 'warm'], own)).toMatchObject({ exitCode: 0 });
    } finally {
      await admin.query(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });

  test.each(['statement_timeout', 'idle_session_timeout', 'transaction_timeout'])(
    'cache warm and cache status work where the role has a limit of milliseconds: %s',
    async (setting) => {
      const { url, admin, name } = await createServerDatabase({ migrated: true });
      const { rows } = await admin.query('select from pg_catalog.pg_settings where name = $1', [setting]);
      if (rows.length === 0) return;
      const role = `${name}_hasty`;
      const limit = setting === 'statement_timeout' ? '2ms' : '10ms';
      await admin.query(
        `create role ${role} login superuser password 'x'; alter role ${role} set ${setting} = '${limit}'`,
      );
      try {
        const own = Object.assign(new URL(url), { username: role, password: 'x' }).toString();
        // A busy machine may need as long to log in, before anything can be set.
        for (const verb of ['warm', 'status'])
          await waitFor(async () => (await aisec(['cache', verb], own)).exitCode === 0);
      } finally {
        await admin.query(`drop role ${role}`);
      }
    },
  );
});
