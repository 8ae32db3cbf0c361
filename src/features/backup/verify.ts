import { existsSync } from 'node:fs';
import path from 'node:path';

import { leftOutText } from './catalog/left-out.js';
import type { BackupManifest, BackupVerification } from './catalog/manifest.js';
import { checksumOf } from '../../adapters/files/checksum.js';
import { whyUnreadable } from '../../adapters/files/read.js';
import { findTool } from '../../adapters/pgtools/find-tools.js';
import { unpackArchive } from '../../adapters/pgtools/pg-restore.js';
import { unpackGzip } from './embedded/embedded-backup.js';
import { withLocalBackup, type BackupSource } from './store/local-backup.js';
import { formatBytes } from '../../base/bytes.js';
import { AisecError, isAisecError, type ErrorCode } from '../../base/errors.js';
import { isStoreUrl } from '../../config/store-url.js';
import { changeManifestOf, manifestOf, readCopyBack, type BackupLocation } from './store/backup-location.js';

export type VerifyOptions = BackupLocation & BackupSource;

/**
 * `damaged`: the file shows it. `incomplete`: the file is good, and what belongs beside it is not. `not tried`: this
 * machine, its programs or its server could not do it, which says nothing of the backup.
 */
export type Verdict = 'good' | 'damaged' | 'incomplete' | 'not tried';

export interface VerifyResult {
  readonly file: string;
  readonly database: string;
  readonly level: BackupVerification['level'];
  readonly verdict: Verdict;
  /** What is wrong, full sentences; null when nothing is. */
  readonly reason: string | null;
  /** What was left out of it, such as `the rows of app.api_usage`; null for a full one. */
  readonly lacks: string | null;
  readonly sizeBytes: number;
  /** RFC 3339. */
  readonly verifiedAt: string;
  readonly durationMs: number;
}

interface Finding {
  readonly verdict: Verdict;
  readonly reason: string | null;
}

const NOT_TRIED: readonly ErrorCode[] = [
  'BACKUP_INVALID',
  'RESTORE_FAILED',
  'PG_TOOL_FAILED',
  'PRIVILEGE_MISSING',
  'EXTENSION_MISSING',
];

/** What a check comes to. Only a file that shows it is damaged; what stopped the run altogether is thrown. */
async function findingOf(check: () => Promise<void>): Promise<Finding> {
  try {
    await check();
    return { verdict: 'good', reason: null };
  } catch (error) {
    if (!isAisecError(error, 'BACKUP_DAMAGED', ...NOT_TRIED)) throw error;
    const reason = error.detail === undefined ? `${error.message}.` : `${error.message}: ${error.detail}`;
    return { verdict: error.code === 'BACKUP_DAMAGED' ? 'damaged' : 'not tried', reason };
  }
}

/** What is wrong with the file of roles, which the backup itself can be restored without; undefined when nothing. */
async function companyFault(
  file: string,
  { globals }: BackupManifest,
  options: VerifyOptions,
): Promise<string | undefined> {
  if (globals === null || isStoreUrl(file)) return undefined;
  const beside = path.join(path.dirname(file), globals.file);
  if (!existsSync(beside)) return `Its roles are not beside it: ${globals.file} is missing. The backup itself is good.`;
  const { verdict, reason } = await findingOf(() => checkSum(beside, globals, options));
  return verdict === 'good' ? undefined : `${reason ?? ''} The backup itself is good.`;
}

/** Stamps what was found into the manifest; of each level the last proof is kept. */
async function recordVerification(
  file: string,
  level: BackupVerification['level'],
  { verdict, reason }: Finding,
  options: VerifyOptions,
): Promise<void> {
  if (verdict === 'not tried') return;
  const at = new Date().toISOString();
  await changeManifestOf(file, options, (before) =>
    verdict === 'damaged'
      ? { ...before, damage: { at, reason: reason ?? '' } }
      : {
          ...before,
          damage: null,
          // In the order of time, so that two runs at once make the same of it.
          verifications: [...before.verifications.filter((each) => each.level !== level), { level, at }].toSorted(
            (a, b) => a.at.localeCompare(b.at),
          ),
        },
  );
}

function damaged(message: string, detail: string): AisecError {
  return new AisecError('BACKUP_DAMAGED', message, { detail, hint: 'Restore from another one.' });
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
    throw new AisecError('BACKUP_INVALID', `${file} cannot be read`, {
      detail: whyUnreadable(error),
      hint: 'Run it as the role of the operating system that the backups belong to.',
      cause: error,
    });
  }
  if (found.sizeBytes !== expected.sizeBytes)
    throw damaged(
      `${file} is not whole`,
      `It has ${found.sizeBytes} bytes and its manifest says ${expected.sizeBytes}.`,
    );
  if (found.sha256 !== expected.sha256)
    throw damaged(`${file} was changed`, 'Its SHA-256 is not the one its manifest has.');
}

/** Compares the checksums, and unpacks every byte of what can be read. @throws AisecError BACKUP_DAMAGED. */
async function checkWhole(file: string, manifest: BackupManifest, options: VerifyOptions): Promise<void> {
  if (manifest.encryption === null || options.identityFile !== undefined)
    return withWhole(file, manifest, options, () => Promise.resolve());
  return isStoreUrl(file) ? readCopyBack(file, manifest, options) : checkSum(file, manifest, options);
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
  if (!isStoreUrl(file)) await checkSum(file, manifest, options);
  await withLocalBackup(file, { ...options, withoutManifest: false }, async (plain) => {
    await (manifest.format === 'custom' ? unpack(plain, manifest, options) : unpackGzip(plain, options));
    await use(plain);
  });
}

async function unpack(file: string, manifest: BackupManifest, { places, signal }: VerifyOptions): Promise<void> {
  const wish = { major: Number.parseInt(manifest.toolVersion, 10), of: 'the archive' };
  const { tool } = await findTool('pg_restore', wish, places);
  try {
    await unpackArchive({ tool, file, environment: places.environment, signal });
  } catch (error) {
    if (!isAisecError(error, 'BACKUP_INVALID')) throw error;
    throw damaged(`${file} cannot be unpacked to its end`, error.detail ?? error.message);
  }
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
  const found = await findingOf(() => check(manifest));
  const fault = found.verdict === 'good' ? await companyFault(file, manifest, options) : undefined;
  const finding: Finding = fault === undefined ? found : { verdict: 'incomplete', reason: fault };
  await recordVerification(file, level, finding, options);
  return {
    file,
    database: manifest.database,
    level,
    ...finding,
    lacks: leftOutText(manifest) ?? null,
    sizeBytes: manifest.sizeBytes,
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
