import { removePartials } from '../../adapters/backups/change-backups.js';
import { readBackupFolder } from '../../adapters/backups/folder.js';
import type { BackupManifest } from '../../adapters/backups/manifest.js';
import { checkFolder, folderError, withBackupFolder } from '../../adapters/backups/use-folder.js';
import { checkRecipients } from '../../adapters/encryption/recipients.js';
import { withRunLock } from '../../adapters/postgres/advisory-lock.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import type { ServerAccess } from '../../adapters/restoring/access.js';
import { isAisecError, messageOf } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { dumpApplicationName } from './dump.js';
import { checkOffsite, copyOffsite, planPruneCopies, pruneCopies, type OffsiteOptions } from './offsite.js';
import { planPrune, pruneDatabase, type PruneResult } from './prune.js';
import type { RetentionRule } from './retention.js';
import { readServerFacts } from './server-facts.js';
import { expectedBytes, refuseTooLittleSpace } from './space.js';
import { findBackupTools } from './tools.js';
import { writeBackup } from './write-backup.js';

export interface BackupOptions {
  /** Absolute; made when it is missing. */
  readonly folder: string;
  /** The schema of the platform; the backup has the whole database. */
  readonly schema: string;
  readonly retention: RetentionRule;
  /** How long a table may be locked against readers; 0: wait for ever. */
  readonly lockTimeoutMs: number;
  readonly waitMs: number;
  /** Public keys of age; undefined: it is not encrypted. */
  readonly encryptTo: readonly string[] | undefined;
  /** Where a copy goes; undefined: nowhere. */
  readonly offsite: OffsiteOptions | undefined;
  readonly isDryRun: boolean;
}

export interface BackupResult {
  readonly database: string;
  readonly folder: string;
  readonly isDryRun: boolean;
  /** Null in a dry run, as the next six. */
  readonly file: string | null;
  /** RFC 3339: the moment it has the state of. */
  readonly createdAt: string | null;
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  readonly compression: string | null;
  readonly tables: number | null;
  readonly rows: number | null;
  /** At most, by the last one or the size of the database. */
  readonly expectedBytes: number;
  /** By the retention rule, oldest first. */
  readonly removed: PruneResult['removed'];
  readonly kept: number;
  readonly isEncrypted: boolean;
  /** Address of the copy; null where none was asked for, and in a dry run. */
  readonly copy: string | null;
  /** By the same rule from the store. */
  readonly removedCopies: PruneResult['removed'];
  readonly durationMs: number;
}

type Outcome = Omit<BackupResult, 'database' | 'folder' | 'isDryRun' | 'isEncrypted' | 'expectedBytes' | 'durationMs'>;

interface Written {
  readonly file: string;
  readonly manifest: BackupManifest;
}

/** Whatever a killed run has left, on the server and in the folder. */
async function removeLeftovers(
  access: ServerAccess,
  session: Session,
  folder: string,
  { onWarning }: Reporting,
): Promise<void> {
  await session.query(sqlFile('backup/end-leftovers'), [dumpApplicationName(access)]);
  const options = { command: access.applicationName, signal: access.signal };
  for (const name of await removePartials(folder, access.databaseName, options))
    onWarning(`removed ${name}, which a stopped run had left`);
}

/** The backup is made by then: what goes wrong here, such as a next run at work already, must not look as if it was not. */
async function prune(
  access: ServerAccess,
  { folder, retention }: BackupOptions,
  { onWarning }: Reporting,
): Promise<Pick<PruneResult, 'removed' | 'kept'>> {
  const { databaseName: database, applicationName: command, signal } = access;
  const lock = { command, signal };
  try {
    return await withBackupFolder(folder, database, lock, () => pruneDatabase(folder, database, retention, lock));
  } catch (error) {
    if (access.signal.aborted) throw error;
    const detail = isAisecError(error) && error.detail !== undefined ? ` (${error.detail})` : '';
    onWarning(`the backup was made, but old ones could not be removed: ${messageOf(error)}${detail}`);
    return { removed: [], kept: [] };
  }
}

/** Everything that can be known before there is a folder or a file. Returns what the backup will take at most. */
async function checkBefore(
  access: ServerAccess,
  session: Session,
  { folder, encryptTo }: BackupOptions,
  { onWarning }: Reporting,
): Promise<number> {
  const { backups } = await readBackupFolder(folder);
  const ours = backups.filter(({ manifest }) => manifest.database === access.databaseName);
  const needed = expectedBytes(ours, await readServerFacts(session));
  // The plain dump lies beside the encrypted one until that is proven.
  await refuseTooLittleSpace(folder, encryptTo === undefined ? needed : 2 * needed);
  const [newest] = ours;
  if (newest !== undefined && newest.createdAt > new Date())
    onWarning(`${newest.file} is dated later than now; was the clock set back?`);
  return needed;
}

async function planOnly(access: ServerAccess, { folder, retention, offsite }: BackupOptions): Promise<Outcome> {
  const { removed, kept } = await planPrune(folder, access.databaseName, retention);
  const removedCopies = offsite === undefined ? [] : await planPruneCopies(access, folder, retention, offsite);
  const nothing = { file: null, createdAt: null, sizeBytes: null, sha256: null, compression: null, tables: null };
  return { ...nothing, rows: null, removed, kept: kept.length, copy: null, removedCopies };
}

/** Copies what was written, then removes what may go; nothing is removed while the copy is not made. */
async function finish(
  access: ServerAccess,
  { file, manifest }: Written,
  options: BackupOptions,
  reporting: Reporting,
): Promise<Outcome> {
  const { folder, retention, offsite } = options;
  const copy = offsite && (await copyOffsite(access, file, manifest, offsite, reporting));
  const removedCopies = offsite === undefined ? [] : await pruneCopies(access, folder, retention, offsite, reporting);
  const { removed, kept } = await prune(access, options, reporting);
  return {
    file,
    createdAt: manifest.createdAt,
    sizeBytes: manifest.sizeBytes,
    sha256: manifest.sha256,
    compression: manifest.compression,
    tables: manifest.rows.length,
    rows: manifest.rows.reduce((sum, { rows }) => sum + rows, 0),
    removed,
    kept: kept.length,
    copy: copy?.url ?? null,
    removedCopies,
  };
}

/**
 * Backs up the configured database into a folder, proves the backup, and removes what the retention rule lets go.
 *
 * Everything that can be known before is checked before any file is made: programs, folder, space, privileges, locks.
 * Runs under the lock of everything that changes the database, so that no migration waits behind the dump with
 * everybody else behind it.
 *
 * @throws AisecError PG_TOOL_MISSING, BACKUP_FOLDER, DISK_FULL, PRIVILEGE_MISSING, LOCK_TIMEOUT, RUN_LOCKED, RUN_TIMEOUT,
 *   BACKUP_INVALID, and as `runTool` and `Session.query`. The folder is as it was then. USAGE for a key that cannot be
 *   encrypted to; STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, STORE_FAILED before anything is written or, then the
 *   message says so, of the copy.
 */
export async function takeBackup(
  access: ServerAccess,
  options: BackupOptions,
  reporting: Reporting,
): Promise<BackupResult> {
  const startedMs = performance.now();
  const { folder, schema, lockTimeoutMs, waitMs, isDryRun } = options;
  const { databaseName: database, applicationName: command, signal } = access;
  checkFolder(folder);
  const recipients = options.encryptTo === undefined ? [] : await checkRecipients(options.encryptTo);
  if (options.offsite !== undefined) await checkOffsite(access, options.offsite, isDryRun, reporting);
  const lock = { command, signal };
  const run = async (
    session: Session,
  ): Promise<{ readonly expected: number; readonly written: Written | undefined }> => {
    const tools = await findBackupTools(access, Math.floor(session.info.serverVersion / 10_000));
    for (const warning of tools.warnings) reporting.onWarning(warning);
    return withRunLock(session, { waitMs, onProgress: reporting.onProgress }, async () => {
      const expected = await checkBefore(access, session, options, reporting);
      if (isDryRun) return { expected, written: undefined };
      const written = await withBackupFolder(folder, database, lock, async () => {
        await removeLeftovers(access, session, folder, reporting);
        return writeBackup(access, session, { folder, schema, tools, lockTimeoutMs, recipients }, reporting);
      });
      return { expected, written };
    });
  };
  try {
    const { expected, written } = await access.withDatabase(database, run);
    // Outside of the lock of the database: migrations need not wait for an upload.
    const outcome =
      written === undefined ? await planOnly(access, options) : await finish(access, written, options, reporting);
    const durationMs = Math.round(performance.now() - startedMs);
    return {
      database,
      folder,
      isDryRun,
      isEncrypted: recipients.length > 0,
      expectedBytes: expected,
      ...outcome,
      durationMs,
    };
  } catch (error) {
    throw folderError(folder, error);
  }
}
