import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { listObjects, readObject, removeObject } from '../../src/adapters/object-store/objects.js';
import { withStore, type Store } from '../../src/adapters/object-store/store.js';
import { parseStoreUrl } from '../../src/config/store-url.js';
import { manifestText } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { describeWithStore, startObjectStore, type ObjectStoreServer } from '../support/object-store.js';
import { runInProcess } from '../support/run-in-process.js';
import type { CliResult } from '../support/run-cli.js';

const HOUR_MS = 3_600_000;

function put(directory: string, hoursOld: number): string {
  const createdAt = new Date(Date.now() - hoursOld * HOUR_MS);
  const file = backupFileName({ database: 'app', createdAt, format: 'custom', isEncrypted: false });
  const sha256 = createHash('sha256').update('dump').digest('hex');
  writeFileSync(path.join(directory, file), 'dump');
  const manifest = backupManifest({ file, createdAt: createdAt.toISOString(), sha256 });
  writeFileSync(path.join(directory, `${file}.json`), manifestText(manifest));
  return file;
}

describeWithStore('a store', () => {
  let server: ObjectStoreServer;
  let proxy: CuttingProxy;
  beforeAll(async () => {
    server = await startObjectStore('backups');
    proxy = await startCuttingProxy(server.endpoint);
  });
  afterAll(() => proxy.stop());

  test.each(['405 Method Not Allowed', '501 Not Implemented'])(
    'that takes no HEAD (%s) gets copies too, and what is there under the name of one is left alone',
    async (status) => {
      const directory = await createEmbeddedDirectory();
      const [young, old] = [put(directory, 1), put(directory, 100)];
      const url = `s3://backups/head-${status.slice(0, 3)}`;
      const at = ['--dir', directory, '--store', url];
      const headless = async (...args: readonly string[]): Promise<CliResult> => {
        const refusal = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
        proxy.decide({ answers: /^HEAD /, with: refusal, times: Infinity });
        const endpoint = proxy.url.replace(/\/$/, '');
        return runInProcess(['backup', ...args, '--endpoint', endpoint], { env: server.environment });
      };
      const states = ({ stdout }: CliResult): readonly string[] =>
        JSON.parse(stdout).backups.map(({ state }: { state: string }) => state);
      const inStore = <Result>(use: (store: Store) => Promise<Result>): Promise<Result> => {
        const { signal } = new AbortController();
        return withStore(parseStoreUrl(url, server.endpoint), { environment: server.environment, signal }, use);
      };
      for (const foreign of ['else', '']) {
        await inStore(async ({ sdk, client, place }) => {
          const object = { Bucket: place.bucket, Key: `${place.prefix}${young}` };
          const body = { Body: Buffer.from(foreign), ContentLength: foreign.length };
          await client.send(new sdk.PutObjectCommand({ ...object, ...body }));
        });
        const refused = await headless('upload', young, ...at, '--retry', '0', '--json');
        expect(refused, refused.stderr).toMatchObject({ exitCode: 3 });
        expect(states(refused)).toEqual(['refused']);
        expect(await inStore((store) => readObject(store, young))).toBe(foreign);
      }
      await inStore((store) => removeObject(store, young));
      const first = await headless('upload', '--all', ...at, '--retry', '0', '--json');
      expect(first, first.stderr).toMatchObject({ exitCode: 0 });
      expect(states(first)).toEqual(['copied', 'copied']);
      expect(states(await headless('upload', '--all', ...at, '--json'))).toEqual(['there', 'there']);
      expect(await headless('pin', old, '--store', url)).toMatchObject({ exitCode: 0 });
      const prune = ['prune', ...at, '--keep', '1d', '--keep-last', '1', '--json'];
      expect(JSON.parse((await headless(...prune)).stdout).removed).toEqual([]);
      expect(await inStore((store) => readObject(store, old))).toBe('dump');
      expect(await headless('pin', old, '--store', url, '--remove')).toMatchObject({ exitCode: 0 });
      expect(await headless(...prune)).toMatchObject({ exitCode: 0 });
      const left = await inStore(async (store) => (await listObjects(store, 'app')).map(({ name }) => name));
      expect(left).toEqual([young, `${young}.json`]);
    },
  );
});
