import { request } from 'node:http';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { BUSY_SERVER } from '../support/busy-server.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { runCli, startCli, type RunningCli } from '../support/run-cli.js';
import { waitFor } from '../support/wait-for.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** fetch() does not let a test choose the name that it asks for. */
function ask(url: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    })
      .on('error', reject)
      .end();
  });
}

describeOnServer('monitor serve', () => {
  let database: ServerDatabase;
  let server: RunningCli;
  let url: string;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    server = startCli(['monitor', 'serve', '--port', '0'], {
      env: { DATABASE_URL: database.url, AISEC_THRESHOLDS: BUSY_SERVER },
      timeoutMs: 600_000,
    });
    await server.waitForOutput('Ready: ');
    url = server.stdout().trim();
  });
  afterAll(() => {
    server.child.kill('SIGKILL');
  });

  test('shows the report to those who have the address, and to no other', async () => {
    const { status, headers, text } = await ask(url);
    expect(status).toBe(200);
    expect(text).toContain('<h2>What to do now</h2>');
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    const [, nonce] = /script-src 'nonce-([^']+)'/.exec(String(headers['content-security-policy'])) ?? [];
    expect(text.match(/<script[^>]*>/g)).toEqual([`<script nonce="${nonce}">`]);

    const { origin, host, pathname } = new URL(url);
    expect(pathname.length).toBeGreaterThan(30);
    for (const other of ['/', `${pathname}x`, pathname.slice(0, -2), `/${'a'.repeat(32)}/`])
      expect((await ask(origin + other)).status, other).toBe(404);
    // A name of another site that was made to mean this machine.
    expect((await ask(url, { headers: { host: `evil.example:${host.split(':')[1]}` } })).status).toBe(421);
    expect((await ask(url, { method: 'POST' })).status).toBe(405);
  });

  test('reads again only when something has happened, on one connection', async () => {
    let etag = '';
    // What the migrations have written is counted within a second, which makes one page more.
    await waitFor(async () => {
      const { status, headers } = await ask(url, { headers: { 'if-none-match': etag } });
      etag = String(headers['etag']);
      return status === 304;
    });
    await database.admin.query(
      "create table came_later as select n, repeat('x', 100) as filler from generate_series(1, 5000) as n",
    );
    await waitFor(async () => (await ask(url)).text.includes('came_later'));
    const { rows } = await database.admin.query(
      "select count(*)::int as sessions from pg_stat_activity where application_name = 'aisec monitor serve' and datname = current_database()",
    );
    expect(rows).toEqual([{ sessions: 1 }]);
  });

  test('refuses a port in use, and ends with Ctrl-C', async () => {
    const taken = await runCli(['monitor', 'serve', '--port', new URL(url).port], {
      env: { DATABASE_URL: database.url },
    });
    expect(taken).toMatchObject({ exitCode: 2, stdout: '' });
    expect(taken.stderr).toContain(`port ${new URL(url).port} of 127.0.0.1 is in use`);
    server.child.kill('SIGINT');
    expect(await server.finished).toMatchObject({ exitCode: 130 });
    await expect(ask(url)).rejects.toThrow('ECONNREFUSED');
  });
});
