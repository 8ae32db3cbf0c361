import { AisecError, messageOf } from '../../../base/errors.js';
import { checksumOf, type Checksum } from '../../../adapters/files/checksum.js';

/** Reads a backup whole. @throws AisecError BACKUP_UNKNOWN for what is not there or cannot be read. */
export async function readChecksum(file: string, signal: AbortSignal): Promise<Checksum> {
  try {
    return await checksumOf(file, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new AisecError('BACKUP_UNKNOWN', `there is no backup ${file}`, {
        hint: 'Give its path, as aisec backup list shows it.',
        cause: error,
      });
    throw new AisecError('BACKUP_UNKNOWN', `could not read the backup ${file}`, {
      detail: `${messageOf(error)}.`,
      hint: 'Check the path.',
      cause: error,
    });
  }
}

/** @throws AisecError BACKUP_DAMAGED when a backup is not the one its manifest is of. */
export function requireSameChecksum(file: string, found: string, expected: string): void {
  if (found === expected) return;
  throw new AisecError('BACKUP_DAMAGED', `the backup ${file} is damaged`, {
    detail: 'Its SHA-256 is not the one its manifest has.',
    hint: 'No changes were made. Restore another backup.',
  });
}
