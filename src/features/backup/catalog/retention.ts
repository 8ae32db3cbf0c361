import { subtractAge, type Age } from '../../../base/age.js';
import type { Backup } from './directory.js';
import { isVerified } from './manifest.js';

export interface RetentionRule {
  /** Backups begun earlier than this age ago may be deleted. */
  readonly keep: Age;
  /** The newest verified backups, at least one, that stay whatever their age. */
  readonly keepLast: number;
}

/** Why a backup stays; the first that holds. */
export type KeepReason = 'pinned' | 'future' | 'young' | 'last';

export interface KeptBackup {
  readonly backup: Backup;
  readonly reason: KeepReason;
}

/** What becomes of the backups of one database. */
export interface RetentionPlan {
  /** Oldest first: stopped half-way, what is left is still in order. */
  readonly remove: readonly Backup[];
  readonly keep: readonly KeptBackup[];
}

/**
 * Which backups of one database may be deleted. Age is the manifest's, never the file's. One that has a timestamp in the future is
 * neither removed nor counted: a clock was wrong when it was made, or is wrong now. Damaged and unverified ones are not
 * counted either, so that the newest verified one is always among the last. Each format is counted for itself: a data
 * directory and a text are not used for the same.
 */
export function planRetention(backups: readonly Backup[], rule: RetentionRule, now: Date): RetentionPlan {
  const nowMs = now.getTime();
  const oldest = subtractAge(now, rule.keep);
  const newestFirst = backups.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  const counted = newestFirst.filter(({ createdAt, manifest }) => isVerified(manifest) && createdAt.getTime() <= nowMs);
  const formats = new Set(counted.map(({ manifest }) => manifest.format));
  const last = new Set(
    [...formats].flatMap((format) =>
      counted.filter(({ manifest }) => manifest.format === format).slice(0, Math.max(1, rule.keepLast)),
    ),
  );
  const reasonFor = (backup: Backup): KeepReason | undefined => {
    if (backup.manifest.isPinned) return 'pinned';
    if (backup.createdAt.getTime() > nowMs) return 'future';
    if (backup.createdAt > oldest) return 'young';
    return last.has(backup) ? 'last' : undefined;
  };
  const judged = newestFirst.map((backup) => ({ backup, reason: reasonFor(backup) }));
  return {
    remove: judged.flatMap(({ backup, reason }) => (reason === undefined ? [backup] : [])).toReversed(),
    keep: judged.flatMap(({ backup, reason }) => (reason === undefined ? [] : [{ backup, reason }])),
  };
}
