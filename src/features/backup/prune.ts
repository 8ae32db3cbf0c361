import { removeBackup, removePartials, type ChangeOptions } from './catalog/change-backups.js';
import { readBackupDirectory } from './catalog/directory.js';
import { directoryError, withBackupDirectory } from './catalog/backup-lock.js';
import { backupsOf, groupByOrigin } from './catalog/group-by-origin.js';
import type { BackupOrigin } from './catalog/origin.js';
import { planRetention, type KeepReason, type RetentionRule } from './catalog/retention.js';

export interface PrunedBackup {
  readonly file: string;
  readonly database: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly sizeBytes: number;
}

export interface KeptByRule extends PrunedBackup {
  readonly reason: KeepReason;
}

export interface PruneResult {
  readonly directory: string;
  readonly isDryRun: boolean;
  /** Oldest first. */
  readonly removed: readonly PrunedBackup[];
  /** Newest first. */
  readonly kept: readonly KeptByRule[];
  /** What stopped runs had left. */
  readonly removedPartials: readonly string[];
}

/** What the rule means for the backups of one database of one origin now. */
export async function planPrune(
  directory: string,
  database: string,
  origin: BackupOrigin | null,
  rule: RetentionRule,
): Promise<Pick<PruneResult, 'removed' | 'kept'>> {
  const { backups } = await readBackupDirectory(directory);
  const ours = backupsOf(backups, database, origin);
  const plan = planRetention(ours, rule, new Date());
  const describe = ({ file, manifest }: (typeof ours)[number]): PrunedBackup => ({
    file,
    database,
    createdAt: manifest.createdAt,
    sizeBytes: manifest.sizeBytes,
  });
  return {
    removed: plan.remove.map(describe),
    kept: plan.keep.map(({ backup, reason }) => ({ ...describe(backup), reason })),
  };
}

/** Removes what the rule lets go, one after the other. Call it under the lock of the directory. */
export async function pruneDatabase(
  directory: string,
  database: string,
  origin: BackupOrigin | null,
  rule: RetentionRule,
  options: ChangeOptions,
): Promise<Pick<PruneResult, 'removed' | 'kept'>> {
  const plan = await planPrune(directory, database, origin, rule);
  try {
    for (const { file } of plan.removed) await removeBackup(file, options);
  } catch (error) {
    throw directoryError(directory, error);
  }
  return plan;
}

/**
 * Applies a rule to every database that has backups in the directory, and removes what stopped runs have left.
 *
 * @throws AisecError BACKUP_DIRECTORY; RUN_LOCKED when a backup of one of them is being made.
 */
export async function pruneDirectory(
  directory: string,
  rule: RetentionRule,
  { isDryRun, ...options }: ChangeOptions & { readonly isDryRun: boolean },
): Promise<PruneResult> {
  const { backups, incomplete } = await readBackupDirectory(directory);
  const databases = new Set([
    ...backups.map(({ manifest }) => manifest.database),
    ...incomplete.map(({ database }) => database),
  ]);
  const [removed, kept, removedPartials]: [PrunedBackup[], KeptByRule[], string[]] = [[], [], []];
  for (const database of [...databases].toSorted()) {
    const prune = async (): Promise<void> => {
      if (!isDryRun) removedPartials.push(...(await removePartials(directory, database, options)));
      const origins = groupByOrigin(backups).filter((group) => group.database === database);
      for (const { origin } of origins) {
        const plan = isDryRun
          ? await planPrune(directory, database, origin, rule)
          : await pruneDatabase(directory, database, origin, rule, options);
        removed.push(...plan.removed);
        kept.push(...plan.kept);
      }
    };
    await (isDryRun ? prune() : withBackupDirectory(directory, database, options, prune));
  }
  return { directory, isDryRun, removed, kept, removedPartials };
}
