import { shellWord } from '../../../base/package/aisec-command.js';
import type { Backup, BackupDirectory, IncompleteBackup } from '../catalog/directory.js';
import { backupFinding, type BackupFinding } from './finding.js';

/** Where the backups are, for the fixes. */
export interface CheckedPlace {
  /** The command that makes one there. */
  readonly makeCommand: string;
  /** The command that tries a recovery from there. */
  readonly drillCommand: string;
  /** What a command that names a backup there needs behind it: ` --endpoint https://…`, or nothing. */
  readonly reach: string;
  /** Of incomplete copies in a store, by their address: the command that completes each from what is here. */
  readonly completing?: ReadonlyMap<string, string>;
}

export type CheckedBackups = Pick<BackupDirectory, 'backups' | 'incomplete'>;

function damagedFinding({ file, manifest }: Backup, { reach }: CheckedPlace): readonly BackupFinding[] {
  const { database, damage } = manifest;
  if (damage === null) return [];
  return [
    backupFinding(
      'damaged',
      { database, file },
      {
        message: `${file} is damaged: ${damage.reason}`,
        impact: 'it cannot be relied on, and retention does not count it; verify it again, or delete it',
        fix: `aisec backup verify ${shellWord(file)}${reach}`,
      },
    ),
  ];
}

function incompleteFinding(
  { state, database, file, reason }: IncompleteBackup,
  { completing }: CheckedPlace,
): BackupFinding {
  const impact = 'it is not counted, and retention never deletes it';
  const of = { database, file };
  if (state === 'unreadable')
    return backupFinding(state, of, {
      message: `${file} cannot be read here: ${reason}`,
      impact: `${impact}; check as a user who may read it, or back up with --mode 0640`,
      fix: null,
    });
  const fix = completing?.get(file) ?? null;
  return backupFinding(state, of, {
    message: `${file} is incomplete: ${reason}`,
    impact: `${impact}; ${fix === null ? 'bring its other part back, or delete it' : 'the backup of this name that is here completes it'}`,
    fix,
  });
}

function futureFinding({ file, manifest: { database }, createdAt }: Backup, now: Date): readonly BackupFinding[] {
  if (createdAt <= now) return [];
  return [
    backupFinding(
      'future',
      { database, file },
      {
        message: `${file} has a timestamp in the future`,
        impact: 'a clock was wrong when it was made, or is wrong now, so its age is unknown',
        fix: 'timedatectl set-ntp true',
      },
    ),
  ];
}

/** What is wrong with single backups, whatever else there is. */
export function brokenFindings(
  { backups, incomplete }: CheckedBackups,
  place: CheckedPlace,
  now: Date,
): readonly BackupFinding[] {
  return [
    ...backups.flatMap((backup) => damagedFinding(backup, place)),
    ...incomplete.map((each) => incompleteFinding(each, place)),
    ...backups.flatMap((backup) => futureFinding(backup, now)),
  ];
}
