import path from 'node:path';

import type { BackupManifest, BackupVerification } from './catalog/manifest.js';
import { checksumOf } from '../../adapters/files/checksum.js';
import { findTool, type ToolPlaces } from '../../adapters/pgtools/find-tools.js';
import { readWholeArchive } from '../../adapters/pgtools/pg-restore.js';
import { unpackGzip } from './embedded/embedded-backup.js';
import { withLocalBackup, type BackupSource } from './store/local-backup.js';
import { formatBytes } from '../../base/bytes.js';
import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import { isStoreUrl } from '../../config/store-url.js';
import { changeManifestOf, manifestOf, readCopyBack } from './store/any-backup.js';

export interface VerifyOptions extends BackupSource {
  /** For whoever finds a lock held. */
  readonly command: string;
  readonly places: ToolPlaces;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

export interface VerifyResult {
  readonly file: string;
  readonly database: string;
  readonly level: BackupVerification['level'];
  readonly isGood: boolean;
  /** What is wrong, full sentences; null when nothing is. */
  readonly reason: string | null;
  readonly sizeBytes: number;
  /** RFC 3339. */
  readonly verifiedAt: string;
  readonly durationMs: number;
}

/** What a backup is found to be: the error codes that say it of the backup, and not of the surroundings. */
async function faultOf(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (!isAisecError(error, 'BACKUP_INVALID', 'RESTORE_FAILED')) throw error;
    return error.detail === undefined ? `${error.message}.` : `${error.message}: ${error.detail}`;
  }
}

/** Stamps what was found into the manifest; of each level the last proof is kept. */
async function recordVerification(
  file: string,
  level: BackupVerification['level'],
  fault: string | undefined,
  options: VerifyOptions,
): Promise<BackupManifest> {
  const at = new Date().toISOString();
  return changeManifestOf(file, options, (before) => ({
    ...before,
    damage: fault === undefined ? null : { at, reason: fault },
    verifications:
      fault === undefined
        ? [...before.verifications.filter((each) => each.level !== level), { level, at }]
        : before.verifications,
  }));
}

function invalid(message: string, detail: string): AisecError {
  return new AisecError('BACKUP_INVALID', message, { detail, hint: 'Restore from another one.' });
}

async function checkSum(
  file: string,
  expected: { readonly sizeBytes: number; readonly sha256: string },
  { signal, onProgress }: VerifyOptions,
): Promise<void> {
  let found;
  try {
    found = await checksumOf(file, signal, (bytes) =>
      onProgress(`reading ${path.basename(file)}, ${formatBytes(bytes)}`),
    );
  } catch (error) {
    if (signal.aborted) throw error;
    throw invalid(`${file} cannot be read`, `${messageOf(error)}.`);
  }
  if (found.sizeBytes !== expected.sizeBytes)
    throw invalid(
      `${file} is not whole`,
      `It has ${found.sizeBytes} bytes and its manifest says ${expected.sizeBytes}.`,
    );
  if (found.sha256 !== expected.sha256)
    throw invalid(`${file} was changed`, 'Its SHA-256 is not the one its manifest has.');
}

/** Compares the checksums, and unpacks every byte of what can be read. @throws AisecError BACKUP_INVALID. */
async function checkWhole(file: string, manifest: BackupManifest, options: VerifyOptions): Promise<void> {
  if (manifest.encryption === null || options.identityFile !== undefined)
    return withWhole(file, manifest, options, () => Promise.resolve());
  return isStoreUrl(file) ? readCopyBack(file, manifest, options) : checkSums(file, manifest, options);
}

/**
 * Compares the checksums, unpacks every byte, and runs the callback on the plain backup, which was fetched and decrypted once.
 *
 * @throws AisecError BACKUP_INVALID, ENCRYPTION_KEY, and as the callback.
 */
export async function withWhole(
  file: string,
  manifest: BackupManifest,
  options: VerifyOptions,
  use: (plain: string) => Promise<void>,
): Promise<void> {
  // A copy in a store is compared while it is downloaded.
  if (!isStoreUrl(file)) await checkSums(file, manifest, options);
  const { environment } = options.places;
  await withLocalBackup(file, { ...options, environment, withoutManifest: false }, async (plain) => {
    await (manifest.format === 'custom' ? unpack(plain, manifest, options) : unpackGzip(plain, options));
    await use(plain);
  });
}

async function checkSums(file: string, manifest: BackupManifest, options: VerifyOptions): Promise<void> {
  await checkSum(file, manifest, options);
  if (manifest.globals !== null)
    await checkSum(path.join(path.dirname(file), manifest.globals.file), manifest.globals, options);
}

async function unpack(file: string, manifest: BackupManifest, { places, signal }: VerifyOptions): Promise<void> {
  const wish = { major: Number.parseInt(manifest.toolVersion, 10), of: 'the archive' };
  const { tool } = await findTool('pg_restore', wish, places);
  await readWholeArchive({ tool, file, environment: places.environment, signal });
}

/**
 * Runs a check of one backup and stamps its manifest with what was found.
 *
 * @throws AisecError BACKUP_INVALID when there is no manifest that could be stamped, and what the check throws that does
 *   not speak of the backup.
 */
export async function verifyAs(
  level: BackupVerification['level'],
  file: string,
  options: VerifyOptions,
  check: (manifest: BackupManifest) => Promise<void>,
): Promise<VerifyResult> {
  const startedMs = performance.now();
  const manifest = await manifestOf(file, options);
  const fault = await faultOf(() => check(manifest));
  const stamped = await recordVerification(file, level, fault, options);
  return {
    file,
    database: stamped.database,
    level,
    isGood: fault === undefined,
    reason: fault ?? null,
    sizeBytes: stamped.sizeBytes,
    verifiedAt: new Date().toISOString(),
    durationMs: Math.round(performance.now() - startedMs),
  };
}

/**
 * Verifies one backup, here or in a store, without a server, and stamps its manifest with what was found.
 *
 * @throws AisecError BACKUP_INVALID when there is no manifest that could be stamped, PG_TOOL_MISSING.
 */
export async function verifyBackup(file: string, options: VerifyOptions): Promise<VerifyResult> {
  return verifyAs('read', file, options, (manifest) => checkWhole(file, manifest, options));
}
