import { afterAll, beforeAll, expect, test } from 'vitest';

import { createCache, type Cache } from '../../src/index.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { needsRedis } from '../support/needs.js';
import { createRedisProcess, type RedisProcess } from '../support/redis-process.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

const user = '10000000-0000-4000-8000-000000000001';
const password = 'not-to-be-shown';

describeOnServer(`aisec cache ${needsRedis}`, () => {
  let database: ServerDatabase;
  let redis: RedisProcess;
  let redisUrl = '';
  let service: Cache | undefined;
  let changes = 0;

  const aisec = async (...args: readonly string[]): Promise<CliResult> => {
    const run = await runInProcess(['cache', ...args], { env: { DATABASE_URL: database.url, REDIS_URL: redisUrl } });
    expect(run.stdout + run.stderr).not.toContain(password);
    return run;
  };
  const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const run = await aisec(...args, '--json');
    expect({ stderr: run.stderr, exitCode: run.exitCode }).toMatchObject({ exitCode: 0 });
    return JSON.parse(run.stdout) as Record<string, unknown>;
  };
  const theme = async (): Promise<string | null | undefined> => (await service!.preferences(user))?.theme;

  /**
   * Waits until all `reads` come from Redis. One that gets no turn for a moment is not waited for, and the database answers then;
   * what was read there is in Redis a moment later.
   */
  const readFromRedis = (reads: () => Promise<number>): Promise<void> =>
    waitFor(async () => {
      const before = service!.status();
      const count = await reads();
      const { databaseReads, redisHits } = service!.status();
      return databaseReads === before.databaseReads && redisHits === before.redisHits + count;
    });

  /**
   * Changes the row without the triggers that notify the cache, and returns the new value and what check says of it. A message of
   * before that comes late takes the entry away, in which case there is nothing wrong, and it is done again.
   */
  const changeUnseen = async (): Promise<readonly [string, CliResult]> => {
    for (;;) {
      await readFromRedis(async () => {
        await theme();
        return 1;
      });
      changes += 1;
      const value = `new ${changes}`;
      await database.admin.query(
        `begin; alter table user_preferences disable trigger user; update user_preferences set theme = '${value}'; alter table user_preferences enable trigger user; commit`,
      );
      const check = await aisec('check');
      if (check.exitCode === 3) return [value, check];
      expect(check).toMatchObject({ exitCode: 0 });
    }
  };

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(
      `insert into users (id, username, email, password_hash) values ('${user}', 'u', 'u@x', 'h');
       insert into user_preferences (user_id, theme) values ('${user}', 'old');
       insert into assistants (user_id, name) values ('${user}', 'a');
       insert into system_settings (key, value) values ('limit', '1')`,
    );
    redis = await createRedisProcess(['--requirepass', password]);
    await redis.start(password);
    redisUrl = redis.url.replace('redis://', `redis://:${password}@`);
  });
  afterAll(async () => {
    await service?.close();
    await redis?.remove();
  });

  test('is of no use to anybody before a service shares it', async () => {
    expect(await json('status')).toMatchObject({ isShared: false, listeners: 0, tables: [{ entries: 0 }, {}, {}] });
    expect(await json('warm', '--dry-run')).toMatchObject({ isDryRun: true, entries: 3, users: 1 });
    expect((await json('flush', '--dry-run'))['keys']).toBe(0);
    const warm = await aisec('warm');
    expect(warm.stderr).toContain('no service shares the cache now');
    expect((await json('sync'))['compared']).toBe(0);
    expect((await json('flush', '--dry-run'))['keys']).toBe(3 + 3);
  });

  test('is filled for a service, compared with the database, repaired and emptied', async () => {
    service = createCache({ url: database.url, redisUrl, localTtlMs: 0 });
    expect(await service.ready(120_000)).toBe(true);
    expect(await json('warm')).toMatchObject({ settings: 1, users: 1, entries: 3, isShared: true });
    expect(await json('status')).toMatchObject({
      isShared: true,
      tables: [{ entries: 1 }, { entries: 1 }, { entries: 1 }],
    });
    await readFromRedis(async () => {
      const read = [await theme(), (await service!.assistants(user)).length, (await service!.setting('limit'))?.value];
      expect(read).toEqual(['old', 1, 1]);
      return read.length;
    });

    const [first, check] = await changeUnseen();
    expect(check.stdout).toBe(`table\tuser\tentry\nuser_preferences\t${user}\trow\n`);
    expect(await json('sync')).toMatchObject({
      compared: 3,
      differences: [{ table: 'user_preferences', userId: user }],
    });
    expect(await theme()).toBe(first);

    const [second] = await changeUnseen();
    const flush = await aisec('flush');
    expect(flush.exitCode).toBe(0);
    expect(await theme()).toBe(second);
    await waitFor(() => service!.ready());
  });

  test('says in one line what is wrong', async () => {
    const env = { DATABASE_URL: database.url };
    expectError(await runInProcess(['cache', 'status'], { env }), 2, 'no Redis is configured');
    expectError(
      await runInProcess(['cache', 'flush'], { env: { REDIS_URL: redisUrl } }),
      2,
      'the cache belongs to a server',
    );
    const wrong = redisUrl.replace(password, 'wrong');
    expectError(
      await runInProcess(['cache', 'status'], { env: { ...env, REDIS_URL: wrong } }),
      4,
      'Redis at 127.0.0.1',
    );
    expectError(
      await runInProcess(['cache', 'warm'], { env: { ...env, REDIS_URL: `redis://:${password}@127.0.0.1:1` } }),
      4,
      'could not reach Redis at 127.0.0.1:1',
      'Nothing listens there.',
    );
  });
});
