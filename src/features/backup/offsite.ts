import path from 'node:path';

import { changeManifest, type ChangeOptions } from './catalog/change-backups.js';
import {
  removeFilesWithoutManifest,
  removeUnfinishedCopies,
  unlistedText,
  type LocalNames,
} from './store/left-behind.js';
import { uploadBackup } from './store/remote-backups.js';
import { copyErasureList } from './erasures/keep-list.js';
import { readBackupDirectory } from './catalog/directory.js';
import type { BackupManifest, OffsiteCopy } from './catalog/manifest.js';
import { startOfNames } from './catalog/names.js';
import type { BackupOrigin } from './catalog/origin.js';
import { listObjects } from '../../adapters/object-store/objects.js';
import { withStore, type Store } from '../../adapters/object-store/store.js';
import { listUnfinished } from '../../adapters/object-store/unfinished.js';
import type { BackupRun } from './access.js';
import { formatBytes } from '../../base/bytes.js';
import { AisecError, isAisecError, reasonOf, type ErrorCode } from '../../base/errors.js';
import { sleep } from '../../base/interruption.js';
import type { Reporting } from '../../base/reporting.js';
import { storeFlags, storeUrl, type StorePlace } from '../../config/store-url.js';
import { backupsOf } from './catalog/group-by-origin.js';

export interface OffsiteOptions {
  readonly place: StorePlace;
  /** Downloads the copy again and compares it. */
  readonly isReadBack: boolean;
  /** How long a copy is tried again while the store has passing troubles. */
  readonly retryMs: number;
}

export function inStore<Result>(
  access: BackupRun,
  { place }: OffsiteOptions,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  return withStore(place, { environment: access.places.environment, signal: access.signal }, use);
}

/** Whether the store answers, for a dry run. @throws AisecError of the store. */
export async function checkOffsite(
  access: BackupRun,
  options: OffsiteOptions,
  { onProgress, onWarning }: Reporting,
): Promise<void> {
  onProgress(`asking ${storeUrl(options.place)}`);
  await inStore(access, options, async (store) => {
    // What is wrong with the store is known then.
    await listObjects(store, startOfNames(access.databaseName));
    const unfinished = await listUnfinished(store, startOfNames(access.databaseName));
    if (unfinished instanceof AisecError) onWarning(unlistedText(unfinished));
  });
}

async function localNames(
  access: BackupRun,
  file: string,
  origin: BackupOrigin | null,
  place: StorePlace,
): Promise<LocalNames> {
  const { backups } = await readBackupDirectory(path.dirname(file));
  const [waiting, copied] = [new Set<string>(), new Set<string>()];
  for (const { manifest } of backupsOf(backups, access.databaseName, origin)) {
    const url = storeUrl(place, manifest.file);
    const isCopied = manifest.file === path.basename(file) || manifest.offsite.some((copy) => copy.url === url);
    (isCopied ? copied : waiting).add(manifest.file);
  }
  return { waiting, copied };
}

/** What a copy can do without: a store that cannot or may not list uploads takes the copy all the same. */
async function tidy(
  store: Store,
  access: BackupRun,
  file: string,
  origin: BackupOrigin | null,
  { place }: OffsiteOptions,
  { onWarning, onDetail = () => undefined }: Reporting,
): Promise<void> {
  const names = await localNames(access, file, origin, place);
  const attempt = async (work: () => Promise<readonly string[]>, what: string): Promise<void> => {
    try {
      for (const name of await work()) onWarning(`removed ${what} of ${name} from ${storeUrl(place)}`);
    } catch (error) {
      if (access.signal.aborted || !isAisecError(error)) throw error;
      onWarning(`${reasonOf(error)}; ${what}, if there is any, stays in the store`);
    }
  };
  await attempt(() => removeUnfinishedCopies(store, access.databaseName, names, onDetail), 'an unfinished upload');
  await attempt(
    () => removeFilesWithoutManifest(store, access.databaseName, origin, names),
    'what a stopped run had left',
  );
}

/** Such as a store that is restarted or too busy; what it says of keys and buckets does not change by itself. */
const PASSING: readonly ErrorCode[] = ['STORE_UNREACHABLE', 'STORE_FAILED'];
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Tries again, with longer and longer pauses, while the store has passing troubles and the time is not over. */
async function patiently<Result>(
  signal: AbortSignal,
  retryMs: number,
  { onProgress }: Reporting,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + retryMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !isAisecError(error, ...PASSING) || performance.now() + pauseMs > deadline) throw error;
      onProgress(`${error.message}; trying again`);
      await sleep(pauseMs, signal);
    }
  }
}

/** Copies one backup to a store, again and again for the time that is given. Nothing is noted here. */
export async function copyPatiently(
  store: Store,
  file: string,
  manifest: BackupManifest,
  { isReadBack, retryMs }: Pick<OffsiteOptions, 'isReadBack' | 'retryMs'>,
  reporting: Reporting,
): Promise<OffsiteCopy> {
  const onBytes = (bytes: number): void =>
    reporting.onProgress(`uploading, ${formatBytes(bytes)} of ${formatBytes(manifest.sizeBytes)}`);
  return patiently(store.signal, retryMs, reporting, () =>
    uploadBackup(store, file, manifest, { isReadBack, onBytes }),
  );
}

/** Notes in the manifest of a local backup that there is a copy. */
export async function noteCopy(file: string, copy: OffsiteCopy, change: ChangeOptions): Promise<void> {
  await changeManifest(file, change, (before) => ({
    ...before,
    offsite: [...before.offsite.filter(({ url }) => url !== copy.url), copy],
  }));
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
  reporting: Reporting,
): Promise<OffsiteCopy> {
  let copy: OffsiteCopy;
  try {
    copy = await inStore(access, options, async (store) => {
      const made = await copyPatiently(store, file, manifest, options, reporting);
      await copyErasureList(store, path.dirname(file));
      await tidy(store, access, file, manifest.origin ?? null, options, reporting);
      return made;
    });
  } catch (error) {
    if (access.signal.aborted || !isAisecError(error)) throw error;
    throw new AisecError(error.code, `the backup was made, but not its copy: ${error.message}`, {
      detail: [error.detail, `${file} is good; no old backup was removed.`].filter(Boolean).join(' '),
      hint: `${error.hint ?? ''} Then copy what is here: aisec backup upload --all ${storeFlags(options.place)}`.trim(),
      cause: error,
    });
  }
  await noteCopy(file, copy, { command: access.applicationName, signal: access.signal });
  return copy;
}
