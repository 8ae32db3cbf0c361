import { removeBackup, removePartials, type ChangeOptions } from './catalog/change-backups.js';
import { readBackupDirectory, type Backup, type IncompleteBackup } from './catalog/directory.js';
import { directoryError, withBackupDirectory } from './catalog/backup-lock.js';
import { backupsOf, groupByAddress } from './catalog/group-by-origin.js';
import type { BackupOrigin } from './catalog/origin.js';
import type { BackupFormat } from './catalog/names.js';
import type { Place } from './catalog/places.js';
import { planRetention, type KeepReason, type Retained, type RetentionRule } from './catalog/retention.js';

export interface PrunedBackup {
  readonly file: string;
  readonly database: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly sizeBytes: number;
}

export interface KeptByRule extends PrunedBackup {
  readonly reason: KeepReason;
  /** Those it fills under a rule of places, such as the day 2026-11-25 and the month 2026-11. */
  readonly places: readonly Place[];
}

export type PrunePlan = Pick<PruneResult, 'removed' | 'kept'>;

export interface PruneResult {
  readonly directory: string;
  readonly isDryRun: boolean;
  /** Oldest first. */
  readonly removed: readonly PrunedBackup[];
  /** Newest first. */
  readonly kept: readonly KeptByRule[];
  /** What stopped runs had left. */
  readonly removedPartials: readonly string[];
  /** What this user may not read, or the disk does not give: neither counted nor removed. */
  readonly unreadable: readonly Pick<IncompleteBackup, 'file' | 'reason'>[];
}

/** A backup that is about to be made, so that a dry run plans what the real run does. */
function upcoming(format: BackupFormat, now: Date): Retained {
  const verifications = [{ level: 'read', at: now.toISOString() }] as const;
  return { file: '', createdAt: now, manifest: { format, isPinned: false, verifications, damage: null } };
}

/**
 * What the rule means for backups of one database of one origin now.
 *
 * @param next the format of the one that is to be made first
 */
export function planOf(ours: readonly Backup[], rule: RetentionRule, next?: BackupFormat): PrunePlan {
  const now = new Date();
  const { remove, keep } = planRetention<Retained>(
    next === undefined ? ours : [...ours, upcoming(next, now)],
    rule,
    now,
  );
  const byFile = new Map(ours.map((backup) => [backup.file, backup]));
  const described = ({ file }: Retained): readonly PrunedBackup[] => {
    const manifest = byFile.get(file)?.manifest;
    return manifest === undefined
      ? []
      : [{ file, database: manifest.database, createdAt: manifest.createdAt, sizeBytes: manifest.sizeBytes }];
  };
  return {
    removed: remove.flatMap(described),
    kept: keep.flatMap(({ backup, reason, places }) => described(backup).map((each) => ({ ...each, reason, places }))),
  };
}

/** What the rule means for the backups in a directory. */
export async function planPrune(
  directory: string,
  database: string,
  origin: BackupOrigin | null,
  rule: RetentionRule,
  next?: BackupFormat,
): Promise<PrunePlan> {
  const { backups } = await readBackupDirectory(directory);
  return planOf(backupsOf(backups, database, origin), rule, next);
}

/** Removes what the rule lets go, one after the other. Call it under the lock of the directory. */
export async function pruneDatabase(
  directory: string,
  database: string,
  origin: BackupOrigin | null,
  rule: RetentionRule,
  options: ChangeOptions,
): Promise<PrunePlan> {
  return removeAll(directory, await planPrune(directory, database, origin, rule), options);
}

/** As it was done, in the order of the plan: `gone` were removed, and of the others those that were pinned meanwhile are kept. */
export function asDone({ removed, kept }: PrunePlan, gone: ReadonlySet<string>): PrunePlan {
  const pinned = removed.filter(({ file }) => !gone.has(file));
  return {
    removed: removed.filter(({ file }) => gone.has(file)),
    kept: [...kept, ...pinned.map((each): KeptByRule => ({ ...each, reason: 'pinned', places: [] }))],
  };
}

async function removeAll(directory: string, plan: PrunePlan, options: ChangeOptions): Promise<PrunePlan> {
  const gone = new Set<string>();
  try {
    for (const { file } of plan.removed) if (await removeBackup(file, options)) gone.add(file);
    return asDone(plan, gone);
  } catch (error) {
    throw directoryError(directory, error);
  }
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
      const { backups: ours } = await readBackupDirectory(directory);
      for (const group of groupByAddress(ours).filter((each) => each.database === database)) {
        const wanted = planOf(group.backups, rule);
        const plan = isDryRun ? wanted : await removeAll(directory, wanted, options);
        removed.push(...plan.removed);
        kept.push(...plan.kept);
      }
    };
    await (isDryRun ? prune() : withBackupDirectory(directory, database, options, prune));
  }
  const unreadable = incomplete.filter(({ state }) => state === 'unreadable');
  return {
    directory,
    isDryRun,
    removed,
    kept,
    removedPartials,
    unreadable: unreadable.map(({ file, reason }) => ({ file, reason })),
  };
}
