import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { freeBackupFile } from '../../adapters/backups/change-backups.js';
import { FORMAT_VERSION, type BackupManifest } from '../../adapters/backups/manifest.js';
import { partialName, plainName } from '../../adapters/backups/names.js';
import { checksumOf, type Checksum } from '../../adapters/files/checksum.js';
import { withNewFile } from '../../adapters/files/new-file.js';
import type { EmbeddedAccess } from '../../adapters/restoring/access.js';
import { throwIfInterrupted } from '../../base/interruption.js';
import type { Reporting } from '../../base/reporting.js';
import { aisecVersion } from '../../base/version.js';
import type { Capture } from './capture-embedded.js';
import type { Written } from './finish.js';
import { proveByLoading } from './prove-by-loading.js';
import { publishBackup } from './publish-backup.js';

export interface WriteEmbeddedOptions {
  /** Absolute; exists, and its lock is held. */
  readonly folder: string;
  /** The schema of the platform. */
  readonly schema: string;
  /** Public keys of age; empty: it is not encrypted. */
  readonly recipients: readonly string[];
}

const GZIP_LEVEL = 6;
const CHUNK_BYTES = 1024 * 1024;

/** Views on the bytes, so that nothing is copied. */
function* chunksOf(bytes: ArrayBuffer): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES)
    yield new Uint8Array(bytes, at, Math.min(CHUNK_BYTES, bytes.byteLength - at));
}

/** @throws AisecError INTERRUPTED, TERMINATED, RUN_TIMEOUT, DISK_FULL. */
async function pack(tar: ArrayBuffer, file: string, signal: AbortSignal): Promise<void> {
  try {
    await withNewFile(file, (target) =>
      pipeline(Readable.from(chunksOf(tar)), createGzip({ level: GZIP_LEVEL }), target, { signal }),
    );
  } catch (error) {
    throwIfInterrupted(signal);
    throw error;
  }
}

/**
 * Writes one backup of the embedded database, under its name only when it was read back and loaded. The roles are in
 * the data folder, so no file of roles stands beside it.
 *
 * @throws AisecError BACKUP_INVALID, DISK_FULL, EMBEDDED_FAILED; nothing of it is left then.
 */
export async function writeEmbeddedBackup(
  access: EmbeddedAccess,
  capture: Capture,
  { folder, schema, recipients }: WriteEmbeddedOptions,
  { onProgress }: Reporting,
): Promise<Written> {
  const { databaseName: database, signal } = access;
  const { createdAt, facts, contents, tar } = capture;
  const isEncrypted = recipients.length > 0;
  const file = await freeBackupFile(folder, { database, createdAt, format: 'embedded', isEncrypted });
  const dumped = partialName(plainName(file));
  return publishBackup({ file, dumped }, { recipients, signal, onProgress }, async () => {
    onProgress('writing it');
    await pack(tar, dumped, signal);
    const checksum = await checksumOf(dumped, signal);
    await proveByLoading(dumped, contents, { engine: access.options, signal, onProgress });
    const provenAt = new Date().toISOString();
    const describe = ({ sizeBytes, sha256 }: Checksum): BackupManifest => ({
      kind: 'aisec backup',
      formatVersion: FORMAT_VERSION,
      file: path.basename(file),
      database,
      schema,
      createdAt: createdAt.toISOString(),
      durationMs: Date.now() - createdAt.getTime(),
      format: 'embedded',
      sizeBytes,
      databaseSizeBytes: facts.sizeBytes,
      sha256,
      compression: `gzip:${GZIP_LEVEL}`,
      serverVersion: facts.serverVersion,
      serverMajor: facts.serverMajor,
      toolVersion: capture.engineVersion,
      aisecVersion: aisecVersion(),
      extensions: contents.extensions,
      migration: contents.migration,
      roles: contents.roles,
      globals: null,
      encryption: isEncrypted ? { recipients } : null,
      verifications: [
        { level: 'read', at: provenAt },
        { level: 'deep', at: provenAt },
      ],
      damage: null,
      isPinned: false,
      offsite: [],
      rows: contents.rows,
      // Last, since it is long.
      catalog: contents.catalog,
    });
    return { checksum, describe };
  });
}
