import path from 'node:path';

import { changeManifest } from './catalog/change-backups.js';
import { readBackupCopies, removeBackupCopy, removeUnfinishedCopies, uploadBackup } from './store/remote-backups.js';
import { readBackupDirectory, type Backup } from './catalog/directory.js';
import type { BackupManifest, OffsiteCopy } from './catalog/manifest.js';
import { withStore, type Store } from '../../adapters/object-store/store.js';
import type { BackupRun } from './access.js';
import { formatBytes } from '../../base/bytes.js';
import { AisecError, isAisecError, messageOf, type ErrorCode } from '../../base/errors.js';
import { sleep } from '../../base/interruption.js';
import type { Reporting } from '../../base/reporting.js';
import { storeUrl, type StorePlace } from '../../config/store-url.js';
import { planOf, type PrunePlan } from './prune.js';
import { backupsOf } from './catalog/group-by-origin.js';
import type { BackupOrigin } from './catalog/origin.js';
import type { BackupFormat } from './catalog/names.js';
import type { RetentionRule } from './catalog/retention.js';

export interface OffsiteOptions {
  readonly place: StorePlace;
  /** Downloads the copy again and compares it. */
  readonly isReadBack: boolean;
  /** How long a copy is tried again while the store has passing troubles. */
  readonly retryMs: number;
}

function inStore<Result>(
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
  { onProgress }: Reporting,
): Promise<void> {
  onProgress(`asking ${storeUrl(options.place)}`);
  await inStore(access, options, (store) => readBackupCopies(store, access.databaseName));
}

/** What a copy can do without: a store that cannot or may not list uploads takes the copy all the same. */
async function tidy(
  store: Store,
  access: BackupRun,
  file: string,
  { place }: OffsiteOptions,
  { onWarning }: Reporting,
): Promise<void> {
  try {
    const { backups } = await readBackupDirectory(path.dirname(file));
    const { origin } = backups.find((each) => each.file === file)?.manifest ?? {};
    const ours = backupsOf(backups, access.databaseName, origin ?? null).map(({ manifest }) => manifest.file);
    for (const name of await removeUnfinishedCopies(store, access.databaseName, new Set(ours)))
      onWarning(`removed an unfinished upload of ${name} from ${storeUrl(place)}`);
  } catch (error) {
    if (access.signal.aborted || !isAisecError(error)) throw error;
    onWarning(`unfinished uploads could not be looked for in ${storeUrl(place)}: ${error.detail ?? error.message}`);
  }
}

/** Such as a store that is restarted or too busy; what it says of keys and buckets does not change by itself. */
const PASSING: readonly ErrorCode[] = ['STORE_UNREACHABLE', 'STORE_FAILED'];
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Tries again, with longer and longer pauses, while the store has passing troubles and the time is not over. */
async function patiently<Result>(
  { signal }: BackupRun,
  { retryMs }: OffsiteOptions,
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
  const { onProgress } = reporting;
  const onBytes = (bytes: number): void =>
    onProgress(`uploading, ${formatBytes(bytes)} of ${formatBytes(manifest.sizeBytes)}`);
  let copy: OffsiteCopy;
  try {
    copy = await inStore(access, options, async (store) => {
      const made = await patiently(access, options, reporting, () =>
        uploadBackup(store, file, manifest, { isReadBack: options.isReadBack, onBytes }),
      );
      await tidy(store, access, file, options, reporting);
      return made;
    });
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
async function copiesOf(
  store: Store,
  access: BackupRun,
  origin: BackupOrigin | null,
  directory: string,
): Promise<readonly Backup[]> {
  const { backups } = await readBackupCopies(store, access.databaseName);
  const local = await readBackupDirectory(directory);
  const pinned = new Set(local.backups.flatMap(({ manifest }) => (manifest.isPinned ? [manifest.file] : [])));
  return backupsOf(backups, access.databaseName, origin).map((backup) =>
    pinned.has(backup.manifest.file) ? { ...backup, manifest: { ...backup.manifest, isPinned: true } } : backup,
  );
}

/** What the rule means for the copies in the store, once there is one more. */
export async function planPruneCopies(
  access: BackupRun,
  origin: BackupOrigin | null,
  directory: string,
  rule: RetentionRule,
  options: OffsiteOptions,
  next: BackupFormat,
): Promise<PrunePlan> {
  return inStore(access, options, async (store) =>
    planOf(await copiesOf(store, access, origin, directory), rule, next),
  );
}

/** Applies the rule to the copies of this database. The new copy is made by then, so a failure is a warning. */
export async function pruneCopies(
  access: BackupRun,
  origin: BackupOrigin | null,
  directory: string,
  rule: RetentionRule,
  options: OffsiteOptions,
  { onWarning }: Reporting,
): Promise<PrunePlan> {
  const removed: PrunePlan['removed'][number][] = [];
  let kept: PrunePlan['kept'] = [];
  try {
    await inStore(access, options, async (store) => {
      const copies = await copiesOf(store, access, origin, directory);
      const plan = planOf(copies, rule);
      kept = plan.kept;
      for (const each of plan.removed) {
        const copy = copies.find(({ file }) => file === each.file);
        if (copy !== undefined) await removeBackupCopy(store, copy.manifest);
        removed.push(each);
      }
    });
  } catch (error) {
    if (access.signal.aborted || !isAisecError(error)) throw error;
    onWarning(`the copy was made, but old ones could not be removed: ${messageOf(error)}`);
  }
  return { removed, kept };
}
