import { withStore } from '../../adapters/object-store/store.js';
import { AisecError } from '../../base/errors.js';
import { isStoreUrl, storeUrl, type StorePlace } from '../../config/store-url.js';
import type { ServerAccess } from './access.js';
import { readBackupDirectory, type Backup } from './catalog/directory.js';
import { backupPath, isOfEmbedded } from './catalog/find-backup.js';
import { backupsOf, groupByOrigin } from './catalog/group-by-origin.js';
import { isVerified } from './catalog/manifest.js';
import type { BackupOrigin } from './catalog/origin.js';
import { readBackup } from './contents/read-backup.js';
import { rehearsalName } from './restore/database-names.js';
import type { LeftOutKinds } from './restore/left-out-kinds.js';
import { withScratchRestore } from './restore/scratch.js';
import { serverOrigin } from './run/read-origin.js';
import { manifestOf } from './store/backup-location.js';
import { withLocalBackup, type BackupSource } from './store/local-backup.js';
import { readBackupCopies } from './store/remote-backups.js';

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

function newestVerified(backups: readonly Backup[], database: string, origin: BackupOrigin | null): Backup | undefined {
  const groups = groupByOrigin(backups).filter((group) => group.database === database);
  // A role that may not read which server it is on cannot be wrong where there is only one.
  const [only, other] = groups;
  const ours = origin === null && other === undefined ? (only?.backups ?? []) : backupsOf(backups, database, origin);
  return ours.find(
    (backup) => isVerified(backup.manifest) && !isOfEmbedded(backup.file) && backup.createdAt <= new Date(),
  );
}

async function newestBackup(access: ServerAccess, { place, directory }: RehearsalSource): Promise<string> {
  const { databaseName, places, signal } = access;
  const origin = await access.withDatabase(databaseName, (session) => serverOrigin(session, access.host));
  const { backups } =
    place === undefined
      ? await readBackupDirectory(directory)
      : await withStore(place, { environment: places.environment, signal }, (store) =>
          readBackupCopies(store, databaseName),
        );
  const newest = newestVerified(backups, databaseName, origin);
  if (newest !== undefined) return newest.file;
  const where = place === undefined ? directory : storeUrl(place);
  throw new AisecError('BACKUP_UNKNOWN', `there is no verified backup of "${databaseName}" in ${where}`, {
    detail:
      backups.length === 0
        ? undefined
        : 'Those that are there are damaged, never verified, or of another database or server.',
    hint: 'Make one with `aisec backup`, or give one: a path, --dir DIR, or --store s3://bucket/directory.',
  });
}

function findBackup(access: ServerAccess, source: RehearsalSource): Promise<string> | string {
  const { given, directory, cwd } = source;
  if (given === '') return newestBackup(access, source);
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
  const local = { ...source, withoutManifest: false, environment: places.environment, signal };
  return withLocalBackup(file, local, async (plain) => {
    const backup = await readBackup(access, plain, { withoutManifest: false, onProgress });
    const scratch = rehearsalName(access.databaseName);
    return withScratchRestore(access, backup, { ...source, scratch }, () => {
      const restoreMs = Math.round(performance.now() - startedMs);
      return use(scratch, { file, createdAt, databaseSizeBytes, restoreMs });
    });
  });
}
