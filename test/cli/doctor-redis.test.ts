import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { faultsOf } from '../../src/features/doctor/versions/faults-of.js';
import { REDIS_FAULTS, VALKEY_FAULTS } from '../../src/features/doctor/versions/known-faults.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { needsRedis } from '../support/needs.js';
import { createRedisProcess, type RedisProcess } from '../support/redis-process.js';
import { runInProcess } from '../support/run-in-process.js';

const password = 'not-to-be-shown';

interface Diagnosis {
  readonly durationMs: number;
  readonly findings: readonly Readonly<Record<'id' | 'severity' | 'message' | 'fix', string>>[];
  readonly skipped: readonly { readonly check: string; readonly message: string }[];
}

describeOnServer(`aisec doctor of Redis ${needsRedis}`, () => {
  let database: ServerDatabase;
  let redis: RedisProcess;
  let redisUrl = '';
  let client: Redis;

  const doctor = async (url: string): Promise<Diagnosis> => {
    const run = await runInProcess(['doctor', '--only', 'redis', '--json'], {
      env: { DATABASE_URL: database.url, REDIS_URL: url },
    });
    expect(run.stdout + run.stderr).not.toContain(password);
    return JSON.parse(run.stdout) as Diagnosis;
  };
  const found = async (url = redisUrl): Promise<readonly string[]> =>
    (await doctor(url)).findings.map(({ id, severity }) => `${severity} ${id.split(':')[0]}`);

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    redis = await createRedisProcess(['--requirepass', password]);
    await redis.start(password);
    redisUrl = redis.url.replace('redis://', `redis://:${password}@`);
    client = new Redis(redisUrl);
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.remove();
  });

  test('memory: a notice without a limit, a warning without eviction, critical when nearly full, nothing with eviction', async () => {
    expect(await found()).toEqual(['notice redis-memory']);
    await client.config('SET', 'maxmemory', '100mb');
    expect(await found()).toEqual(['warning redis-memory']);
    await client.set('filler', 'x'.repeat(18_000_000));
    await client.config('SET', 'maxmemory', '19mb');
    expect(await found()).toEqual(['critical redis-memory']);
    const [finding] = (await doctor(redisUrl)).findings;
    expect(finding!.message).toMatch(/noeviction\) at its limit of 19 MB, \d+ % in use$/);
    expect(finding!.fix).toMatch(/^redis-cli config set maxmemory-policy allkeys-lru$/m);
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await found()).toEqual([]);
  });

  test('its version is held against the faults that are known of it', async () => {
    const info = await client.info('server');
    const [, product = '', version = ''] =
      /^(valkey)_version:([\d.]+)/m.exec(info) ?? /^(redis)_version:([\d.]+)/m.exec(info) ?? [];
    const run = await runInProcess(['doctor', '--only', 'version-redis', '--json'], {
      env: { DATABASE_URL: database.url, REDIS_URL: redisUrl },
    });
    const expected = faultsOf(version, product === 'valkey' ? VALKEY_FAULTS : REDIS_FAULTS).map(({ name }) => name);
    const { findings } = JSON.parse(run.stdout) as Diagnosis;
    expect(findings.flatMap(({ message }) => message.match(/CVE-[\d-]+/g) ?? [])).toEqual(expected);
    expect(findings.every(({ severity }) => severity === 'notice')).toBe(true);
  });

  test('a replica and data that cannot be saved are told, since neither takes a write', async () => {
    await client.replicaof('127.0.0.1', '1');
    expect(await found()).toEqual(['critical redis-replica']);
    await client.replicaof('NO', 'ONE');
    await client.config('SET', 'save', '3600 1');
    await client.config('SET', 'rdbcompression', 'no');
    // A directory in the place of the file that it writes.
    const [, directory] = (await client.config('GET', 'dir')) as unknown as [string, string];
    const { mkdir } = await import('node:fs/promises');
    await mkdir(`${directory}/dump.rdb/full`, { recursive: true });
    await expect(client.save()).rejects.toThrow();
    await client.bgsave();
    await expect.poll(() => found()).toEqual(['critical redis-save']);
  });

  test('one that is gone, silent, or refuses the login is a finding, and nothing of it is called well', async () => {
    const skipped = ['redis-version', 'redis-memory', 'redis-replica', 'redis-save'];
    redis.pause();
    const paused = await doctor(redisUrl);
    redis.resume();
    for (const [diagnosis, what] of [
      [paused, /^Redis at 127.0.0.1:\d+ did not answer within 1500 ms/],
      [await doctor(redisUrl.replace('not-to', 'wrong')), /refused the login \(It says: WRONGPASS/],
      [
        await doctor(`redis://:${password}@127.0.0.1:1`),
        /^could not reach Redis at 127.0.0.1:1 \(Nothing listens there\)$/,
      ],
    ] as const) {
      expect(diagnosis.findings).toMatchObject([{ severity: 'warning', message: expect.stringMatching(what) }]);
      expect(diagnosis.findings[0]!.id).toMatch(/^redis-unreachable:127\.0\.0\.1:\d+$/);
      expect(diagnosis.skipped.map(({ check }) => check)).toEqual(skipped);
    }
  });

  test('a user who may not ask it, and no REDIS_URL, are skips with what would allow it; a wrong URL is refused, exit 2', async () => {
    await client.acl('SETUSER', 'low', 'on', `>${password}`, '~*', '+@all', '-info');
    const low = await doctor(redisUrl.replace('redis://:', 'redis://low:'));
    expect(low.findings).toEqual([]);
    expect(new Set(low.skipped.map(({ message }) => message))).toEqual(
      new Set(['the user of REDIS_URL may not run INFO; acl setuser NAME +info allows it']),
    );
    const env = { DATABASE_URL: database.url };
    const unset = await runInProcess(['doctor', '--only', 'redis'], { env });
    expect(unset).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('REDIS_URL is not set') });
    const wrong = await runInProcess(['doctor'], { env: { ...env, REDIS_URL: `http://:${password}@x` } });
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr).not.toContain(password);
  });
});
