import { readBackupCopies } from './store/remote-backups.js';
import { readBackupDirectory, type Backup, type BackupDirectory, type IncompleteBackup } from './catalog/directory.js';
import type { BackupFacts } from './catalog/facts.js';
import { newestOf } from './catalog/find-backup.js';
import { isFull } from './catalog/left-out.js';
import { isVerified, type BackupManifest } from './catalog/manifest.js';
import { withStore, type StoreOptions } from '../../adapters/object-store/store.js';
import { storeUrl, type StorePlace } from '../../config/store-url.js';

/** Sizes in bytes, times in RFC 3339. What an incomplete one does not have is null. */
export interface ListedBackup {
  readonly file: string;
  readonly database: string;
  readonly createdAt: string;
  readonly sizeBytes: number | null;
  /**
   * `incomplete`: without its manifest, or not of the size that says. `unreadable`: this user may not read it, or the disk
   * does not give it, so that it may well be whole. Neither is counted as a backup.
   */
  readonly state: 'verified' | 'damaged' | 'unverified' | IncompleteBackup['state'];
  /** Why it is damaged, incomplete or unreadable, a full sentence. */
  readonly reason: string | null;
  /** The last proof of each level. */
  readonly readAt: string | null;
  readonly deepAt: string | null;
  readonly isPinned: boolean;
  readonly isEncrypted: boolean;
  /** Whether something was left out of it; it counts as no backup of the database. */
  readonly isPartial: boolean;
  readonly format: BackupManifest['format'] | null;
  readonly serverVersion: string | null;
  readonly migration: string | null;
  readonly rows: number | null;
  /** Addresses of its copies. */
  readonly offsite: readonly string[];
}

export interface BackupList {
  readonly directory: string;
  /** The newest first. */
  readonly backups: readonly ListedBackup[];
  /** What stopped runs have left; the next run removes it. */
  readonly partials: readonly string[];
}

function lastAt({ verifications }: BackupFacts, level: 'read' | 'deep'): string | null {
  return verifications.findLast((each) => each.level === level)?.at ?? null;
}

function stateOf(manifest: BackupFacts): ListedBackup['state'] {
  if (manifest.damage !== null) return 'damaged';
  return isVerified(manifest) ? 'verified' : 'unverified';
}

function describeBackup({ file, manifest }: Backup): ListedBackup {
  return {
    file,
    database: manifest.database,
    createdAt: manifest.createdAt,
    sizeBytes: manifest.sizeBytes,
    state: stateOf(manifest),
    reason: manifest.damage?.reason ?? null,
    readAt: lastAt(manifest, 'read'),
    deepAt: lastAt(manifest, 'deep'),
    isPinned: manifest.isPinned,
    isEncrypted: manifest.encryption !== null,
    isPartial: !isFull(manifest),
    format: manifest.format,
    serverVersion: manifest.serverVersion,
    migration: manifest.migration,
    rows: manifest.rowCount,
    offsite: manifest.offsite.map(({ url }) => url),
  };
}

function describeIncomplete({ state, file, database, createdAt, sizeBytes, reason }: IncompleteBackup): ListedBackup {
  return {
    file,
    database,
    createdAt: createdAt.toISOString(),
    sizeBytes,
    state,
    reason,
    readAt: null,
    deepAt: null,
    isPinned: false,
    isEncrypted: false,
    isPartial: false,
    format: null,
    serverVersion: null,
    migration: null,
    rows: null,
    offsite: [],
  };
}

function listed(found: Pick<BackupDirectory, 'backups' | 'incomplete'>): readonly ListedBackup[] {
  const all = [...found.backups.map(describeBackup), ...found.incomplete.map(describeIncomplete)];
  return all.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
}

/** Reads the names and manifests in a store. @throws AisecError STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING. */
export async function listCopies(place: StorePlace, options: StoreOptions): Promise<BackupList> {
  const found = await withStore(place, options, (store) => readBackupCopies(store));
  return { directory: storeUrl(place), backups: listed(found), partials: [] };
}

/** Addresses of the newest copies of each database, origin and format. @throws as `listCopies`; BACKUP_UNKNOWN when there is none. */
export async function listCopiesToVerify(place: StorePlace, options: StoreOptions): Promise<readonly string[]> {
  const { backups } = await withStore(place, options, (store) => readBackupCopies(store));
  return newestOf(backups, storeUrl(place)).map(({ file }) => file);
}

/** Reads the names and manifests in a directory; no backup is opened. @throws AisecError BACKUP_DIRECTORY. */
export async function listBackups(directory: string): Promise<BackupList> {
  const found = await readBackupDirectory(directory);
  return { directory, backups: listed(found), partials: found.partials };
}
