import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { checksumOf, type Checksum } from '../../../src/adapters/files/checksum.js';
import { downloadFile, readBack } from '../../../src/adapters/object-store/download.js';
import {
  describeObject,
  listObjects,
  readObject,
  removeObject,
  writeObject,
} from '../../../src/adapters/object-store/objects.js';
import { withStore, type Store } from '../../../src/adapters/object-store/store.js';
import { listUnfinished, removeUnfinished } from '../../../src/adapters/object-store/unfinished.js';
import { partSizeBytes, uploadFile } from '../../../src/adapters/object-store/upload.js';
import type { Upload } from '../../../src/adapters/object-store/file-parts.js';
import { parseStoreUrl } from '../../../src/config/store-url.js';
import {
  describeWithStore,
  startIamStore,
  startObjectStore,
  type ObjectStoreServer,
} from '../../support/object-store.js';

const MEBIBYTE = 1024 * 1024;
const LARGE_BYTES = 11 * MEBIBYTE;
const never = new AbortController().signal;

const STORES = [
  { name: 'OpenStack Swift', start: () => startObjectStore('backups', 'full=1000000') },
  { name: 'moto', start: () => startIamStore('backups') },
];

for (const { name, start } of STORES)
  describeWithStore(`a store of ${name}`, () => {
    let server: ObjectStoreServer;
    let directory = '';
    let [large, small] = ['', ''];
    let [largeSum, smallSum]: Checksum[] = [];

    beforeAll(async () => {
      server = await start();
      directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
      [large, small] = [path.join(directory, 'large'), path.join(directory, 'small')];
      writeFileSync(large, randomBytes(LARGE_BYTES));
      writeFileSync(small, randomBytes(100_000));
      [largeSum, smallSum] = [await checksumOf(large, never), await checksumOf(small, never)];
    });
    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    function at<Result>(
      url: string,
      use: (store: Store) => Promise<Result>,
      { endpoint = server.endpoint, signal = never, environment = server.environment } = {},
    ): Promise<Result> {
      return withStore(parseStoreUrl(url, endpoint), { environment, signal }, use);
    }
    function uploadOf(name: string, changes: Partial<Upload> = {}): Upload {
      return {
        file: large,
        name,
        checksum: largeSum as Checksum,
        isReadBack: false,
        onBytes: () => undefined,
        partBytes: 5 * MEBIBYTE,
        ...changes,
      };
    }
    const smallUpload = (name: string, changes: Partial<Upload> = {}): Upload =>
      uploadOf(name, { file: small, checksum: smallSum as Checksum, ...changes });

    test('takes a large file in parts, a small one whole, and gives both back byte by byte', async () => {
      await at('s3://backups/round', async (store) => {
        const seen: number[] = [];
        await uploadFile(store, uploadOf('large', { isReadBack: true, onBytes: (bytes) => seen.push(bytes) }));
        await uploadFile(store, smallUpload('small', { isReadBack: true }));
        expect(seen).toHaveLength(3);
        expect(seen.at(-1)).toBe(LARGE_BYTES);
        const copy = path.join(directory, 'copy');
        await downloadFile(store, 'large', largeSum as Checksum, copy);
        expect(readFileSync(copy).equals(readFileSync(large))).toBe(true);
        expect(await describeObject(store, 'small')).toEqual(smallSum);
        expect(await describeObject(store, 'none')).toBeUndefined();
      });
    });

    test('lists a directory without those below it and beside it, and reads, writes and removes small objects', async () => {
      await at('s3://backups/list', async (store) => {
        await writeObject(store, 'app_1.json', '{"ä":1}');
        await writeObject(store, 'app_2.json', '{}');
        await writeObject(store, 'app_/below.json', '{}');
      });
      await at('s3://backups/listed-elsewhere', (store) => writeObject(store, 'app_3.json', '{}'));
      await at('s3://backups/list', async (store) => {
        const [first, second, ...others] = await listObjects(store, 'app_');
        expect([first, second]).toMatchObject([
          { name: 'app_1.json', sizeBytes: 8 },
          { name: 'app_2.json', sizeBytes: 2 },
        ]);
        expect(others).toEqual([]);
        expect(first?.etag).not.toBe(second?.etag);
        expect(await readObject(store, 'app_1.json')).toBe('{"ä":1}');
        expect(await readObject(store, 'none')).toBeUndefined();
        await removeObject(store, 'app_1.json');
        await removeObject(store, 'none');
        expect(await listObjects(store, 'app_')).toEqual([second]);
      });
    });

    test('has a flipped byte, and reading it back finds it where the size and the stored checksum do not', async () => {
      await at('s3://backups/damaged', async (store) => {
        await uploadFile(store, smallUpload('small'));
        await server.damage((smallSum as Checksum).sizeBytes);
        expect(await describeObject(store, 'small')).toEqual(smallSum);
        await expect(readBack(store, 'small', smallSum as Checksum)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
        await uploadFile(store, smallUpload('small'));
        await server.damage((smallSum as Checksum).sizeBytes);
        const copy = path.join(directory, 'damaged');
        await expect(downloadFile(store, 'small', smallSum as Checksum, copy)).rejects.toMatchObject({
          code: 'BACKUP_DAMAGED',
        });
      });
      expect(readdirSync(directory).filter((name) => name.startsWith('damaged'))).toEqual([]);
    });

    test('keeps nothing of a file that is not the one that was proven', async () => {
      await at('s3://backups/changed', async (store) => {
        const sha256 = '0'.repeat(64);
        const [wrong, wrongSmall] = [largeSum, smallSum].map((sum) => ({ ...(sum as Checksum), sha256 }));
        const refused = { code: 'BACKUP_INVALID' };
        await expect(uploadFile(store, uploadOf('large', { checksum: wrong as Checksum }))).rejects.toMatchObject(
          refused,
        );
        await expect(
          uploadFile(store, smallUpload('small', { checksum: wrongSmall as Checksum })),
        ).rejects.toMatchObject(refused);
        expect(await listObjects(store, '')).toEqual([]);
        expect(await listUnfinished(store, '')).toEqual([]);
      });
    });

    /** Numbers of the parts that are sent from now on. */
    function watchParts({ client }: Store): number[] {
      const sent: number[] = [];
      client.middlewareStack.add(
        (next, { commandName }) =>
          (args) => {
            if (commandName === 'UploadPartCommand') sent.push((args.input as { PartNumber: number }).PartNumber);
            return next(args);
          },
        { step: 'initialize' },
      );
      return sent;
    }

    test('stops at once when it is aborted, and the next try sends the parts that are missing', async () => {
      const stopped = new AbortController();
      const upload = at(
        's3://backups/stopped',
        (store) => uploadFile(store, uploadOf('app_1', { onBytes: () => stopped.abort('SIGTERM') })),
        { signal: stopped.signal },
      );
      await expect(upload).rejects.toMatchObject({ code: 'TERMINATED' });
      await at('s3://backups/stopped', async (store) => {
        expect(await listObjects(store, '')).toEqual([]);
        const sent = watchParts(store);
        const seen: number[] = [];
        const again = uploadOf('app_1', { isReadBack: true, onBytes: (bytes) => seen.push(bytes) });
        await uploadFile(store, again);
        expect(sent.length).toBeLessThan(3);
        expect(sent).toContain(3);
        expect(seen.at(-1)).toBe(LARGE_BYTES);
        expect(await describeObject(store, 'app_1')).toEqual(largeSum);
        expect(await listUnfinished(store, '')).toEqual([]);
      });
    });

    test('continues no part of another content, and two that continue the same upload both end well', async () => {
      await at('s3://backups/other', async (store) => {
        const { sdk, client } = store;
        const target = { Bucket: 'backups', Key: 'other/app_1' };
        const { sha256 } = largeSum as Checksum;
        const begin = async (): Promise<void> => {
          const command = new sdk.CreateMultipartUploadCommand({ ...target, Metadata: { sha256 } });
          const { UploadId } = await client.send(command);
          const Body = randomBytes(5 * MEBIBYTE);
          await client.send(new sdk.UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body }));
        };
        await begin();
        const sent = watchParts(store);
        await uploadFile(store, uploadOf('app_1', { isReadBack: true }));
        expect(sent.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
        await removeObject(store, 'app_1');
        await begin();
        await Promise.all([1, 2].map(() => uploadFile(store, uploadOf('app_1'))));
        await readBack(store, 'app_1', largeSum as Checksum);
      });
    });

    test('lists the uploads that were stopped by the beginning of their names, and removes one', async () => {
      await at('s3://backups/left', async (store) => {
        const { sdk, client } = store;
        for (const name of ['app_1', 'app2_1'])
          await client.send(new sdk.CreateMultipartUploadCommand({ Bucket: 'backups', Key: `left/${name}` }));
        const uploads = await listUnfinished(store, 'app_');
        expect(uploads).toMatchObject([{ name: 'app_1' }]);
        if ('length' in uploads) for (const upload of uploads) await removeUnfinished(store, upload);
        expect(await listUnfinished(store, '')).toMatchObject([{ name: 'app2_1' }]);
      });
    });

    test('says what is wrong with the key, the bucket, the quota and the endpoint, each with its own code', async () => {
      const list = (store: Store): Promise<unknown> => listObjects(store, '');
      const wrongKey = { ...server.environment, AWS_SECRET_ACCESS_KEY: 'wrong-secret' };
      const refused = await at('s3://backups', list, { environment: wrongKey }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'STORE_AUTH', message: expect.stringContaining('refuses the key') });
      const said = `${JSON.stringify(refused)}${String(refused)}`;
      for (const secret of ['wrong-secret', ...Object.values(server.environment)]) expect(said).not.toContain(secret);
      await expect(at('s3://nothere', list)).rejects.toMatchObject({ code: 'STORE_MISSING' });
      await expect(at('s3://nothere', (store) => uploadFile(store, smallUpload('small')))).rejects.toMatchObject({
        code: 'STORE_MISSING',
      });
      if (name === 'OpenStack Swift')
        await expect(at('s3://full', (store) => uploadFile(store, uploadOf('large')))).rejects.toMatchObject({
          code: 'DISK_FULL',
        });
      await expect(at('s3://backups', list, { endpoint: 'http://127.0.0.1:9' })).rejects.toMatchObject({
        code: 'STORE_UNREACHABLE',
        message: expect.stringContaining('http://127.0.0.1:9 does not answer'),
      });
    });

    test('that is killed in the middle of an upload ends it, and it is not taken for done', async () => {
      const doomed = await start();
      const upload = at(
        's3://backups',
        (store) => uploadFile(store, uploadOf('large', { onBytes: () => void doomed.kill() })),
        doomed,
      );
      await expect(upload).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    });
  });

test('parts are of 32 MiB, and of more where there would be over 900', () => {
  expect(partSizeBytes(1)).toBe(32 * MEBIBYTE);
  expect(partSizeBytes(28 * 1024 * MEBIBYTE)).toBe(32 * MEBIBYTE);
  const terabyte = 1024 ** 4;
  expect(Math.ceil(terabyte / partSizeBytes(terabyte))).toBe(900);
});
