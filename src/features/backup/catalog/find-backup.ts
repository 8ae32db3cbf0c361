import { existsSync } from 'node:fs';
import path from 'node:path';

import { readBackupDirectory, type Backup } from './directory.js';
import { groupByAddress } from './group-by-origin.js';
import { isFull } from './left-out.js';
import { listCommand } from './list-command.js';
import { parseBackupFileName } from './names.js';
import { AisecError } from '../../../base/errors.js';

/** The file that a person means: a path as it is, else a name in the directory of the backups; undefined: there is none. */
export function findGiven(directory: string, cwd: string, given: string): string | undefined {
  return [path.resolve(cwd, given), path.join(directory, given)].find((each) => existsSync(each));
}

/**
 * The path of the backup that a person means.
 *
 * @throws AisecError BACKUP_UNKNOWN; USAGE for a file that is no backup.
 */
export function backupPath(directory: string, cwd: string, given: string): string {
  const list = listCommand(directory);
  const file = findGiven(directory, cwd, given);
  if (file === undefined)
    throw new AisecError('BACKUP_UNKNOWN', `there is no backup "${given}"`, {
      detail: `Looked for it as a path and in ${directory}.`,
      hint: `See what there is: ${list}`,
    });
  if (parseBackupFileName(path.basename(file)) !== undefined) return file;
  throw new AisecError('USAGE', `"${given}" does not have the name of a backup`, {
    hint: `Give a file such as ai_secretary_20261125_021500.dump; see: ${list}`,
  });
}

/** The newest full backup of each database of each server and address, and of each format, in a directory. @throws AisecError BACKUP_UNKNOWN when there is none. */
export async function newestBackups(directory: string, onWarning: (text: string) => void): Promise<readonly Backup[]> {
  const { backups, incomplete } = await readBackupDirectory(directory);
  for (const { state, file, reason } of incomplete)
    if (state === 'unreadable') onWarning(`${file} is not counted, since it cannot be read here: ${reason}`);
  return newestOf(backups, directory);
}

/** The same of what was read. @throws AisecError BACKUP_UNKNOWN when there is none. */
export function newestOf(backups: readonly Backup[], where: string): readonly Backup[] {
  const full = backups.filter(({ manifest }) => isFull(manifest));
  const newest = groupByAddress(full).flatMap((group) => [
    ...new Map(group.backups.toReversed().map((backup) => [backup.manifest.format, backup])).values(),
  ]);
  if (newest.length === 0)
    throw new AisecError('BACKUP_UNKNOWN', `there is no complete backup in ${where}`, {
      hint: 'Give another directory with --dir or AISEC_BACKUP_DIR, or another --store, or make a backup: aisec backup',
    });
  return newest;
}

/** Whether a backup, by its path or address, is one of the embedded database. */
export function isOfEmbedded(file: string): boolean {
  return ['embedded', 'sql'].includes(parseBackupFileName(path.basename(file))?.format ?? 'custom');
}
