import { rm } from 'node:fs/promises';
import path from 'node:path';

import { discardUnpublished } from '../catalog/change-backups.js';
import { writeManifest, type BackupManifest } from '../catalog/manifest.js';
import type { BackupFileMode } from '../catalog/file-mode.js';
import { partialName } from '../catalog/names.js';
import { encryptFile } from '../../../adapters/encryption/encrypt.js';
import type { Checksum } from '../../../adapters/files/checksum.js';
import { flushDirectory, publish } from '../../../adapters/files/publish.js';
import { formatBytes } from '../../../base/bytes.js';
import { throwIfInterrupted } from '../../../base/interruption.js';
import { sealManifest } from '../contents/sealed-manifest.js';
import type { WrittenBackup } from './finish.js';

/** A finished dump that has no name yet. */
export interface UnnamedDump {
  /** The path it will get. */
  readonly file: string;
  /** Where it lies: the partial file, or, where it will be encrypted, one beside it. */
  readonly dumped: string;
}

export interface PublishOptions {
  /** Public keys of age; empty: it is not encrypted. */
  readonly recipients: readonly string[];
  readonly mode: BackupFileMode;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** The proven dump becomes an encrypted file, which is proven in turn; only then the plain one goes. */
async function encryptDump({ file, dumped }: UnnamedDump, options: PublishOptions): Promise<Checksum> {
  const { recipients, mode, signal, onProgress } = options;
  const onBytes = (bytes: number): void => onProgress(`encrypting, ${formatBytes(bytes)}`);
  const checksum = await encryptFile(dumped, partialName(file), { recipients, mode, signal, onBytes });
  await rm(dumped);
  await flushDirectory(path.dirname(dumped));
  return checksum;
}

/**
 * Verifies a dump, writes its manifest and gives it its name, which comes last; when anything fails, nothing of it is left.
 *
 * @param verify reads the dump back from the disk; returns its checksum and how the manifest says what it holds
 */
export async function publishBackup(
  dump: UnnamedDump,
  options: PublishOptions,
  verify: () => Promise<{
    readonly checksum: Checksum;
    readonly describe: (file: Checksum) => Promise<BackupManifest> | BackupManifest;
  }>,
): Promise<WrittenBackup> {
  const { file, dumped } = dump;
  try {
    const { checksum, describe } = await verify();
    const { sizeBytes, sha256 } = options.recipients.length === 0 ? checksum : await encryptDump(dump, options);
    const whole = await describe({ sizeBytes, sha256 });
    const manifest = await sealManifest(whole, options.recipients);
    await writeManifest(file, manifest);
    throwIfInterrupted(options.signal);
    await publish(partialName(file), file);
    return { file, manifest, whole };
  } catch (error) {
    await rm(dumped, { force: true });
    await discardUnpublished(file);
    throw error;
  }
}
