import { isAisecError } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { storeUrl } from '../../config/store-url.js';
import { withStore, type Store, type StoreOptions } from '../../adapters/object-store/store.js';
import type { ChangeOptions } from './catalog/change-backups.js';
import { copyErasureList } from './erasures/keep-list.js';
import { readBackupDirectory } from './catalog/directory.js';
import { isVerified, readManifest } from './catalog/manifest.js';
import { copyPatiently, noteCopy, type OffsiteOptions } from './offsite.js';
import { readBackupCopies } from './store/remote-backups.js';

export interface UploadedBackup {
  readonly file: string;
  /** Address of the copy. */
  readonly url: string;
  readonly sizeBytes: number;
  /** `there`: the store has it already. `refused`: damaged here, or something else has its name there. */
  readonly state: 'copied' | 'there' | 'missing' | 'refused';
  /** Why it was refused, a full sentence. */
  readonly reason: string | null;
}

export interface UploadResult {
  /** Address of the directory in the store. */
  readonly store: string;
  /** Nothing is copied then: what would be is `missing`. */
  readonly isDryRun: boolean;
  /** The newest first. */
  readonly backups: readonly UploadedBackup[];
}

export interface UploadOptions extends OffsiteOptions, ChangeOptions, Pick<StoreOptions, 'environment'> {
  readonly isDryRun: boolean;
}

async function uploadOne(
  store: Store,
  file: string,
  there: ReadonlyMap<string, string>,
  options: UploadOptions,
  reporting: Reporting,
): Promise<UploadedBackup> {
  const manifest = await readManifest(file);
  const { sizeBytes, sha256 } = manifest;
  const url = storeUrl(store.place, manifest.file);
  const as = (state: UploadedBackup['state'], reason: string | null = null): UploadedBackup => {
    return { file, url, sizeBytes, state, reason };
  };
  if (manifest.damage !== null) return as('refused', `It is damaged: ${manifest.damage.reason}`);
  if (there.get(manifest.file) === sha256) {
    if (!options.isDryRun && !manifest.offsite.some((copy) => copy.url === url)) {
      const endpoint = store.place.endpoint ?? null;
      await noteCopy(file, { url, endpoint, uploadedAt: new Date().toISOString(), sizeBytes, sha256 }, options);
    }
    return as('there');
  }
  if (options.isDryRun) return as('missing');
  try {
    await noteCopy(file, await copyPatiently(store, file, manifest, options, reporting), options);
    return as('copied');
  } catch (error) {
    // Of this backup; what is wrong with the store is wrong for the others, too.
    if (!isAisecError(error, 'BACKUP_INVALID', 'BACKUP_DAMAGED')) throw error;
    return as('refused', [`${error.message}.`, error.detail].filter(Boolean).join(' '));
  }
}

/**
 * Copies backups that are here to a store that does not have them. A copy appears whole or not at all, with its manifest
 * at the very end, so that a run that was stopped is done again from that backup on, and two runs at once put the same.
 *
 * @param files absolute paths; undefined: every verified backup of the directory, the newest first
 * @throws AisecError STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, STORE_FAILED, DISK_FULL; BACKUP_INVALID without a manifest.
 */
export async function uploadBackups(
  directory: string,
  files: readonly string[] | undefined,
  options: UploadOptions,
  reporting: Reporting,
): Promise<UploadResult> {
  const { place, isDryRun } = options;
  const { backups } = await readBackupDirectory(directory);
  const all = files ?? backups.filter(({ manifest }) => isVerified(manifest)).map(({ file }) => file);
  return withStore(place, options, async (store) => {
    const copies = await readBackupCopies(store, undefined, { remember: !isDryRun });
    const there = new Map(copies.backups.map(({ manifest }) => [manifest.file, manifest.sha256]));
    const uploaded: UploadedBackup[] = [];
    if (!isDryRun) await copyErasureList(store, directory);
    for (const file of all) uploaded.push(await uploadOne(store, file, there, options, reporting));
    return { store: storeUrl(place), isDryRun, backups: uploaded };
  });
}
