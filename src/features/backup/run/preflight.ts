import { statSync } from 'node:fs';

import { isCommittable } from '../../../adapters/git/committable.js';
import type { BackupFileMode } from '../catalog/file-mode.js';
import { readBackupDirectory } from '../catalog/directory.js';
import { backupsOf, otherOrigins } from '../catalog/group-by-origin.js';
import { refuseLag } from '../catalog/standby.js';
import type { BackupOrigin } from '../catalog/origin.js';
import type { BackupFormat } from '../catalog/names.js';
import { formatBytes } from '../../../base/bytes.js';
import { quotedTable } from '../../../base/identifier.js';
import type { BackupRun } from '../access.js';
import type { Reporting } from '../../../base/reporting.js';
import type { BackupOptions } from './finish.js';
import { type ServerFacts } from './server-facts.js';
import { expectedBytes, neededBytes, refuseTooLittleSpace } from './space.js';

const GROUP_MAY_ENTER = 0o050;

/** One that is not there yet is made so. */
function canGroupEnter(directory: string): boolean {
  const stats = statSync(directory, { throwIfNoEntry: false });
  return stats === undefined || process.platform === 'win32' || (stats.mode & GROUP_MAY_ENTER) === GROUP_MAY_ENTER;
}

const OTHERS_MAY_WRITE = 0o002;
const STICKY = 0o1000;

/** Without the sticky bit, which a directory such as /tmp has. */
function canOthersReplace(directory: string): boolean {
  const stats = statSync(directory, { throwIfNoEntry: false });
  return (
    stats !== undefined &&
    process.platform !== 'win32' &&
    (stats.mode & (OTHERS_MAY_WRITE | STICKY)) === OTHERS_MAY_WRITE
  );
}

/** What endangers backups in this place, though they can be made. */
async function warnOfPlace(directory: string, mode: BackupFileMode, onWarning: (text: string) => void): Promise<void> {
  if (mode === 0o640 && !canGroupEnter(directory))
    onWarning(`${directory} cannot be entered by its group, so only its owner can read the backups: chmod g+rx it`);
  if (canOthersReplace(directory))
    onWarning(`every user of this machine may delete or replace the backups in ${directory}: chmod o-w it`);
  if (await isCommittable(directory))
    onWarning(
      `${directory} is in a git work tree that does not ignore it, so that the data may be committed: add it to .gitignore`,
    );
}

/** Everything that can be known before there is a directory or a file. Returns what the backup will take at most. */
export async function preflightBackup(
  access: BackupRun,
  format: BackupFormat,
  facts: ServerFacts & { readonly origin: BackupOrigin | null },
  { directory, encryptTo, recipientsFile, mode, maxLagMs, jobs }: BackupOptions,
  { onWarning }: Reporting,
): Promise<number> {
  refuseLag(facts.standby, maxLagMs);
  const unlogged = facts.standby?.unloggedTables ?? [];
  if (unlogged.length > 0)
    onWarning(
      `a standby has no rows of unlogged tables, so that the backup has none of ${unlogged.map(quotedTable).join(', ')}`,
    );
  const { backups } = await readBackupDirectory(directory);
  const ours = backupsOf(backups, access.databaseName, facts.origin);
  for (const { label, address = label } of otherOrigins(backups, access.databaseName, facts.origin))
    onWarning(
      `${directory} also has backups of another "${access.databaseName}", of ${address}; they are neither counted nor removed`,
    );
  const alike = ours.filter(({ manifest }) => manifest.format === format);
  const expected = expectedBytes(alike, facts, format);
  const isEncrypted = encryptTo !== undefined || recipientsFile !== undefined;
  const needed = neededBytes(expected, facts, { isEncrypted, jobs });
  const less = neededBytes(expected, facts, { isEncrypted, jobs: 1 });
  const withoutJobs = less < needed ? ` Without --jobs it takes ${formatBytes(less)}.` : '';
  await refuseTooLittleSpace(directory, needed, withoutJobs);
  await warnOfPlace(directory, mode, onWarning);
  const [newest] = ours;
  if (newest !== undefined && newest.createdAt > new Date())
    onWarning(`${newest.file} has a timestamp in the future; was the clock set back?`);
  return expected;
}
