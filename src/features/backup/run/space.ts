import type { Backup } from '../catalog/directory.js';
import { isVerifiedFull } from '../catalog/manifest.js';
import type { BackupFormat } from '../catalog/names.js';
import { nearestDirectory } from '../catalog/backup-lock.js';
import { freeBytes } from '../../../adapters/files/space.js';
import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import type { ServerFacts } from './server-facts.js';

type Sizes = Pick<ServerFacts, 'sizeBytes' | 'indexSizeBytes' | 'denseBytes' | 'largestTableBytes'>;

/** Of the last backup: databases grow. */
const GROWTH = 1.2;
/** Of short values, a compressed dump has this at most; of long ones and large objects, it may have all: vectors were 57 %. */
const SHARE_OF_SHORT = 0.4;

/** A data directory without rows, packed: catalogs, three times, and what was last written to the log. */
const EMPTY_DIRECTORY_BYTES = 12_000_000;

/** Of a backup that is the first of its kind. */
function firstBytes({ sizeBytes, indexSizeBytes, denseBytes }: Sizes, format: BackupFormat): number {
  const all = format === 'embedded' ? sizeBytes : sizeBytes - indexSizeBytes;
  const ofRows = Math.max(0, all - denseBytes) * SHARE_OF_SHORT + denseBytes;
  return format === 'embedded' ? EMPTY_DIRECTORY_BYTES + ofRows : ofRows;
}

/** What the next backup is expected to take, rather more than less: by the last good one of its format or by the size of the database. */
export function expectedBytes(backups: readonly Backup[], facts: Sizes, format: BackupFormat): number {
  const last = backups.find(({ manifest }) => isVerifiedFull(manifest));
  return Math.ceil(last === undefined ? firstBytes(facts, format) : last.manifest.sizeBytes * GROWTH);
}

/** What is on the disk at once at most while a backup of so many bytes is written. */
export function neededBytes(
  bytes: number,
  { sizeBytes, indexSizeBytes, largestTableBytes }: Sizes,
  { isEncrypted, jobs }: { readonly isEncrypted: boolean; readonly jobs: number },
): number {
  // The plain dump lies beside the encrypted one until that is verified.
  if (isEncrypted) return 2 * bytes;
  if (jobs === 1) return bytes;
  // What several jobs have dumped is packed table by table, and each is deleted when it was.
  const share = largestTableBytes / Math.max(1, sizeBytes - indexSizeBytes);
  return Math.ceil(bytes * (1 + Math.min(1, share)));
}

/** @param why what of it can be done without, as a step. @throws AisecError DISK_FULL before anything is written. */
export async function refuseTooLittleSpace(directory: string, neededBytes: number, why = ''): Promise<void> {
  const free = await freeBytes(nearestDirectory(directory));
  if (free >= neededBytes) return;
  throw new AisecError(
    'DISK_FULL',
    `"${directory}" has ${formatBytes(free)} left, and a backup may take ${formatBytes(neededBytes)}`,
    {
      detail: 'Nothing was written.',
      hint: `Free some space, or give another directory with --dir.${why}`,
    },
  );
}
