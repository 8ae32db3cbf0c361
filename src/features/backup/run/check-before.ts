import { readBackupFolder } from '../catalog/folder.js';
import type { BackupFormat } from '../catalog/names.js';
import type { BackupRun } from '../access.js';
import type { Reporting } from '../../../base/reporting.js';
import type { BackupOptions } from './finish.js';
import type { ServerFacts } from './server-facts.js';
import { expectedBytes, refuseTooLittleSpace } from './space.js';

/** Everything that can be known before there is a folder or a file. Returns what the backup will take at most. */
export async function checkBefore(
  access: BackupRun,
  format: BackupFormat,
  facts: ServerFacts,
  { folder, encryptTo }: BackupOptions,
  { onWarning }: Reporting,
): Promise<number> {
  const { backups } = await readBackupFolder(folder);
  const ours = backups.filter(({ manifest }) => manifest.database === access.databaseName);
  const alike = ours.filter(({ manifest }) => manifest.format === format);
  const needed = expectedBytes(alike, facts, format);
  // The plain dump lies beside the encrypted one until that is proven.
  await refuseTooLittleSpace(folder, encryptTo === undefined ? needed : 2 * needed);
  const [newest] = ours;
  if (newest !== undefined && newest.createdAt > new Date())
    onWarning(`${newest.file} is dated later than now; was the clock set back?`);
  return needed;
}
