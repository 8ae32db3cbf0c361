import { changeManifest, type ChangeOptions } from '../catalog/change-backups.js';
import { changeCopyManifest, readCopyManifest } from './change-copy.js';
import { readManifest, type BackupManifest } from '../catalog/manifest.js';
import { readBack } from '../../../adapters/object-store/download.js';
import { withStore, type Store } from '../../../adapters/object-store/store.js';
import type { ToolPlaces } from '../../../adapters/pgtools/find-tools.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { isStoreUrl, splitObjectUrl } from '../../../config/store-url.js';

/** What reaching a backup takes, wherever it is. */
export interface BackupLocation extends ChangeOptions {
  /** Of the store of an s3:// address. */
  readonly endpoint: string | undefined;
  readonly places: ToolPlaces;
  readonly onProgress: (text: string) => void;
}

async function atCopy<Result>(
  url: string,
  { endpoint, places, signal }: BackupLocation,
  use: (store: Store, name: string) => Promise<Result>,
): Promise<Result> {
  const { place, name } = splitObjectUrl(url, endpoint);
  return withStore(place, { environment: places.environment, signal }, (store) => use(store, name));
}

/** The manifest of a backup in a directory here or in a store. @throws AisecError BACKUP_INVALID when there is none. */
export async function manifestOf(given: string, options: BackupLocation): Promise<BackupManifest> {
  return isStoreUrl(given) ? atCopy(given, options, readCopyManifest) : readManifest(given);
}

/** Changes the manifest of a backup in a directory here or in a store, and returns it. */
export async function changeManifestOf(
  given: string,
  options: BackupLocation,
  change: (manifest: BackupManifest) => BackupManifest,
): Promise<BackupManifest> {
  return isStoreUrl(given)
    ? atCopy(given, options, (store, name) => changeCopyManifest(store, name, change))
    : changeManifest(given, options, change);
}

/** A store that finds an object damaged may take it away, and what has a manifest and no file is no backup any more. */
function asDamage(error: unknown, url: string): unknown {
  if (!isAisecError(error, 'BACKUP_UNKNOWN')) return error;
  return new AisecError('BACKUP_DAMAGED', `${url} is not whole`, {
    detail: 'Its manifest is in the store, and the file or its roles are not.',
    hint: 'Restore from another one.',
    cause: error,
  });
}

/** Downloads a copy with its roles, keeping nothing, and compares the checksums. @throws AisecError BACKUP_INVALID. */
export async function readCopyBack(url: string, manifest: BackupManifest, options: BackupLocation): Promise<void> {
  try {
    await atCopy(url, options, async (store, name) => {
      if (manifest.globals !== null) await readBack(store, manifest.globals.file, manifest.globals);
      await readBack(store, name, manifest, (bytes) => options.onProgress(`reading ${name}, ${bytes} bytes`));
    });
  } catch (error) {
    throw asDamage(error, url);
  }
}
