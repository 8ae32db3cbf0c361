import { changeManifest, type ChangeOptions } from './catalog/change-backups.js';
import { backupPath } from './catalog/find-backup.js';

export interface PinResult {
  readonly file: string;
  readonly isPinned: boolean;
}

/**
 * Marks a backup as one that retention never removes, or takes the mark off.
 *
 * @throws AisecError BACKUP_UNKNOWN, USAGE, BACKUP_INVALID when it has no manifest.
 */
export async function pinBackup(
  directory: string,
  given: string,
  { isPinned, cwd, ...options }: ChangeOptions & { readonly isPinned: boolean; readonly cwd: string },
): Promise<PinResult> {
  const file = backupPath(directory, cwd, given);
  const manifest = await changeManifest(file, options, (before) => ({ ...before, isPinned }));
  return { file, isPinned: manifest.isPinned };
}
