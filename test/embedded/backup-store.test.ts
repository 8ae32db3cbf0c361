import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, expect, test } from 'vitest';

import { readManifest, type BackupManifest } from '../../src/features/backup/catalog/manifest.js';
import { writeObject } from '../../src/adapters/object-store/objects.js';
import { withStore } from '../../src/adapters/object-store/store.js';
import { parseStoreUrl } from '../../src/config/store-url.js';
import { useEmbeddedBackupFixture } from '../support/embedded-backup-fixture.js';
import { expectError } from '../support/expect-error.js';
import { describeWithStore, startObjectStore, type ObjectStoreServer } from '../support/object-store.js';
import { describeOnSmallDisk, fill, namesOn, withSmallDisk } from '../support/small-disk.js';

const MEBIBYTE = 1024 * 1024;
const BLOCK_BYTES = 4096;

describeWithStore('a backup of the embedded database in a store', () => {
  let server: ObjectStoreServer;
  beforeAll(async () => {
    server = await startObjectStore('backups');
  });
  const { file, newDirectory, aisec, start } = useEmbeddedBackupFixture(
    ['--store', 's3://backups/data', '--read-back'],
    () => ({
      ...server.environment,
      AWS_ENDPOINT_URL: server.endpoint,
    }),
  );
  const url = (): string => `s3://backups/data/${path.basename(file())}`;

  test('is listed, verified and restored from there', async () => {
    expect(url()).toMatch(/\/postgres_\d{8}_\d{6}-[0-9a-f]{6}\.pgdata\.tgz$/);
    expect(await aisec(['backup', 'verify', url(), '--deep'])).toMatchObject({ exitCode: 0 });
    const list = await aisec(['backup', 'list', '--store', 's3://backups/data', '--json']);
    expect(JSON.parse(list.stdout).backups).toMatchObject([{ file: url(), state: 'verified', format: 'embedded' }]);
    const target = path.join(await newDirectory(), 'pgdata');
    const restored = await aisec(['restore', url(), '--create', target, '--json']);
    expect(restored).toMatchObject({ exitCode: 0 });
    const { rows } = await readManifest(file());
    expect(JSON.parse(restored.stdout)).toMatchObject({ file: url(), database: target, tables: rows.length });
  });

  test('is listed, verified and restored from there as encrypted SQL, with its roles', async () => {
    const here = await newDirectory();
    const [keyFile, target] = [path.join(here, 'key.txt'), path.join(here, 'pgdata')];
    const key = await generateX25519Identity();
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
    const to = ['--store', 's3://backups/sql'];
    const args = ['--format', 'sql', '--encrypt-to', await identityToRecipient(key), '--json'];
    const made = await aisec(['backup', '--dir', path.join(here, 'backups'), ...to, ...args]);
    expect(made).toMatchObject({ exitCode: 0 });
    const { copy, rows } = { rows: 0, ...JSON.parse(made.stdout) };
    expect(copy).toMatch(/^s3:\/\/backups\/sql\/postgres_\d{8}_\d{6}-[0-9a-f]{6}\.sql\.gz\.age$/);
    const list = await aisec(['backup', 'list', ...to, '--json']);
    expect(JSON.parse(list.stdout).backups).toMatchObject([{ file: copy, state: 'verified', isEncrypted: true }]);
    expect(await aisec(['backup', 'verify', copy, '--identity', keyFile])).toMatchObject({ exitCode: 0 });
    const restored = await aisec(['restore', copy, '--identity', keyFile, '--create', target, '--json']);
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(restored.stdout)).toMatchObject({ database: target, rows });
  });

  describeOnSmallDisk('is not brought from there when TMPDIR', () => {
    /** Both ways to read a copy end alike; nothing of it is left, and nothing was begun. */
    async function expectNoRoom(
      diskBytes: number,
      leftBytes: number,
      message: (disk: string) => string,
    ): Promise<void> {
      const directory = await newDirectory();
      const disk = path.join(directory, 'tmp');
      await withSmallDisk(disk, diskBytes, async () => {
        fill(disk, leftBytes);
        for (const args of [
          ['restore', url(), '--create', path.join(directory, 'pgdata')],
          ['backup', 'verify', url()],
        ]) {
          expectError(
            await start([...args, '--quiet'], { env: { TMPDIR: disk } }).finished,
            1,
            message(disk),
            'TMPDIR to a directory with more',
          );
          expect(namesOn(disk)).toEqual([]);
        }
      });
      expect(readdirSync(directory)).toEqual(['tmp']);
    }
    const isFull = (disk: string): string => `no space is left in "${disk}", where temporary files go\n`;
    const replaceManifest = (manifest: BackupManifest): Promise<void> => {
      const { environment, endpoint } = server;
      const { signal } = new AbortController();
      return withStore(parseStoreUrl('s3://backups/data', endpoint), { environment, signal }, (store) =>
        writeObject(store, `${path.basename(file())}.json`, JSON.stringify(manifest)),
      );
    };

    test('is full', () => expectNoRoom(MEBIBYTE, 0, isFull));

    test('has less room than the manifest says is needed, which is told before anything is downloaded', () =>
      expectNoRoom(MEBIBYTE, MEBIBYTE / 2, (disk) => `"${disk}" has `));

    test('becomes full while it is downloaded', async () => {
      const manifest = await readManifest(file());
      // It announces a small one, so that the space runs out in the middle.
      await replaceManifest({ ...manifest, sizeBytes: 1000 });
      try {
        const half = Math.ceil(manifest.sizeBytes / 2 / MEBIBYTE) * MEBIBYTE;
        await expectNoRoom(half, half, isFull);
      } finally {
        await replaceManifest(manifest);
      }
    });

    test('has just enough for the file, and not for the manifest of it', async () => {
      const { sizeBytes } = await readManifest(file());
      // A block more for the note of whose directory it is.
      await expectNoRoom(sizeBytes + MEBIBYTE, sizeBytes + BLOCK_BYTES, isFull);
    });
  });
});
