import { isStoreUrl, type StorePlace } from '../../config/store-url.js';
import type { ServerAccess } from './access.js';
import { backupPath } from './catalog/find-backup.js';
import { readBackup } from './contents/read-backup.js';
import { rehearsalName } from './restore/database/database-names.js';
import type { LeftOutKinds } from './restore/left-out-kinds.js';
import { withScratchRestore } from './restore/database/scratch.js';
import { manifestOf } from './store/backup-location.js';
import { latestBackup } from './store/latest-backup.js';
import { withLocalBackup, type BackupSource } from './store/local-backup.js';

export interface RehearsalSource extends BackupSource, LeftOutKinds {
  /** A path, a name in the directory, or the address of a copy; empty: the newest verified backup of the database. */
  readonly given: string;
  /** Absolute. */
  readonly directory: string;
  /** Where the newest is looked for instead of the directory. */
  readonly place: StorePlace | undefined;
  readonly cwd: string;
  readonly jobs?: number;
  readonly waitMs: number;
  readonly onProgress: (text: string) => void;
}

/** The backup that a rehearsal works on. */
export interface RehearsalBackup {
  /** Path, or address in a store. */
  readonly file: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Of the database when it was backed up. */
  readonly databaseSizeBytes: number;
  /** Restoring and comparing it with its manifest. */
  readonly restoreMs: number;
}

async function findBackup(access: ServerAccess, source: RehearsalSource): Promise<string> {
  const { given, directory, cwd } = source;
  if (given === '') return (await latestBackup(access, { ...source, takesOther: false })).file;
  return isStoreUrl(given) ? given : backupPath(directory, cwd, given);
}

/**
 * Runs the callback with the name of a database on the server that a backup was restored into, and drops it whatever
 * happens. Its name is `aisec_rehearse_<database>`; one that a killed run has left is dropped first.
 *
 * @throws AisecError BACKUP_UNKNOWN, ENCRYPTION_KEY, DISK_FULL, those of the store, and as `withScratchRestore`.
 */
export async function withRehearsalDatabase<Result>(
  access: ServerAccess,
  source: RehearsalSource,
  use: (database: string, backup: RehearsalBackup) => Promise<Result>,
): Promise<Result> {
  const { onProgress, endpoint } = source;
  const { places, signal } = access;
  const file = await findBackup(access, source);
  const location = { command: access.applicationName, endpoint, places, signal, onProgress };
  const { createdAt, databaseSizeBytes } = await manifestOf(file, location);
  const startedMs = performance.now();
  const local = { ...source, withoutManifest: false, places, signal };
  return withLocalBackup(file, local, async (plain) => {
    const backup = await readBackup(access, plain, { withoutManifest: false, onProgress });
    const scratch = rehearsalName(access.databaseName);
    return withScratchRestore(access, backup, { ...source, scratch }, () => {
      const restoreMs = Math.round(performance.now() - startedMs);
      return use(scratch, { file, createdAt, databaseSizeBytes, restoreMs });
    });
  });
}
