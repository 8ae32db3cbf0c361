import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { build } from 'esbuild';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { describeOnServer } from '../support/database.js';
import { installPacked } from '../support/packed-package.js';
import { waitFor } from '../support/wait-for.js';
import { pgbouncer, startPgbouncer, type Pgbouncer } from '../integration/client/pgbouncer.js';
import { createServiceDatabase, userId, type ServiceDatabase } from '../integration/client/service-role.js';

const root = path.join(import.meta.dirname, '..', '..');
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

describeOnServer('A service with Hono, bundled by esbuild, behind PgBouncer in transaction mode', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-http-'));
  const lines: string[] = [];
  let service: ServiceDatabase;
  let pooler: Pgbouncer;
  let child: ChildProcess;
  let address = '';

  const ask = async (
    user: number,
    url: string,
    body?: object,
    method = 'POST',
  ): Promise<{ status: number; json: unknown }> => {
    const response = await fetch(`${address}${url}`, {
      headers: { 'x-user': userId(user) },
      ...(body !== undefined && { method, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      json: text === '' || !/^[[{"n]/.test(text) ? text : (JSON.parse(text) as unknown),
    };
  };

  beforeAll(async () => {
    expect(pgbouncer, 'pgbouncer is not installed (Debian: apt-get install pgbouncer)').toBeDefined();
    await installPacked(directory, 'zod', 'hono', '@hono/node-server');
    cpSync(path.join(root, 'test', 'fixtures', 'http-service'), directory, { recursive: true });
    const outfile = path.join(directory, 'built', 'app.mjs');
    await build({
      entryPoints: [path.join(directory, 'app.mjs')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: { js: REQUIRE },
      outfile,
      logLevel: 'error',
    });
    rmSync(path.join(directory, 'node_modules'), { recursive: true });
    service = await createServiceDatabase(3);
    await service.database.admin.query(`insert into user_preferences (user_id, theme) select id, username from users`);
    pooler = await startPgbouncer(service.url, 2);
    const redisUrl = inject('redisUrl');
    child = spawn(process.execPath, [outfile], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: pooler.url,
        LISTEN_URL: service.url,
        ...(redisUrl !== null && { REDIS_URL: redisUrl }),
      },
    });
    createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
    await waitFor(async () => lines.some((line) => line.startsWith('listening')));
    address = `http://127.0.0.1:${lines[0]?.split(' ')[1]}`;
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    await pooler?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('is ready, and says what its pool does', async () => {
    const { status, json } = await ask(1, '/readyz');
    expect({ status, json }).toMatchObject({ status: 200, json: { status: 'pass', pool: { max: 8 } } });
    expect((await ask(1, '/pool')).json).toMatchObject({ max: 8, waiting: 0 });
  });

  test('serves many users at once over two connections, each with the own rows', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => ({
        user: 1 + (index % 3),
        ...(await ask(1 + (index % 3), '/conversations')),
      })),
    );
    for (const { user, json } of answers)
      expect((json as { title: string }[]).map(({ title }) => title)).toEqual([`user${user}/1`, `user${user}/2`]);
  });

  test('takes what is valid and the own, and refuses the rest', async () => {
    const made = await ask(1, '/conversations', { title: 'new' });
    expect(made.status).toBe(201);
    const url = `/conversations/${(made.json as { id: string }).id}/messages`;
    for (const content of ['one', 'two', 'three'])
      expect((await ask(1, url, { role: 'user', content })).status).toBe(204);
    expect(await ask(1, url, { role: 'robot', content: 'x' })).toMatchObject({ status: 400 });
    expect(await ask(2, url, { role: 'user', content: 'x' })).toMatchObject({ status: 403 });
    const first = (await ask(1, url)).json as { next: string; messages: readonly { content: string }[] };
    expect(first.messages.map(({ content }) => content)).toEqual(['three', 'two']);
    const second = (await ask(1, `${url}?before=${encodeURIComponent(first.next)}`)).json;
    expect(second).toMatchObject({ messages: [{ content: 'one' }], next: null });
    expect((await ask(2, url)).json).toMatchObject({ messages: [] });
  });

  test('reads own changes from the cache at once, and those of others when they are heard', async () => {
    expect((await ask(2, '/theme')).json).toBe('user2');
    expect((await ask(2, '/theme', { theme: 'dark' }, 'PUT')).json).toBe('dark');
    expect((await ask(3, '/theme')).json).toBe('user3');
    await service.database.admin.query(`update user_preferences set theme = 'elsewhere' where user_id = $1`, [
      userId(3),
    ]);
    await waitFor(async () => (await ask(3, '/theme')).json === 'elsewhere');
  });

  test('ends on SIGTERM after the request that runs, and leaves no connection', async () => {
    const slow = fetch(`${address}/slow`, { headers: { 'x-user': userId(1), connection: 'close' } });
    await waitFor(async () => lines.includes('slow'));
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await (await slow).text()).toBe('done');
    expect(await exited).toEqual([0, null]);
    expect(lines.at(-1)).toBe('closed 0');
  });
});
