import { existsSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { formatBytes } from '../../../base/bytes.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { isStoreUrl, splitObjectUrl } from '../../../config/store-url.js';
import { readCopyManifest } from './change-copy.js';
import { readManifest, writeManifest } from '../catalog/manifest.js';
import { globalsName, manifestName, parseBackupFileName, plainName } from '../catalog/names.js';
import { openManifest } from '../contents/sealed-manifest.js';
import { decryptFile, readIdentities } from '../../../adapters/encryption/decrypt.js';
import { checksumOf } from '../../../adapters/files/checksum.js';
import { temporaryError, withPrivateDirectory } from '../../../adapters/files/private-directory.js';
import { freeBytes } from '../../../adapters/files/space.js';
import { downloadFile } from '../../../adapters/object-store/download.js';
import { withStore } from '../../../adapters/object-store/store.js';
import type { ToolPlaces } from '../../../adapters/pgtools/find-tools.js';
import { readChecksum, requireSameChecksum } from '../verify/check-checksum.js';

/** What reaching and reading a backup may take. */
export interface BackupSource {
  /** Of the store of an s3:// address. */
  readonly endpoint: string | undefined;
  /** Absolute path of the file with the secret keys; undefined: none was given. */
  readonly identityFile: string | undefined;
}

/** What every restore takes. */
export interface RestoreRunOptions {
  /** Takes an archive without a manifest, reading all of it instead. */
  readonly withoutManifest: boolean;
  readonly source: BackupSource;
  readonly waitMs: number;
  readonly isDryRun: boolean;
}

export interface LocalBackupOptions extends BackupSource {
  /** Takes an encrypted file without a manifest. */
  readonly withoutManifest: boolean;
  readonly places: Pick<ToolPlaces, 'environment'>;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

const PREFIX = 'aisec-backup-';

async function refuseTooLittleSpace(neededBytes: number): Promise<void> {
  const free = await freeBytes(tmpdir());
  if (free >= neededBytes) return;
  throw new AisecError(
    'DISK_FULL',
    `"${tmpdir()}" has ${formatBytes(free)} left, and ${formatBytes(neededBytes)} are needed`,
    {
      detail: 'The backup is downloaded or decrypted there first.',
      hint: 'Set TMPDIR to a directory with more space.',
    },
  );
}

/** Downloads a backup with its manifest and roles, and checks all of them. Returns the path of the backup. */
async function download(url: string, directory: string, options: LocalBackupOptions): Promise<string> {
  const { endpoint, places, signal, onProgress } = options;
  const { place, name } = splitObjectUrl(url, endpoint);
  if (parseBackupFileName(name) === undefined)
    throw new AisecError('USAGE', `"${name}" does not have the name of a backup`, {
      hint: 'Give the address of one: s3://bucket/directory/NAME.dump',
    });
  return withStore(place, { environment: places.environment, signal }, async (store) => {
    const manifest = await readCopyManifest(store, name);
    const { sizeBytes, globals } = manifest;
    await refuseTooLittleSpace(manifest.encryption === null ? sizeBytes : 2 * sizeBytes);
    const file = path.join(directory, name);
    if (globals !== null) await downloadFile(store, globals.file, globals, path.join(directory, globals.file));
    await downloadFile(store, name, manifest, file, (bytes) => {
      onProgress(`downloading ${name}, ${formatBytes(bytes)} of ${formatBytes(sizeBytes)}`);
    });
    await writeManifest(file, manifest);
    return file;
  });
}

/** Decrypts a backup into the directory, with a manifest of what comes out. Returns its path. */
async function decrypt(file: string, directory: string, options: LocalBackupOptions): Promise<string> {
  const { identityFile, withoutManifest, signal, onProgress } = options;
  const identities = identityFile === undefined ? undefined : readIdentities(identityFile);
  const manifest = withoutManifest ? undefined : await readManifest(file);
  if (identities === undefined)
    throw new AisecError('ENCRYPTION_KEY', `the backup ${file} is encrypted`, {
      detail: `To ${manifest?.encryption?.recipients.join(', ') ?? 'keys that no manifest names'}.`,
      hint: 'Give the file with the secret key of one of them: --identity FILE',
    });
  if (manifest !== undefined) {
    requireSameChecksum(file, (await readChecksum(file, signal)).sha256, manifest.sha256);
    await refuseTooLittleSpace(manifest.sizeBytes);
  }
  const plain = path.join(directory, path.basename(plainName(file)));
  const onBytes = (bytes: number): void => onProgress(`decrypting, ${formatBytes(bytes)}`);
  await decryptFile(file, plain, { identities, signal, onBytes });
  if (manifest !== undefined) {
    const whole = await openManifest(manifest, identities, manifestName(file));
    const checksum = await checksumOf(plain, signal);
    await writeManifest(plain, { ...whole, ...checksum, file: path.basename(plain), encryption: null });
  }
  const [globals, plainGlobals] = [globalsName(file), globalsName(plainName(file))];
  if (existsSync(globals)) await decryptFile(globals, globalsName(plain), { identities, signal });
  // Older versions did not encrypt it.
  else if (existsSync(plainGlobals) && plainGlobals !== globalsName(plain))
    await copyFile(plainGlobals, globalsName(plain));
  return plain;
}

/** Downloads and decrypts what has to be. Returns the path of the plain backup in the directory. */
async function bring(given: string, directory: string, options: LocalBackupOptions): Promise<string> {
  try {
    const file = isStoreUrl(given) ? await download(given, directory, options) : given;
    if (plainName(file) === file) return file;
    const plain = await decrypt(file, directory, options);
    if (file !== given) await rm(file);
    return plain;
  } catch (error) {
    throw temporaryError(error);
  }
}

/** The error with the name that the user gave, in place of the path of what is gone when they read it. */
function naming(given: string, file: string, error: AisecError): AisecError {
  const { code, message, detail, hint, sqlState, position, cause } = error;
  if (![message, detail, hint].some((text) => text?.includes(file))) return error;
  const named = (text: string): string => text.replaceAll(file, given);
  return new AisecError(code, named(message), {
    detail: detail === undefined ? undefined : named(detail),
    hint: hint === undefined ? undefined : named(hint),
    sqlState,
    position,
    cause,
  });
}

/**
 * Runs the callback with the path of a plain backup in a directory here: the given one as it is, or what was downloaded or
 * decrypted into a private temporary directory, which goes whatever happens.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError ENCRYPTION_KEY without a key that fits, BACKUP_INVALID, BACKUP_UNKNOWN, DISK_FULL, USAGE, and those
 *   of the store.
 */
export async function withLocalBackup<Result>(
  given: string,
  options: LocalBackupOptions,
  use: (file: string) => Promise<Result>,
): Promise<Result> {
  if (!isStoreUrl(given) && plainName(given) === given) return use(given);
  return withPrivateDirectory(PREFIX, async (directory) => {
    const file = await bring(given, directory, options);
    try {
      return await use(file);
    } catch (error) {
      throw isAisecError(error) ? naming(given, file, error) : error;
    }
  });
}
