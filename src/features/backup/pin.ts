import { backupPath } from './catalog/find-backup.js';
import { isStoreUrl } from '../../config/store-url.js';
import { changeManifestOf, manifestOf, type BackupLocation } from './store/backup-location.js';

export interface PinOptions extends BackupLocation {
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
 * Marks a backup, or a copy in a store, as one that retention never removes, or takes the mark off.
 *
 * @throws AisecError BACKUP_UNKNOWN, USAGE, BACKUP_INVALID when it has no manifest.
 */
export async function pinBackup(
  directory: string,
  given: string,
  { isPinned, isDryRun, cwd, ...options }: PinOptions,
): Promise<PinResult> {
  const file = isStoreUrl(given) ? given : backupPath(directory, cwd, given);
  if (isDryRun) await manifestOf(file, options);
  else await changeManifestOf(file, options, (before) => ({ ...before, isPinned }));
  return { file, isPinned, isDryRun };
}
