import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, describe, expect, test } from 'vitest';

import { manifestText } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { expectError } from '../support/expect-error.js';
import { runCli, type CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Answering = (url: string) => Answer | Promise<Answer>;

const XML = 'application/xml';
const KEY = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' };

function refusal(code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>by the test</Message></Error>`;
}

describe('what answers in place of a store', () => {
  const running: ReturnType<typeof createServer>[] = [];
  afterEach(() => {
    for (const server of running.splice(0)) server.close().closeAllConnections();
  });

  async function listFrom(answering: Answering, run: typeof runCli = runInProcess): Promise<CliResult> {
    const server = createServer((incoming, outgoing) => {
      incoming.resume();
      void Promise.resolve(answering(incoming.url ?? '')).then(({ status, type, body }) =>
        outgoing.writeHead(status, { 'content-type': type, etag: '"1"' }).end(body),
      );
    });
    running.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return run(['backup', 'list', '--store', 's3://backups/prod', '--endpoint', endpoint], { env: KEY });
  }

  test.each([
    [404, 'text/html', '<html><h1>404 Not Found</h1></html>'],
    [404, 'text/plain', '404 page not found'],
    [400, 'text/html', '<html>The plain HTTP request was sent to HTTPS port</html>'],
    [302, 'text/html', '<html>log in</html>'],
    [405, 'application/json', '{"error":"no"}'],
  ])('with %i and %s is said to be no store, whatever it says', async (status, type, body) => {
    const run = await listFrom(() => ({ status, type, body }));
    expectError(run, 4, 'could not list the backups', `is not an S3-compatible store`);
    expect(run.stderr).toContain(`(HTTP status ${status})`);
    expect(run.stderr).toContain('hint: Check the endpoint, https or http');
  });

  test.each([
    [401, 'text/plain', 'Unauthorized', 'refuses the key', 'HTTP status 401: Unauthorized.'],
    [403, 'text/html', '<html><h1>Forbidden</h1></html>', 'refuses the key', 'HTTP status 403.'],
    [429, 'text/plain', 'Too many requests', 'answers that it is not available', 'HTTP status 429: Too many requests.'],
    [502, 'text/html', '<html><h1>Bad Gateway</h1></html>', 'answers that it is not available', 'HTTP status 502.'],
    [503, XML, refusal('SlowDown'), 'answers that it is not available', 'SlowDown: by the test.'],
  ])('with %i and %s is quoted, and nothing of the parts of aisec', async (status, type, body, message, detail) => {
    const run = await listFrom(() => ({ status, type, body }));
    expectError(run, 4, 'could not list the backups', `detail: ${detail}\n`);
    expect(run.stderr).toContain(message);
    expect(run.stderr).not.toMatch(/aws-sdk|Deserialization|\$response/);
  });

  test('is read many requests at once, without a warning of Node, and without the memory of earlier runs where that is refused', async () => {
    const start = Date.now();
    const files = Array.from({ length: 40 }, (_, at) => {
      const createdAt = new Date(start - at * 3_600_000);
      const file = backupFileName({ database: 'app', createdAt, format: 'custom', isEncrypted: false });
      return [file, backupManifest({ file, createdAt: createdAt.toISOString() })] as const;
    });
    const manifests = new Map(files.map(([file, manifest]) => [`${file}.json`, manifestText(manifest)]));
    const objects = files.flatMap(([file, { sizeBytes }]) => [
      [file, sizeBytes],
      [`${file}.json`, manifests.get(`${file}.json`)?.length],
    ]);
    const contents = objects.map(
      ([name, size]) => `<Contents><Key>prod/${name}</Key><Size>${size}</Size><ETag>"1"</ETag></Contents>`,
    );
    const list = `<ListBucketResult><Name>backups</Name>${contents.join('')}</ListBucketResult>`;
    const run = await listFrom(async (url) => {
      if (url.includes('list-type=2')) return { status: 200, type: XML, body: list };
      if (url.includes('.aisec-facts-')) return { status: 403, type: XML, body: refusal('AccessDenied') };
      const body = manifests.get(/prod\/([^?]+)/.exec(url)?.[1] ?? '');
      // So that as many as may are on their way.
      await sleep(20);
      return { status: body === undefined ? 404 : 200, type: XML, body: body ?? refusal('NoSuchKey') };
    }, runCli);
    expect(run).toMatchObject({ exitCode: 0, stderr: 's3://backups/prod/: 40 backups.\n' });
    expect(run.stdout.split('\n').filter((line) => line.includes('verified'))).toHaveLength(41);
  });
});
