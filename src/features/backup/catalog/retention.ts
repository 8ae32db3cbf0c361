import { subtractAge, type Age } from '../../../base/age.js';
import { isFull } from './left-out.js';
import { isVerified, isVerifiedFull, type BackupManifest } from './manifest.js';
import { fillPlaces, type Place, type PlaceCounts } from './places.js';

export interface RetentionRule {
  /** An age: backups begun earlier may be deleted. Or places: those that fill none may be. */
  readonly keep: Age | { readonly places: PlaceCounts };
  /** The newest verified backups, at least one, that stay whatever their age. */
  readonly keepLast: number;
}

/** Why a backup stays; the first that holds. `unverified`, `partial`: it fills no place, and is as young as those of the days. */
export type KeepReason = 'pinned' | 'future' | 'young' | 'place' | 'last' | 'unverified' | 'partial';

/** What the rule is applied to. */
export interface Retained {
  readonly file: string;
  readonly createdAt: Date;
  readonly manifest: Pick<BackupManifest, 'format' | 'isPinned' | 'verifications' | 'damage' | 'leftOut'>;
}

export interface KeptBackup<Each> {
  readonly backup: Each;
  readonly reason: KeepReason;
  /** Those it fills, of a pinned one, too; empty where the rule is an age. */
  readonly places: readonly Place[];
}

/** What becomes of the backups of one database. */
export interface RetentionPlan<Each> {
  /** Oldest first: stopped half-way, what is left is still in order. */
  readonly remove: readonly Each[];
  readonly keep: readonly KeptBackup<Each>[];
}

function newestFirst(a: Retained, b: Retained): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || Number(a.file < b.file) - Number(a.file > b.file);
}

/** When an age rule has a limit, it; under places the one for what fills none, since it could still be verified. */
function limitOf({ keep }: RetentionRule, now: Date): Date {
  return subtractAge(now, 'places' in keep ? { months: 0, days: keep.places.day ?? 0 } : keep);
}

/**
 * Which backups of one database may be deleted. Age is the manifest's, never the file's. One that has a timestamp in the future is
 * neither removed nor counted: a clock was wrong when it was made, or is wrong now. Damaged, unverified and partial ones are not
 * counted either, so that the newest verified one is always among the last. Each format is counted for itself: a data
 * directory and a text are not used for the same. The order of the input makes no difference.
 */
export function planRetention<Each extends Retained>(
  backups: readonly Each[],
  rule: RetentionRule,
  now: Date,
): RetentionPlan<Each> {
  const nowMs = now.getTime();
  const oldest = limitOf(rule, now);
  const isByAge = !('places' in rule.keep);
  const sorted = backups.toSorted(newestFirst);
  const counted = sorted.filter(({ createdAt, manifest }) => isVerifiedFull(manifest) && createdAt.getTime() <= nowMs);
  const byFormat = [...new Set(counted.map(({ manifest }) => manifest.format))].map((format) =>
    counted.filter(({ manifest }) => manifest.format === format),
  );
  const last = new Set(byFormat.flatMap((each) => each.slice(0, Math.max(1, rule.keepLast))));
  const filled = new Map(
    byFormat.flatMap((each) => ('places' in rule.keep ? [...fillPlaces(each, rule.keep.places)] : [])),
  );
  const reasonFor = (backup: Each): KeepReason | undefined => {
    const isYoung = backup.createdAt > oldest;
    if (backup.manifest.isPinned) return 'pinned';
    if (backup.createdAt.getTime() > nowMs) return 'future';
    if (isYoung && isByAge) return 'young';
    if (filled.has(backup)) return 'place';
    if (last.has(backup)) return 'last';
    if (!isYoung) return undefined;
    if (!isVerified(backup.manifest)) return 'unverified';
    return isFull(backup.manifest) ? undefined : 'partial';
  };
  const judged = sorted.map((backup) => ({ backup, reason: reasonFor(backup), places: filled.get(backup) ?? [] }));
  return {
    remove: judged.flatMap(({ backup, reason }) => (reason === undefined ? [backup] : [])).toReversed(),
    keep: judged.flatMap(({ reason, ...kept }) => (reason === undefined ? [] : [{ ...kept, reason }])),
  };
}
