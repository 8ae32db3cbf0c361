import { readBackupDirectory } from '../catalog/directory.js';
import { backupsOf, otherOrigins } from '../catalog/group-by-origin.js';
import type { BackupOrigin } from '../catalog/origin.js';
import type { BackupFormat } from '../catalog/names.js';
import type { BackupRun } from '../access.js';
import type { Reporting } from '../../../base/reporting.js';
import type { BackupOptions } from './finish.js';
import type { ServerFacts } from './server-facts.js';
import { expectedBytes, refuseTooLittleSpace } from './space.js';

/** Everything that can be known before there is a directory or a file. Returns what the backup will take at most. */
export async function preflightBackup(
  access: BackupRun,
  format: BackupFormat,
  facts: ServerFacts & { readonly origin: BackupOrigin | null },
  { directory, encryptTo }: BackupOptions,
  { onWarning }: Reporting,
): Promise<number> {
  const { backups } = await readBackupDirectory(directory);
  const ours = backupsOf(backups, access.databaseName, facts.origin);
  for (const { label } of otherOrigins(backups, access.databaseName, facts.origin))
    onWarning(
      `${directory} also has backups of another "${access.databaseName}", of ${label}; they are neither counted nor removed`,
    );
  const alike = ours.filter(({ manifest }) => manifest.format === format);
  const needed = expectedBytes(alike, facts, format);
  // The plain dump lies beside the encrypted one until that is verified.
  await refuseTooLittleSpace(directory, encryptTo === undefined ? needed : 2 * needed);
  const [newest] = ours;
  if (newest !== undefined && newest.createdAt > new Date())
    onWarning(`${newest.file} has a timestamp in the future; was the clock set back?`);
  return needed;
}
