import type { BackupManifest } from '../catalog/manifest.js';
import { openNew, type OpenedEmbedded } from '../../../adapters/embedded/embedded.js';
import type { OpenOptions } from '../../../adapters/postgres/open-options.js';
import { openTar } from '../../../adapters/embedded/tar.js';
import { compareContents, unpackTar, type Contents } from './embedded-backup.js';
import type { OnPhase } from '../restore/phases.js';
import { loadSql } from './load-sql.js';
import { AisecError } from '../../../base/errors.js';

export interface LoadOptions {
  readonly format: BackupManifest['format'];
  /** For the database in memory. */
  readonly engine: OpenOptions;
  readonly signal: AbortSignal;
  readonly onPhase?: OnPhase;
  readonly onProgress: (text: string) => void;
  /** Looks at more than the manifest says; returns what is otherwise, one line each. */
  readonly compareMore?: (loaded: OpenedEmbedded) => Promise<readonly string[]>;
}

async function loadInMemory(file: string, { roles }: Contents, options: LoadOptions): Promise<OpenedEmbedded> {
  const { engine, onProgress } = options;
  if (options.format !== 'sql') {
    const tar = await unpackTar(file, options);
    onProgress('loading it to try it');
    return openTar(tar, engine, { label: 'backup in memory' });
  }
  onProgress('loading it to try it');
  const opened = await openNew(engine);
  try {
    await loadSql(opened.session, file, roles, options);
    return opened;
  } catch (error) {
    await opened.session.close();
    throw error;
  }
}

/**
 * Starts a database in memory from a backup, whose checksum was compared, and compares what is in it.
 *
 * @throws AisecError BACKUP_DAMAGED with every difference.
 */
export async function compareLoaded(file: string, contents: Contents, options: LoadOptions): Promise<void> {
  options.onPhase?.('rows');
  const loaded = await loadInMemory(file, contents, options);
  try {
    options.onPhase?.('compare');
    const faults = [
      ...(await compareContents(loaded.session, contents, options.onProgress)),
      ...((await options.compareMore?.(loaded)) ?? []),
    ];
    if (faults.length === 0) return;
    throw new AisecError('BACKUP_DAMAGED', `${file} does not hold what was backed up`, {
      detail: faults.join('\n  '),
      hint: 'Run the backup again; if it happens again, please report it.',
    });
  } finally {
    await loaded.session.close();
  }
}
