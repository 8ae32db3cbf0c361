import type { OpenOptions } from '../../adapters/postgres/open-options.js';
import { openTar } from '../../adapters/postgres/embedded-tar.js';
import { compareContents, unpackTar, type Contents } from '../../adapters/restoring/embedded-backup.js';
import { AisecError } from '../../base/errors.js';

export interface LoadOptions {
  /** For the database in memory. */
  readonly engine: OpenOptions;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/**
 * Starts a database in memory from a backup, whose checksum was compared, and compares what is in it.
 *
 * @throws AisecError BACKUP_INVALID with every difference.
 */
export async function proveByLoading(file: string, contents: Contents, options: LoadOptions): Promise<void> {
  const { engine, onProgress } = options;
  const tar = await unpackTar(file, options);
  onProgress('loading it to try it');
  const session = await openTar(tar, engine, { label: 'backup in memory' });
  try {
    const faults = await compareContents(session, contents, onProgress);
    if (faults.length === 0) return;
    throw new AisecError('BACKUP_INVALID', `${file} does not hold what was backed up`, {
      detail: faults.join('\n  '),
      hint: 'Run the backup again; if it happens again, please report it.',
    });
  } finally {
    await session.close();
  }
}
