import { beforeAll, expect, test } from 'vitest';

import { readObject, removeObject, writeObject } from '../../../src/adapters/object-store/objects.js';
import { withStore, type Store } from '../../../src/adapters/object-store/store.js';
import { parseStoreUrl } from '../../../src/config/store-url.js';
import { manifestText, type BackupManifest } from '../../../src/features/backup/catalog/manifest.js';
import { changeManifestOf } from '../../../src/features/backup/store/backup-location.js';
import { removeBackupCopy } from '../../../src/features/backup/store/remote-backups.js';
import { backupManifest } from '../../fixtures/backup-manifest.js';
import {
  describeWithStore,
  startIamStore,
  startObjectStore,
  type ObjectStoreServer,
} from '../../support/object-store.js';

const RUNS = 2;
const signal = new AbortController().signal;

const STORES = [
  { name: 'that refuses conditions', start: () => startObjectStore('backups') },
  { name: 'that ignores conditions', start: () => startIamStore('backups') },
  {
    name: 'that heeds conditions',
    async start() {
      const store = await startIamStore('backups');
      await store.heedConditions();
      return store;
    },
  },
];

for (const { name, start } of STORES)
  describeWithStore(`the manifest of a copy in a store ${name}`, () => {
    let server: ObjectStoreServer;
    beforeAll(async () => {
      server = await start();
    });

    function inStore<Result>(use: (store: Store) => Promise<Result>): Promise<Result> {
      return withStore(
        parseStoreUrl('s3://backups/app', server.endpoint),
        { environment: server.environment, signal },
        use,
      );
    }
    async function put(file: string): Promise<BackupManifest> {
      const manifest = backupManifest({ file, roles: [], isPinned: false });
      await inStore(async (store) => {
        await writeObject(store, file, 'dump');
        await writeObject(store, `${file}.json`, manifestText(manifest));
      });
      return manifest;
    }
    function change(file: string, how: (before: BackupManifest) => BackupManifest): Promise<BackupManifest> {
      return changeManifestOf(
        `s3://backups/app/${file}`,
        {
          command: 'aisec backup pin',
          signal,
          endpoint: server.endpoint,
          places: { environment: server.environment, pgBinDir: undefined },
          onProgress: () => undefined,
        },
        how,
      );
    }

    test('keeps what each of several runs changes at once', async () => {
      const { file } = await put('app_20261125_021500.dump');
      await Promise.all([
        change(file, (before) => ({ ...before, isPinned: true })),
        ...Array.from({ length: RUNS }, (_, index) =>
          change(file, (before) => ({
            ...before,
            roles: [...new Set([...before.roles, `role ${index}`])].toSorted(),
          })),
        ),
      ]);
      const after = JSON.parse((await inStore((store) => readObject(store, `${file}.json`))) ?? '');
      expect(after.isPinned).toBe(true);
      expect(after.roles).toEqual(Array.from({ length: RUNS }, (_, index) => `role ${index}`));
    });

    test('that was pinned after retention had looked at it keeps the copy', async () => {
      const looked = await put('app_20261125_031500.dump');
      await change(looked.file, (before) => ({ ...before, isPinned: true }));
      expect(await inStore((store) => removeBackupCopy(store, looked))).toBe(false);
      expect(await inStore((store) => readObject(store, looked.file))).toBe('dump');
      await change(looked.file, (before) => ({ ...before, isPinned: false }));
      expect(await inStore((store) => removeBackupCopy(store, looked))).toBe(true);
      expect(await inStore((store) => readObject(store, `${looked.file}.json`))).toBeUndefined();
    });

    test('is not said to be pinned when retention has taken the file by then', async () => {
      const { file } = await put('app_20261125_041500.dump');
      await inStore((store) => removeObject(store, file));
      const pinned = change(file, (before) => ({ ...before, isPinned: true }));
      await expect(pinned).rejects.toMatchObject({ code: 'BACKUP_UNKNOWN' });
    });
  });
