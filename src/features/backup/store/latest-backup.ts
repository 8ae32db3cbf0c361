import { withStore } from '../../../adapters/object-store/store.js';
import { AisecError } from '../../../base/errors.js';
import { storeUrl, type StorePlace } from '../../../config/store-url.js';
import { withMaintenance, type BackupRun, type EmbeddedAccess, type ServerAccess } from '../access.js';
import { readBackupDirectory, type Backup } from '../catalog/directory.js';
import { isOfEmbedded } from '../catalog/find-backup.js';
import { backupsOf, backupsOfServer, groupByOrigin } from '../catalog/group-by-origin.js';
import { listCommand } from '../catalog/list-command.js';
import { isVerifiedFull } from '../catalog/manifest.js';
import type { BackupOrigin } from '../catalog/origin.js';
import { knownEmbeddedOrigin, serverOrigin } from '../run/read-origin.js';
import { readBackupCopies } from './remote-backups.js';

/** Where the newest backup is looked for. */
export interface LatestSource {
  /** Absolute. */
  readonly directory: string;
  /** Instead of the directory; undefined: the directory. */
  readonly place: StorePlace | undefined;
  /** Takes those of another server when it alone has backups of this name here, as on a server that replaces a lost one. */
  readonly takesOther: boolean;
}

/** The newest verified backup of a database. */
export interface LatestBackup {
  /** Path, or address in a store. */
  readonly file: string;
  readonly database: string;
  readonly createdAt: Date;
  /** Null where it could not be read. */
  readonly origin: BackupOrigin | null;
  /** Whether it is known to be of another server than this one. */
  readonly isOfOther: boolean;
}

interface Wanted {
  readonly database: string;
  /** Of the database here; null where it cannot be read. */
  readonly origin: BackupOrigin | null;
  readonly isEmbedded: boolean;
}

/** Those of this database; where none is, and it is asked for, those of the only other one of its name. */
function ofDatabase(
  backups: readonly Backup[],
  { database, origin }: Wanted,
  takesOther: boolean,
): readonly Backup[] | undefined {
  const ours = backupsOf(backups, database, origin);
  if (ours.length > 0) return ours;
  const ofServer = backupsOfServer(backups, database, origin);
  if (ofServer.length > 0) return ofServer;
  const groups = groupByOrigin(backups).filter((group) => group.database === database);
  // A role that may not read which server it is on cannot be wrong where there is only one.
  if (!takesOther && origin !== null) return [];
  return groups.length > 1 ? undefined : groups[0]?.backups;
}

async function backupsThere({ places, signal, databaseName }: BackupRun, { place, directory }: LatestSource) {
  if (place === undefined) return readBackupDirectory(directory);
  return withStore(place, { environment: places.environment, signal }, (store) =>
    readBackupCopies(store, databaseName),
  );
}

/** Why none of what is there can be taken; undefined where nothing is. */
function whyNone({ backups, incomplete }: Awaited<ReturnType<typeof backupsThere>>): string | undefined {
  const unreadable = incomplete.find(({ state }) => state === 'unreadable');
  if (unreadable !== undefined) return `${unreadable.file} cannot be read here: ${unreadable.reason}`;
  if (backups.length === 0) return undefined;
  return 'Those that are there are damaged, never verified, partial, or of another database or server.';
}

async function latestOf(access: BackupRun, wanted: Wanted, source: LatestSource): Promise<LatestBackup> {
  const { database, origin, isEmbedded } = wanted;
  const found = await backupsThere(access, source);
  const where = source.place === undefined ? source.directory : storeUrl(source.place);
  const ofSort = found.backups.filter(({ file }) => isOfEmbedded(file) === isEmbedded);
  const ours = ofDatabase(ofSort, wanted, source.takesOther);
  const isThere = ofSort.some(({ manifest }) => manifest.database === database);
  if (ours === undefined && isThere)
    throw new AisecError(
      'BACKUP_UNKNOWN',
      `${where} has backups of several databases "${database}", none of this server`,
      {
        detail: `They are of ${[...new Set(ofSort.flatMap(({ manifest }) => (manifest.database === database ? [manifest.origin?.label ?? 'a server that is not said'] : [])))].join(', ')}.`,
        hint: `Give the backup that is meant; see: ${listCommand(source.place ?? source.directory)}`,
      },
    );
  const newest = ours?.find(({ manifest, createdAt }) => isVerifiedFull(manifest) && createdAt <= new Date());
  if (newest === undefined)
    throw new AisecError('BACKUP_UNKNOWN', `there is no verified backup of "${database}" in ${where}`, {
      detail: whyNone(found),
      hint: 'Make one with `aisec backup`, or give one: a path, --dir DIR, or --store s3://bucket/directory.',
    });
  const { file, manifest, createdAt } = newest;
  const madeOf = manifest.origin ?? null;
  return {
    file,
    database,
    createdAt,
    origin: madeOf,
    isOfOther: madeOf !== null && origin !== null && madeOf.id !== origin.id,
  };
}

/** The newest verified backup of the configured database of a server. @throws AisecError BACKUP_UNKNOWN, and those of the store. */
export async function latestBackup(access: ServerAccess, source: LatestSource): Promise<LatestBackup> {
  // Not on the database itself, which may be what was lost.
  const origin = await withMaintenance(access, (session) => serverOrigin(session, access));
  return latestOf(access, { database: access.databaseName, origin, isEmbedded: false }, source);
}

/** The same of the embedded database. @throws as `latestBackup`. */
export async function latestEmbeddedBackup(access: EmbeddedAccess, source: LatestSource): Promise<LatestBackup> {
  const origin = await knownEmbeddedOrigin(access.dataDir);
  return latestOf(access, { database: access.databaseName, origin, isEmbedded: true }, source);
}
