import type { Backup } from '../../adapters/backups/folder.js';
import { isVerified } from '../../adapters/backups/manifest.js';
import { nearestFolder } from '../../adapters/backups/use-folder.js';
import { freeBytes } from '../../adapters/files/space.js';
import { formatBytes } from '../../base/bytes.js';
import { AisecError } from '../../base/errors.js';
import type { ServerFacts } from './server-facts.js';

/** Of the last backup: databases grow. */
const GROWTH = 1.2;
/** A compressed dump of the tables, at most; texts and vectors were 38 %. */
const SHARE_OF_TABLES = 0.4;

/** What the next backup will take at most, by the last good one or by the size of the database. */
export function expectedBytes(
  backups: readonly Backup[],
  facts: Pick<ServerFacts, 'sizeBytes' | 'indexSizeBytes'>,
): number {
  const last = backups.find(({ manifest }) => isVerified(manifest));
  return Math.ceil(
    last === undefined
      ? Math.max(0, facts.sizeBytes - facts.indexSizeBytes) * SHARE_OF_TABLES
      : last.manifest.sizeBytes * GROWTH,
  );
}

/** @throws AisecError DISK_FULL before anything is written. */
export async function refuseTooLittleSpace(folder: string, neededBytes: number): Promise<void> {
  const free = await freeBytes(nearestFolder(folder));
  if (free >= neededBytes) return;
  throw new AisecError(
    'DISK_FULL',
    `"${folder}" has ${formatBytes(free)} left, and a backup may take ${formatBytes(neededBytes)}`,
    {
      detail: 'Nothing was written.',
      hint: 'Free some space, or give another folder with --dir.',
    },
  );
}
