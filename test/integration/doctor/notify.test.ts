import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { webhookBody } from '../../../src/adapters/notify/webhook.js';
import {
  cleanUpDatabases,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

interface Message {
  readonly text: string;
  readonly added: readonly { readonly id: string }[];
  readonly gone: readonly { readonly id: string; readonly since: string }[];
}

describeOnServer('aisec doctor --history --notify', () => {
  let database: ServerDatabase;
  let directory = '';
  let hook: Server;
  let answers: number[] = [];
  const messages: Message[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'aisec-notify-'));
    database = await createServerDatabase({ migrated: true });
    hook = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.statusCode = answers.shift() ?? 200;
        if (response.statusCode === 200) messages.push(JSON.parse(body) as Message);
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    hook.close();
    await cleanUpDatabases();
    await rm(directory, { recursive: true, force: true });
  });

  const file = (): string => path.join(directory, 'history.json');
  function night(...more: readonly string[]): Promise<CliResult> {
    const { port } = hook.address() as AddressInfo;
    const args = ['doctor', '--only', 'security', '--history', file(), '--notify', '--quiet', ...more];
    const env = { DATABASE_URL: database.url, AISEC_NOTIFY_URL: `http://127.0.0.1:${port}/secret-path` };
    return runInProcess(args, { env, cwd: directory });
  }

  test('a quiet night sends nothing; a new finding and its end are one message each, with since when', async () => {
    expect(await night()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(messages).toEqual([]);
    await database.admin.query('alter table users disable row level security');
    expect((await night()).exitCode).toBe(3);
    expect((await night()).exitCode).toBe(3);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ added: [{ id: 'rls-off:users' }], gone: [] });
    expect(messages[0]!.text).toMatch(
      /: 1 new, 0 gone\ncritical: users has .*row-level security is off \[rls-off:users\]$/,
    );
    // Another part of the checks has not looked at it, so it is not gone.
    await runInProcess(['doctor', '--only', 'indexes', '--history', file()], { env: { DATABASE_URL: database.url } });
    await database.admin.query('alter table users enable row level security');
    expect((await night()).exitCode).toBe(0);
    expect(messages).toHaveLength(2);
    expect(messages[1]).toMatchObject({ added: [], gone: [{ id: 'rls-off:users' }] });
    expect(Date.parse(messages[1]!.gone[0]!.since)).toBeLessThan(Date.now());
  });

  test('a webhook that answers badly is tried again; one that never does is exit 1, keeps the address secret, and gets it the next time', async () => {
    await database.admin.query('alter table users disable row level security');
    answers = [500, 503, 502];
    const failed = await night();
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/could not send what changed to 127\.0\.0\.1:\d+: it answered 502/);
    expect(failed.stdout + failed.stderr).not.toContain('secret-path');
    answers = [500];
    messages.length = 0;
    expect((await night()).exitCode).toBe(3);
    expect(messages).toHaveLength(1);
    expect(messages[0]!.added).toMatchObject([{ id: 'rls-off:users' }]);
    await database.admin.query('alter table users enable row level security');
    await night();
  });

  test('a history that cannot be written is exit 2 after what was found was printed', async () => {
    await database.admin.query('alter table users disable row level security');
    const args = ['doctor', '--only', 'security', '--history', '/proc/doctor.json'];
    const run = await runInProcess(args, { env: { DATABASE_URL: database.url } });
    await database.admin.query('alter table users enable row level security');
    expect(run).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('rls-off:users') });
    expect(run.stderr).toContain('error: could not write the history');
  });

  test('without an address, without a history, or with that of another database it ends with 2 and sends nothing', async () => {
    messages.length = 0;
    const env = { DATABASE_URL: database.url };
    const none = await runInProcess(['doctor', '--history', file(), '--notify'], { env });
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('AISEC_NOTIFY_URL is not set') });
    expect(await runInProcess(['doctor', '--notify'], { env })).toMatchObject({ exitCode: 2 });
    const history = JSON.parse(await readFile(file(), 'utf8')) as object;
    await writeFile(file(), JSON.stringify({ ...history, database: 'another' }));
    expect(await night()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is that of another') });
    await writeFile(file(), 'no JSON');
    expect(await night()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('could not read the history') });
    expect(messages).toEqual([]);
  });

  test('Slack gets a text, Teams a card, and any other the findings as JSON', () => {
    const body = (url: string): object => webhookBody(new URL(url), 'what', { database: 'd' });
    expect(body('https://hooks.slack.com/services/T/B/x')).toEqual({ text: 'what' });
    expect(JSON.stringify(body('https://x.webhook.office.com/y'))).toContain('"type":"AdaptiveCard"');
    expect(body('https://example.org/')).toEqual({ text: 'what', database: 'd' });
  });
});
