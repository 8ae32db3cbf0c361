import { isAisecError, messageOf } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { storeUrl, type StorePlace } from '../../config/store-url.js';
import { withStore, type Store, type StoreOptions } from '../../adapters/object-store/store.js';
import type { BackupRun } from './access.js';
import { readBackupDirectory, type Backup } from './catalog/directory.js';
import { backupsOf, groupByOrigin, otherOrigins } from './catalog/group-by-origin.js';
import type { BackupFormat } from './catalog/names.js';
import type { BackupOrigin } from './catalog/origin.js';
import type { RetentionRule } from './catalog/retention.js';
import { inStore, type OffsiteOptions } from './offsite.js';
import { planOf, type PrunePlan, type PruneResult } from './prune.js';
import { readBackupCopies, removeBackupCopy } from './store/remote-backups.js';

/** A local backup that was pinned keeps its copy, too, though the manifest in the store does not know. */
async function withLocalPins(copies: readonly Backup[], directory: string): Promise<readonly Backup[]> {
  const local = await readBackupDirectory(directory);
  const pinned = new Set(local.backups.flatMap(({ manifest }) => (manifest.isPinned ? [manifest.file] : [])));
  return copies.map((backup) =>
    pinned.has(backup.manifest.file) ? { ...backup, manifest: { ...backup.manifest, isPinned: true } } : backup,
  );
}

async function removeCopies(
  store: Store,
  copies: readonly Backup[],
  plan: PrunePlan,
  onRemoved: (copy: PrunePlan['removed'][number]) => void,
): Promise<void> {
  for (const each of plan.removed) {
    const copy = copies.find(({ file }) => file === each.file);
    if (copy !== undefined) await removeBackupCopy(store, copy.manifest);
    onRemoved(each);
  }
}

/** What the rule means for the copies in the store, once there is one more. */
export async function planPruneCopies(
  access: BackupRun,
  origin: BackupOrigin | null,
  directory: string,
  rule: RetentionRule,
  options: OffsiteOptions,
  next: BackupFormat | undefined,
): Promise<PrunePlan> {
  return inStore(access, options, async (store) => {
    const { backups } = await readBackupCopies(store, access.databaseName);
    const ours = backupsOf(backups, access.databaseName, origin);
    return planOf(await withLocalPins(ours, directory), rule, next);
  });
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
      const { backups } = await readBackupCopies(store, access.databaseName, { remember: true });
      for (const { label } of otherOrigins(backups, access.databaseName, origin))
        onWarning(
          `${storeUrl(options.place)} also has backups of another "${access.databaseName}", of ${label}; they are neither counted nor removed`,
        );
      const copies = await withLocalPins(backupsOf(backups, access.databaseName, origin), directory);
      const plan = planOf(copies, rule);
      kept = plan.kept;
      await removeCopies(store, copies, plan, (copy) => removed.push(copy));
    });
  } catch (error) {
    if (access.signal.aborted || !isAisecError(error)) throw error;
    onWarning(`the copy was made, but old ones could not be removed: ${messageOf(error)}`);
  }
  return { removed, kept };
}

/**
 * Applies a rule to the copies of every database in a store, each origin for itself.
 *
 * @param directory of the local backups; what is pinned there stays in the store, too
 * @throws AisecError STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, STORE_FAILED.
 */
export async function pruneStore(
  place: StorePlace,
  directory: string,
  rule: RetentionRule,
  { isDryRun, ...access }: StoreOptions & { readonly isDryRun: boolean },
): Promise<PruneResult> {
  return withStore(place, access, async (store) => {
    const { backups } = await readBackupCopies(store, undefined, { remember: !isDryRun });
    const copies = await withLocalPins(backups, directory);
    const plans = groupByOrigin(copies).map((group) => planOf(group.backups, rule));
    if (!isDryRun) for (const plan of plans) await removeCopies(store, copies, plan, () => undefined);
    return {
      directory: storeUrl(place),
      isDryRun,
      removed: plans.flatMap((plan) => plan.removed),
      kept: plans.flatMap((plan) => plan.kept),
      removedPartials: [],
    };
  });
}
