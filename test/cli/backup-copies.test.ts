import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { manifestText, type BackupManifest } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { createEmbeddedDirectory } from '../support/database.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const DAY_MS = 86_400_000;
const SHA256 = createHash('sha256').update('dump').digest('hex');

/** A store of one directory in memory, which may hold a request back or refuse it. */
class MemoryStore {
  readonly objects = new Map<string, { readonly text: string; readonly sha256?: string | undefined }>();
  /** `DELETE app_….dump`, in the order of the answers. */
  readonly answered: string[] = [];
  before: (request: string) => Promise<number> | number = () => 200;
  readonly #server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://store');
      const name = decodeURIComponent(pathname.replace('/backups/prod/', ''));
      const request = `${incoming.method ?? ''} ${name}`;
      void Promise.resolve(this.before(request)).then((refused) => {
        const header = incoming.headers['x-amz-meta-sha256'];
        const body = Buffer.concat(chunks).toString('utf8');
        const [status, text, sha256] =
          refused === 200 ? this.#answer(request, name, searchParams, body, header?.toString()) : [refused, ''];
        this.answered.push(request);
        outgoing.writeHead(status, {
          'content-type': 'application/xml',
          etag: '"1"',
          ...(sha256 !== undefined && { 'x-amz-meta-sha256': sha256 }),
          ...(status !== 204 && { 'content-length': Buffer.byteLength(text) }),
        });
        outgoing.end(incoming.method === 'HEAD' ? undefined : text);
      });
    });
  });

  #answer(
    request: string,
    name: string,
    search: URLSearchParams,
    body: string,
    sha256: string | undefined,
  ): [status: number, text: string, sha256?: string] {
    if (search.has('uploads')) return [200, '<ListMultipartUploadsResult/>'];
    if (search.has('list-type')) {
      const contents = [...this.objects].map(
        ([key, { text }]) => `<Contents><Key>prod/${key}</Key><Size>${text.length}</Size><ETag>"1"</ETag></Contents>`,
      );
      return [200, `<ListBucketResult><Name>backups</Name>${contents.join('')}</ListBucketResult>`];
    }
    if (request.startsWith('PUT ')) this.objects.set(name, { text: body, sha256 });
    if (request.startsWith('DELETE ')) {
      this.objects.delete(name);
      return [204, ''];
    }
    const found = this.objects.get(name);
    if (found === undefined) return [404, '<Error><Code>NoSuchKey</Code><Message>by the test</Message></Error>'];
    return [
      200,
      request.startsWith('PUT ') ? '' : found.text,
      ...(found.sha256 === undefined ? [] : [found.sha256]),
    ] as [number, string, string];
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close().closeAllConnections();
  }
}

let store: MemoryStore;
let endpoint = '';
beforeEach(async () => {
  store = new MemoryStore();
  endpoint = await store.start();
});
afterEach(() => store.stop());

function aisec(args: readonly string[]): Promise<CliResult> {
  const at = ['--store', 's3://backups/prod', '--endpoint', endpoint];
  return runInProcess(['backup', ...args, ...at], { env: { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' } });
}

function newBackup(daysOld: number, changes: Partial<BackupManifest> = {}): { file: string; manifest: string } {
  const createdAt = new Date(Date.now() - daysOld * DAY_MS);
  const file = backupFileName({ database: 'app', createdAt, format: 'custom', isEncrypted: false });
  const manifest = backupManifest({
    file,
    createdAt: createdAt.toISOString(),
    sizeBytes: 4,
    sha256: SHA256,
    ...changes,
  });
  return { file, manifest: manifestText(manifest) };
}

function putCopy(daysOld: number): string {
  const { file, manifest } = newBackup(daysOld);
  store.objects.set(file, { text: 'dump', sha256: SHA256 });
  store.objects.set(`${file}.json`, { text: manifest });
  return file;
}

function putHere(directory: string, daysOld: number, changes: Partial<BackupManifest> = {}): string {
  const { file, manifest } = newBackup(daysOld, changes);
  writeFileSync(path.join(directory, file), 'dump');
  writeFileSync(path.join(directory, `${file}.json`), manifest);
  return file;
}

/** Without `aisec`. */
function words(command: string): readonly string[] {
  return command.split(' ').slice(2, -4);
}

test('an incomplete copy whose backup is here is completed by the command that check names, and no other', async () => {
  const directory = await createEmbeddedDirectory();
  putCopy(0);
  const lost = putHere(directory, 1);
  store.objects.set(lost, { text: 'dump', sha256: SHA256 });
  const other = putHere(directory, 2);
  store.objects.set(other, { text: 'else', sha256: '0'.repeat(64) });
  const damaged = putHere(directory, 3, { damage: { at: new Date().toISOString(), reason: 'x' } });
  store.objects.set(damaged, { text: 'dump', sha256: SHA256 });
  store.objects.set(newBackup(4).file, { text: 'dump', sha256: SHA256 });
  const found = async (): Promise<readonly { file: string; fix: string | null; impact: string }[]> =>
    JSON.parse((await aisec(['check', '--dir', directory, '--json'])).stdout).findings;
  const findings = await found();
  expect(findings).toHaveLength(4);
  expect(findings.map(({ fix }) => fix)).toEqual([
    `aisec backup upload ${path.join(directory, lost)} --store s3://backups/prod --endpoint ${endpoint}`,
    null,
    null,
    null,
  ]);
  expect(findings[0]?.impact).toContain('completes it');
  expect(findings[1]?.impact).toContain('bring its other part back');
  expect(await aisec(words(findings[0]?.fix ?? ''))).toMatchObject({ exitCode: 0 });
  expect((await found()).map(({ file }) => path.basename(file))).not.toContain(lost);
  const nowhere = await aisec(['check', '--dir', path.join(directory, lost), '--json']);
  expect(JSON.parse(nowhere.stdout).findings).toHaveLength(3);
});

test('copies are removed several at once, each file before its manifest, and reported in the order of their age', async () => {
  const old = Array.from({ length: 30 }, (_, index) => putCopy(100 - index));
  const kept = putCopy(0);
  const [atWork, most] = [new Set<string>(), { count: 0 }];
  let goOn: () => void = () => undefined;
  const several = new Promise<void>((resolve) => (goOn = resolve));
  store.before = async (request) => {
    if (!request.startsWith('DELETE ')) return 200;
    atWork.add(request);
    most.count = Math.max(most.count, atWork.size);
    if (atWork.size > 1) goOn();
    // None is answered before another one has come.
    await several;
    atWork.delete(request);
    return 200;
  };
  const run = await aisec(['prune', '--keep', '1d', '--keep-last', '1', '--json']);
  expect(run).toMatchObject({ exitCode: 0 });
  const { removed } = JSON.parse(run.stdout) as { readonly removed: readonly { readonly file: string }[] };
  expect(removed.map(({ file }) => path.basename(file))).toEqual(old);
  expect([...store.objects.keys()].filter((name) => name.startsWith('app_'))).toEqual([kept, `${kept}.json`]);
  const order = store.answered.filter((request) => request.startsWith('DELETE '));
  for (const file of old) expect(order.indexOf(`DELETE ${file}`)).toBeLessThan(order.indexOf(`DELETE ${file}.json`));
  expect(most.count).toBeLessThanOrEqual(8);
});

test('after a removal that fails no further one is begun, and no manifest is removed whose file is there', async () => {
  const old = Array.from({ length: 30 }, (_, index) => putCopy(100 - index));
  putCopy(0);
  store.before = (request) => (request === `DELETE ${old[3] ?? ''}` ? 403 : 200);
  const run = await aisec(['prune', '--keep', '1d', '--keep-last', '1']);
  expect(run).toMatchObject({ exitCode: 4 });
  const left = old.filter((file) => store.objects.has(file));
  expect(left).toContain(old[3]);
  expect(left.length).toBeGreaterThan(15);
  for (const file of left) expect(store.objects.has(`${file}.json`)).toBe(true);
  const again = await aisec(['prune', '--keep', '1d', '--keep-last', '1']);
  expect(again).toMatchObject({ exitCode: 4 });
  store.before = () => 200;
  expect(await aisec(['prune', '--keep', '1d', '--keep-last', '1'])).toMatchObject({ exitCode: 0 });
  expect(old.some((file) => store.objects.has(file) || store.objects.has(`${file}.json`))).toBe(false);
});
