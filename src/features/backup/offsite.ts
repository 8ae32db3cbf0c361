import { changeManifest } from './catalog/change-backups.js';
import { readBackupCopies, removeBackupCopy, removeUnfinishedCopies, uploadBackup } from './store/copies.js';
import { readBackupFolder, type Backup } from './catalog/folder.js';
import type { BackupManifest, OffsiteCopy } from './catalog/manifest.js';
import { withStore, type Store } from '../../adapters/object-store/store.js';
import type { BackupRun } from './access.js';
import { formatBytes } from '../../base/bytes.js';
import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { storeUrl, type StorePlace } from '../../config/store-url.js';
import type { PrunedBackup } from './prune.js';
import { planRetention, type RetentionRule } from './catalog/retention.js';

export interface OffsiteOptions {
  readonly place: StorePlace;
  /** Downloads the copy again and compares it. */
  readonly isReadBack: boolean;
}

function inStore<Result>(
  access: BackupRun,
  { place }: OffsiteOptions,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  return withStore(place, { environment: access.places.environment, signal: access.signal }, use);
}

/** Asks the store before anything is dumped, and removes what stopped uploads of this database have left there. */
export async function checkOffsite(
  access: BackupRun,
  options: OffsiteOptions,
  isDryRun: boolean,
  { onProgress, onWarning }: Reporting,
): Promise<void> {
  onProgress(`asking ${storeUrl(options.place)}`);
  await inStore(access, options, async (store) => {
    await readBackupCopies(store, access.databaseName);
    if (isDryRun) return;
    for (const name of await removeUnfinishedCopies(store, access.databaseName))
      onWarning(`removed an unfinished upload of ${name} from ${storeUrl(options.place)}`);
  });
}

/**
 * Copies a finished backup to the store, and notes it in the local manifest.
 *
 * @throws AisecError of the store; the message says that the local backup is good.
 */
export async function copyOffsite(
  access: BackupRun,
  file: string,
  manifest: BackupManifest,
  options: OffsiteOptions,
  { onProgress }: Reporting,
): Promise<OffsiteCopy> {
  const onBytes = (bytes: number): void =>
    onProgress(`uploading, ${formatBytes(bytes)} of ${formatBytes(manifest.sizeBytes)}`);
  let copy: OffsiteCopy;
  try {
    copy = await inStore(access, options, (store) =>
      uploadBackup(store, file, manifest, { isReadBack: options.isReadBack, onBytes }),
    );
  } catch (error) {
    if (access.signal.aborted || !isAisecError(error)) throw error;
    throw new AisecError(error.code, `the backup was made, but not its copy: ${error.message}`, {
      detail: [error.detail, `${file} is good; no old backup was removed.`].filter(Boolean).join(' '),
      hint: error.hint,
      cause: error,
    });
  }
  const change = { command: access.applicationName, signal: access.signal };
  await changeManifest(file, change, (before) => ({
    ...before,
    offsite: [...before.offsite.filter(({ url }) => url !== copy.url), copy],
  }));
  return copy;
}

/** A local backup that was pinned keeps its copy, too, though the manifest in the store does not know. */
async function copiesToRemove(
  store: Store,
  access: BackupRun,
  folder: string,
  rule: RetentionRule,
): Promise<readonly Backup[]> {
  const { backups } = await readBackupCopies(store, access.databaseName);
  const local = await readBackupFolder(folder);
  const pinned = new Set(local.backups.flatMap(({ manifest }) => (manifest.isPinned ? [manifest.file] : [])));
  const ours = backups.map((backup) =>
    pinned.has(backup.manifest.file) ? { ...backup, manifest: { ...backup.manifest, isPinned: true } } : backup,
  );
  return planRetention(ours, rule, new Date()).remove;
}

function describe({ file, manifest: { database, createdAt, sizeBytes } }: Backup): PrunedBackup {
  return { file, database, createdAt, sizeBytes };
}

/** What the rule would remove from the store now. */
export async function planPruneCopies(
  access: BackupRun,
  folder: string,
  rule: RetentionRule,
  options: OffsiteOptions,
): Promise<readonly PrunedBackup[]> {
  return inStore(access, options, async (store) => (await copiesToRemove(store, access, folder, rule)).map(describe));
}

/** Applies the rule to the copies of this database. The new copy is made by then, so a failure is a warning. */
export async function pruneCopies(
  access: BackupRun,
  folder: string,
  rule: RetentionRule,
  options: OffsiteOptions,
  { onWarning }: Reporting,
): Promise<readonly PrunedBackup[]> {
  const removed: PrunedBackup[] = [];
  try {
    await inStore(access, options, async (store) => {
      for (const copy of await copiesToRemove(store, access, folder, rule)) {
        await removeBackupCopy(store, copy.manifest);
        removed.push(describe(copy));
      }
    });
  } catch (error) {
    if (access.signal.aborted || !isAisecError(error)) throw error;
    onWarning(`the copy was made, but old ones could not be removed: ${messageOf(error)}`);
  }
  return removed;
}
