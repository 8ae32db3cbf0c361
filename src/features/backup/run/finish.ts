import type { BackupManifest } from '../catalog/manifest.js';
import type { BackupFileMode } from '../catalog/file-mode.js';
import { isFull, leavesOut, type LeftOutWish } from '../catalog/left-out.js';
import type { BackupFormat } from '../catalog/names.js';
import { withBackupDirectory } from '../catalog/backup-lock.js';
import type { BackupRun } from '../access.js';
import { AisecError, reasonOf } from '../../../base/errors.js';
import type { Reporting } from '../../../base/reporting.js';
import type { BackupOrigin } from '../catalog/origin.js';
import { copyOffsite, type OffsiteOptions } from '../offsite.js';
import { planPruneCopies, pruneCopies } from '../prune-copies.js';
import { planPrune, pruneDatabase, type PrunePlan } from '../prune.js';
import type { RetentionRule } from '../catalog/retention.js';

export interface BackupOptions {
  /** Absolute; made when it is missing. */
  readonly directory: string;
  /** The schema of the platform; the backup has the whole database. */
  readonly schema: string;
  readonly retention: RetentionRule;
  /** How long a table may be locked against readers; 0: wait for ever. */
  readonly lockTimeoutMs: number;
  readonly waitMs: number;
  /** Public keys of age; undefined: it is not encrypted. */
  readonly encryptTo: readonly string[] | undefined;
  /** Absolute path of a file with more of them. */
  readonly recipientsFile: string | undefined;
  /** Whether the hashes of the passwords of roles are beside it; it must be encrypted then. */
  readonly withPasswords: boolean;
  /** Where a copy goes; undefined: nowhere. */
  readonly offsite: OffsiteOptions | undefined;
  /** How far a standby may be behind its primary; undefined: as far as it is. */
  readonly maxLagMs: number | undefined;
  /** What is not to be in it. */
  readonly leftOut: LeftOutWish;
  /** Of every file that is written, also later. */
  readonly mode: BackupFileMode;
  /** Sessions of pg_dump that dump the rows, on a server. */
  readonly jobs: number;
  readonly isDryRun: boolean;
}

export interface BackupResult {
  readonly database: string;
  readonly directory: string;
  readonly format: BackupFormat;
  readonly isDryRun: boolean;
  /** Whether something is left out of it, so that it counts as no backup of the database. */
  readonly isPartial: boolean;
  /** Null in a dry run, as the next six. */
  readonly file: string | null;
  /** RFC 3339: the moment it has the state of. */
  readonly createdAt: string | null;
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  readonly compression: string | null;
  readonly tables: number | null;
  readonly rows: number | null;
  /** Rather more than less: by the last one, or by the size of the database. */
  readonly expectedBytes: number;
  /** Sessions of pg_dump that dump the rows: 1 where more were asked for and cannot be used. */
  readonly jobs: number;
  /** By the retention rule, oldest first. */
  readonly removed: PrunePlan['removed'];
  /** With the reasons, newest first. */
  readonly kept: PrunePlan['kept'];
  readonly isEncrypted: boolean;
  /** Address of the copy; null where none was asked for, and in a dry run. */
  readonly copy: string | null;
  /** By the same rule from the store. */
  readonly removedCopies: PrunePlan['removed'];
  readonly keptCopies: PrunePlan['kept'];
  readonly durationMs: number;
}

type Outcome = Omit<
  BackupResult,
  'database' | 'directory' | 'format' | 'isDryRun' | 'isEncrypted' | 'expectedBytes' | 'jobs' | 'durationMs'
>;

/** A backup that has its name. */
export interface WrittenBackup {
  readonly file: string;
  /** As it was written; of an encrypted one partly encrypted. */
  readonly manifest: BackupManifest;
  readonly whole: BackupManifest;
  /** Why the roles of the server are not beside it, where that is a failure of the run. */
  readonly rolesFailure?: AisecError | undefined;
}

function withoutRoles(file: string, error: AisecError): AisecError {
  return new AisecError(
    error.code,
    `the backup was made, but not the roles of the server beside it: ${error.message}`,
    {
      detail: [error.detail, `${file} is good; no old backup was removed.`].filter(Boolean).join(' '),
      hint: 'Run aisec backup again; restored on an empty server, this one needs --create-roles, which makes roles without their attributes.',
      cause: error,
    },
  );
}

/** The backup is made by then: what goes wrong here, such as a next run at work already, must not look as if it was not. */
async function prune(
  access: BackupRun,
  { directory, retention }: BackupOptions,
  origin: BackupOrigin | null,
  { onWarning }: Reporting,
): Promise<PrunePlan> {
  const { databaseName: database, applicationName: command, signal } = access;
  const lock = { command, signal };
  try {
    return await withBackupDirectory(directory, database, lock, () =>
      pruneDatabase(directory, database, origin, retention, lock),
    );
  } catch (error) {
    if (access.signal.aborted) throw error;
    onWarning(`the backup was made, but old ones could not be removed: ${reasonOf(error)}`);
    return NOTHING;
  }
}

const NOTHING: PrunePlan = { removed: [], kept: [] };

/** What a dry run reports. */
async function planOnly(
  access: BackupRun,
  origin: BackupOrigin | null,
  format: BackupFormat,
  { directory, retention, offsite, leftOut }: BackupOptions,
): Promise<Outcome> {
  const next = leavesOut(leftOut) ? undefined : format;
  const { removed, kept } = await planPrune(directory, access.databaseName, origin, retention, next);
  const copies =
    offsite === undefined ? NOTHING : await planPruneCopies(access, origin, directory, retention, offsite, next);
  const nothing = { file: null, createdAt: null, sizeBytes: null, sha256: null, compression: null, tables: null };
  return {
    ...nothing,
    isPartial: leavesOut(leftOut),
    rows: null,
    removed,
    kept,
    copy: null,
    removedCopies: copies.removed,
    keptCopies: copies.kept,
  };
}

/** Copies what was written, then removes what may go; nothing is removed while the copy, or the roles, are not made. */
async function finish(
  access: BackupRun,
  { file, manifest, whole, rolesFailure }: WrittenBackup,
  options: BackupOptions,
  reporting: Reporting,
): Promise<Outcome> {
  const { directory, retention, offsite } = options;
  const origin = manifest.origin ?? null;
  const copy = offsite && (await copyOffsite(access, file, manifest, offsite, reporting));
  if (rolesFailure !== undefined) throw withoutRoles(file, rolesFailure);
  const copies =
    offsite === undefined ? NOTHING : await pruneCopies(access, origin, directory, retention, offsite, reporting);
  const { removed, kept } = await prune(access, options, origin, reporting);
  return {
    file,
    isPartial: !isFull(manifest),
    createdAt: manifest.createdAt,
    sizeBytes: manifest.sizeBytes,
    sha256: manifest.sha256,
    compression: manifest.compression,
    tables: whole.rows.length,
    rows: whole.rows.reduce((sum, { rows }) => sum + rows, 0),
    removed,
    kept,
    copy: copy?.url ?? null,
    removedCopies: copies.removed,
    keptCopies: copies.kept,
  };
}

/** What a run has come to before old backups and the copy are looked at. */
export interface BackupRunState extends Pick<BackupResult, 'format' | 'expectedBytes' | 'jobs' | 'isEncrypted'> {
  readonly startedMs: number;
  readonly origin: BackupOrigin | null;
  /** Undefined: a dry run. */
  readonly written: WrittenBackup | undefined;
}

/** Finishes what was written, or plans that in a dry run, and describes all of it. */
export async function conclude(
  access: BackupRun,
  { startedMs, origin, written, ...known }: BackupRunState,
  options: BackupOptions,
  reporting: Reporting,
): Promise<BackupResult> {
  const outcome =
    written === undefined
      ? await planOnly(access, origin, known.format, options)
      : await finish(access, written, options, reporting);
  return {
    database: access.databaseName,
    directory: options.directory,
    isDryRun: options.isDryRun,
    ...known,
    ...outcome,
    durationMs: Math.round(performance.now() - startedMs),
  };
}
