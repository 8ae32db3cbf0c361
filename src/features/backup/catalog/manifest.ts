import path from 'node:path';

import { AisecError, messageOf } from '../../../base/errors.js';
import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import type { Checksum } from '../../../adapters/files/checksum.js';
import { writeSmallFile } from '../../../adapters/files/publish.js';
import { readUnlinked, unreadable } from '../../../adapters/files/read.js';
import { manifestName, parseBackupFileName, type BackupFormat } from './names.js';
import { fileModeOf } from './file-mode.js';
import { isFull, type LeftOut, type NamedTable } from './left-out.js';
import { manifestFault } from './manifest-shape.js';
import type { BackupOrigin } from './origin.js';
import type { StandbyFacts } from './standby.js';

export const FORMAT_VERSION = 1;

export interface BackupRows extends NamedTable {
  /** Counted in the snapshot that was dumped. */
  readonly rows: number;
}

export interface BackupExtension {
  readonly name: string;
  readonly schema: string;
  readonly version: string;
}

/** A file beside the backup, by its name in the same directory. */
export interface BackupSideFile extends Checksum {
  readonly file: string;
}

/** A proof that the backup is good. `read`: checksum and every byte unpacked. `deep`: restored and compared. */
export interface BackupVerification {
  readonly level: 'read' | 'deep';
  /** RFC 3339. */
  readonly at: string;
}

/** A copy in a store, such as s3://bucket/prefix/FILE. */
export interface OffsiteCopy extends Checksum {
  readonly url: string;
  readonly endpoint: string | null;
  readonly uploadedAt: string;
}

/** What stands beside a backup, in FILE.json. Sizes in bytes, times in RFC 3339 (UTC), durations in milliseconds. */
export interface BackupManifest {
  readonly kind: 'aisec backup';
  readonly formatVersion: typeof FORMAT_VERSION;
  /** Name of the file beside it. */
  readonly file: string;
  readonly database: string;
  /** The schema of the platform in it; the backup has the whole database. */
  readonly schema: string;
  /** Undefined in manifests of older versions; null where it could not be read. */
  readonly origin?: BackupOrigin | null;
  readonly createdAt: string;
  readonly durationMs: number;
  readonly format: BackupFormat;
  readonly sizeBytes: number;
  /** Of the database it was made of, with its indexes. */
  readonly databaseSizeBytes: number;
  /** Of the file as it is there, so of an encrypted one without its key. */
  readonly sha256: string;
  /** As pg_dump takes it: `zstd:1`, `gzip:6`; null where the format has its own. */
  readonly compression: string | null;
  readonly serverVersion: string;
  readonly serverMajor: number;
  /** Of pg_dump, or of the embedded engine. */
  readonly toolVersion: string;
  readonly aisecVersion: string;
  readonly extensions: readonly BackupExtension[];
  /** Owners, grantees and the roles of policies: what has to be there before a restore. */
  readonly roles: readonly string[];
  readonly rows: readonly BackupRows[];
  /** The schema of the platform as data, to compare a restore with; null when it was not read. */
  readonly catalog: { readonly schema: string; readonly snapshot: CatalogSnapshot } | null;
  /** Name of the newest migration; null when there is none. */
  readonly migration: string | null;
  /** Null when the role may not read them. */
  readonly globals: BackupSideFile | null;
  /** The age recipients that can read it; null when it is not encrypted. */
  readonly encryption: { readonly recipients: readonly string[] } | null;
  readonly verifications: readonly BackupVerification[];
  /** The last check that failed, gone when a later one succeeds. */
  readonly damage: { readonly at: string; readonly reason: string } | null;
  /** Never removed by retention. */
  readonly isPinned: boolean;
  /** Of the standby it was made on; null or undefined: on a primary. */
  readonly standby?: StandbyFacts | null | undefined;
  /** Null or undefined: all of the database is in it. */
  readonly leftOut?: LeftOut | null | undefined;
  /**
   * Of an encrypted backup: roles, extensions, rows, catalog and the names of tables, encrypted as it is, which are empty then. Undefined in
   * manifests of older versions and of backups that are not encrypted.
   */
  readonly sealed?: { readonly data: string; readonly rowCount: number } | undefined;
  readonly offsite: readonly OffsiteCopy[];
}

/**
 * The manifest in a text.
 *
 * @throws AisecError BACKUP_INVALID naming the field that is wrong.
 */
export function parseManifest(text: string, source: string): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(source, `It is not JSON: ${messageOf(error)}.`);
  }
  const fault = manifestFault(value);
  if (fault !== undefined) throw invalid(source, fault);
  return value as BackupManifest;
}

/** What still reads a backup that has no manifest. */
const READ_ALONE: Readonly<Record<BackupFormat, string>> = {
  custom: 'pg_restore alone can still read the file.',
  embedded: 'aisec restore FILE --create DIR --without-manifest can still read the file.',
  sql: 'gunzip and psql can still read the file.',
};

function hintFor(source: string): string {
  const { format = 'custom' } = parseBackupFileName(path.basename(source, '.json')) ?? {};
  return `Without it the backup is not counted. ${READ_ALONE[format]}`;
}

function invalid(source: string, detail: string, cause?: unknown): AisecError {
  return new AisecError('BACKUP_INVALID', `invalid backup manifest "${source}"`, {
    detail,
    hint: hintFor(source),
    cause,
  });
}

/** The manifest of a backup. @throws AisecError BACKUP_INVALID when it is missing or wrong, CONFIG_INVALID when it cannot be read. */
export async function readManifest(file: string): Promise<BackupManifest> {
  const source = manifestName(file);
  let text: string;
  try {
    text = await readUnlinked(source);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new AisecError('BACKUP_INVALID', `the backup ${file} has no manifest`, {
        detail: `${source} is missing, so the backup cannot be verified.`,
        hint: hintFor(source),
        cause: error,
      });
    // A symbolic link is never followed, so it is none of ours.
    throw code === 'ELOOP' ? invalid(source, `${messageOf(error)}.`, error) : unreadable(source, error);
  }
  const manifest = parseManifest(text, source);
  if (manifest.file !== path.basename(file)) throw invalid(source, `It is the manifest of "${manifest.file}".`);
  return manifest;
}

/** Writes or replaces the manifest of a backup, whole or not at all; readable by those who may read the backup. */
export async function writeManifest(file: string, manifest: BackupManifest): Promise<void> {
  await writeSmallFile(manifestName(file), manifestText(manifest), await fileModeOf(file));
}

export function manifestText(manifest: BackupManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Whether it was proven good at some level and nothing has been found wrong since. */
export function isVerified({ verifications, damage }: Pick<BackupManifest, 'verifications' | 'damage'>): boolean {
  return verifications.length > 0 && damage === null;
}

/** Whether all of the database can be restored from it, as far as is known: proven good, and nothing was left out. */
export function isVerifiedFull(manifest: Pick<BackupManifest, 'verifications' | 'damage' | 'leftOut'>): boolean {
  return isVerified(manifest) && isFull(manifest);
}
