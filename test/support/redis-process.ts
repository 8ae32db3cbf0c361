import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { inject } from 'vitest';

import type {} from './provided.js';
import { waitFor } from './wait-for.js';

/** A Redis of a test's own, on a port of its own, that can be killed, paused and started again. */
export interface RedisProcess {
  readonly url: string;
  /** Starts it, with the data of the last `save`, and waits until it answers. */
  start(password?: string): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Writes the data to disk, for the next start. */
  save(): Promise<void>;
  /** Every key. */
  keys(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/**
 * Of this process until the run ends, also while its Redis is down: below the ports that the system gives away, and of the servers
 * of test/support/services.
 */
async function ownPort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    try {
      mkdirSync(path.join(inject('runDirectory'), `redis-port-${port}`));
    } catch {
      continue;
    }
    if (await isFree(port)) return port;
  }
}

async function ask<Answer>(
  port: number,
  question: (redis: Redis) => Promise<Answer>,
  password?: string,
): Promise<Answer> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    ...(password && { password }),
    lazyConnect: true,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** @param program `redis-server`, or `valkey-server`, which takes the same options; default: AISEC_TEST_REDIS_PROGRAM, else Redis */
export async function createRedisProcess(
  options: readonly string[] = [],
  program = process.env['AISEC_TEST_REDIS_PROGRAM'] ?? 'redis-server',
): Promise<RedisProcess> {
  const port = await ownPort();
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-redis-'));
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    async start(password) {
      const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory, ...options];
      child = spawn(program, args, { stdio: 'ignore' });
      await waitFor(() =>
        ask(port, (redis) => redis.ping(), password).then(
          () => true,
          () => false,
        ),
      );
    },
    kill,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    save: () => ask(port, async (redis) => void (await redis.save())),
    keys: () => ask(port, (redis) => redis.keys('*')),
    async remove() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
