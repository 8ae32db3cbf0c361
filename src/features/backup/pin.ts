import { changeManifest, type ChangeOptions } from './catalog/change-backups.js';
import { backupPath } from './catalog/find-backup.js';
import { readManifest } from './catalog/manifest.js';

export interface PinOptions extends ChangeOptions {
  readonly isPinned: boolean;
  readonly isDryRun: boolean;
  readonly cwd: string;
}

export interface PinResult {
  readonly file: string;
  readonly isPinned: boolean;
  readonly isDryRun: boolean;
}

/**
 * Marks a backup as one that retention never removes, or takes the mark off.
 *
 * @throws AisecError BACKUP_UNKNOWN, USAGE, BACKUP_INVALID when it has no manifest.
 */
export async function pinBackup(
  directory: string,
  given: string,
  { isPinned, isDryRun, cwd, ...options }: PinOptions,
): Promise<PinResult> {
  const file = backupPath(directory, cwd, given);
  if (isDryRun) await readManifest(file);
  else await changeManifest(file, options, (before) => ({ ...before, isPinned }));
  return { file, isPinned, isDryRun };
}
