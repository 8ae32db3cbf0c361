import { stat } from 'node:fs/promises';

import { partialName } from './names.js';

/** Of every file of a backup. 0640: a group may read them, such as that of the monitoring. */
export type BackupFileMode = 0o600 | 0o640;

const GROUP_MAY_READ = 0o040;

/** By the backup itself, or by the partial file that is to become it; 0600 where there is neither. */
export async function fileModeOf(file: string): Promise<BackupFileMode> {
  const stats = await stat(file)
    .catch(() => stat(partialName(file)))
    .catch(() => undefined);
  return stats !== undefined && process.platform !== 'win32' && (stats.mode & GROUP_MAY_READ) !== 0 ? 0o640 : 0o600;
}
