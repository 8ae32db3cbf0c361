import { isAisecError, reasonOf } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { storeUrl, type StorePlace } from '../../config/store-url.js';
import { withStore, type Store, type StoreOptions } from '../../adapters/object-store/store.js';
import type { BackupRun } from './access.js';
import { readBackupDirectory, type Backup } from './catalog/directory.js';
import { backupsOf, groupByAddress, otherOrigins } from './catalog/group-by-origin.js';
import { inTurns } from './catalog/in-turns.js';
import type { BackupFormat } from './catalog/names.js';
import type { BackupOrigin } from './catalog/origin.js';
import type { RetentionRule } from './catalog/retention.js';
import { inStore, type OffsiteOptions } from './offsite.js';
import { asDone, planOf, type PrunePlan, type PruneResult } from './prune.js';
import { readBackupCopies, removeBackupCopy } from './store/remote-backups.js';

/** A local backup that was pinned keeps its copy, too, though the manifest in the store does not know. */
async function withLocalPins(copies: readonly Backup[], directory: string): Promise<readonly Backup[]> {
  const local = await readBackupDirectory(directory);
  const pinned = new Set(local.backups.flatMap(({ manifest }) => (manifest.isPinned ? [manifest.file] : [])));
  return copies.map((backup) =>
    pinned.has(backup.manifest.file) ? { ...backup, manifest: { ...backup.manifest, isPinned: true } } : backup,
  );
}

/** Each takes up to four requests, one after the other. */
const REMOVALS_AT_ONCE = 8;

/** Removes what the plan says, several at once, the oldest first, and notes each in `gone`; one that was pinned meanwhile stays. */
async function removeCopies(
  store: Store,
  copies: readonly Backup[],
  { removed }: PrunePlan,
  gone: Set<string>,
): Promise<void> {
  const manifests = new Map(copies.map(({ file, manifest }) => [file, manifest]));
  await inTurns(removed, REMOVALS_AT_ONCE, async ({ file }) => {
    const manifest = manifests.get(file);
    if (manifest === undefined || (await removeBackupCopy(store, manifest))) gone.add(file);
  });
}

interface CopyPlan {
  readonly plan: PrunePlan;
  /** What a run that was stopped while it removed a copy has left of it: the manifest, without the file. */
  readonly leftOver: readonly Backup[];
}

/**
 * What the rule means for copies of one origin. Of those without a file only the ones that it lets go are left over from
 * a removal; one that it keeps lost its file by another hand, and stays to be seen.
 */
function planCopies(ours: readonly Backup[], withoutFile: readonly Backup[], rule: RetentionRule): CopyPlan {
  const lacking = new Set(withoutFile.map(({ file }) => file));
  const whole = ours.filter(({ file }) => !lacking.has(file));
  const isLetGo = (each: Backup): boolean =>
    planOf([...whole, each], rule).removed.some(({ file }) => file === each.file);
  return { plan: planOf(whole, rule), leftOver: ours.filter((each) => lacking.has(each.file) && isLetGo(each)) };
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
  const gone = new Set<string>();
  let done: PrunePlan = { removed: [], kept: [] };
  try {
    await inStore(access, options, async (store) => {
      const { backups, withoutFile } = await readBackupCopies(store, access.databaseName, { remember: true });
      for (const { label, address = label } of otherOrigins(backups, access.databaseName, origin))
        onWarning(
          `${storeUrl(options.place)} also has backups of another "${access.databaseName}", of ${address}; they are neither counted nor removed`,
        );
      const ours = backupsOf([...backups, ...withoutFile], access.databaseName, origin);
      const copies = await withLocalPins(ours, directory);
      const { plan, leftOver } = planCopies(copies, withoutFile, rule);
      for (const { file, manifest } of leftOver) {
        if (await removeBackupCopy(store, manifest)) onWarning(`removed what a stopped run had left of ${file}`);
      }
      done = plan;
      await removeCopies(store, copies, plan, gone);
      done = asDone(plan, gone);
    });
  } catch (error) {
    if (access.signal.aborted || !isAisecError(error)) throw error;
    onWarning(`the copy was made, but old ones could not be removed: ${reasonOf(error)}`);
  }
  return { ...done, removed: done.removed.filter(({ file }) => gone.has(file)) };
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
    const { backups, withoutFile } = await readBackupCopies(store, undefined, { remember: !isDryRun });
    const copies = await withLocalPins([...backups, ...withoutFile], directory);
    const plans = groupByAddress(copies).map((group) => planCopies(group.backups, withoutFile, rule));
    const leftOver = plans.flatMap((each) => each.leftOver);
    const gone = new Set<string>();
    if (!isDryRun) {
      for (const { manifest } of leftOver) await removeBackupCopy(store, manifest);
      for (const { plan } of plans) await removeCopies(store, copies, plan, gone);
    }
    const done = plans.map(({ plan }) => (isDryRun ? plan : asDone(plan, gone)));
    return {
      directory: storeUrl(place),
      isDryRun,
      removed: done.flatMap(({ removed }) => removed),
      kept: done.flatMap(({ kept }) => kept),
      removedPartials: isDryRun ? [] : leftOver.map(({ file }) => file),
      unreadable: [],
    };
  });
}
