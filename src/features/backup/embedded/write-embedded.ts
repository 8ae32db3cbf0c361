import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { freeBackupFile } from '../catalog/change-backups.js';
import type { BackupFileMode } from '../catalog/file-mode.js';
import type { BackupManifest } from '../catalog/manifest.js';
import { partialName, plainName } from '../catalog/names.js';
import { checksumOf, type Checksum } from '../../../adapters/files/checksum.js';
import { withNewFile } from '../../../adapters/files/new-file.js';
import { openTar } from '../../../adapters/embedded/tar.js';
import type { EmbeddedAccess } from '../access.js';
import { rowChecksums } from './row-checksums.js';
import { sqlText } from './sql-text.js';
import { throwIfInterrupted } from '../../../base/interruption.js';
import type { Reporting } from '../../../base/reporting.js';
import type { Capture } from './capture-embedded.js';
import type { WrittenBackup } from '../run/finish.js';
import { compareLoaded, type LoadOptions } from './compare-loaded.js';
import { writeRolesFile } from '../run/write-roles-file.js';
import { newManifest } from '../run/new-manifest.js';
import type { BackupOrigin } from '../catalog/origin.js';
import { publishBackup } from '../run/publish-backup.js';

export interface WriteEmbeddedOptions {
  /** Absolute; exists, and its lock is held. */
  readonly directory: string;
  /** The schema of the platform. */
  readonly schema: string;
  readonly origin: BackupOrigin | null;
  readonly format: EmbeddedFormat;
  /** Public keys of age; empty: it is not encrypted. */
  readonly recipients: readonly string[];
  readonly mode: BackupFileMode;
}

/** A data directory, or text for psql. */
export type EmbeddedFormat = 'embedded' | 'sql';

const GZIP_LEVEL = 6;
const CHUNK_BYTES = 1024 * 1024;

/** Views on the bytes, so that nothing is copied. */
function* chunksOf(bytes: ArrayBuffer): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES)
    yield new Uint8Array(bytes, at, Math.min(CHUNK_BYTES, bytes.byteLength - at));
}

interface Packing {
  readonly file: string;
  readonly mode: BackupFileMode;
  readonly signal: AbortSignal;
}

/** @throws AisecError INTERRUPTED, TERMINATED, RUN_TIMEOUT; what the file system throws. */
async function pack(
  chunks: Iterable<Uint8Array> | AsyncIterable<string | Uint8Array>,
  { file, mode, signal }: Packing,
): Promise<void> {
  try {
    await withNewFile(
      file,
      (target) => pipeline(Readable.from(chunks), createGzip({ level: GZIP_LEVEL }), target, { signal }),
      mode,
    );
  } catch (error) {
    throwIfInterrupted(signal);
    throw error;
  }
}

type CompareMore = NonNullable<LoadOptions['compareMore']>;

/** The text comes from a clone: pg_dump would leave the session of the database itself unusable. */
async function packSql(
  { options }: EmbeddedAccess,
  tar: ArrayBuffer,
  packing: Packing,
  onProgress: (text: string) => void,
): Promise<CompareMore> {
  const { session, engine } = await openTar(tar, options, { label: 'clone in memory' });
  try {
    const before = await rowChecksums(session, engine);
    await pack(sqlText(session, engine, onProgress), packing);
    return async (loaded) => {
      const after = await rowChecksums(loaded.session, loaded.engine);
      return [...before].filter(([table, sum]) => after.get(table) !== sum).map(([table]) => `rows of ${table} differ`);
    };
  } finally {
    await session.close();
  }
}

/**
 * Writes one backup of the embedded database, under its name only when it was read back and loaded. A data directory has
 * the roles in it; beside a text they stand in a file, as for a server.
 *
 * @throws AisecError BACKUP_INVALID, EMBEDDED_FAILED; what the file system throws. Nothing of it is left then.
 */
export async function writeEmbeddedBackup(
  access: EmbeddedAccess,
  capture: Capture,
  { directory, schema, origin, format, recipients, mode }: WriteEmbeddedOptions,
  { onProgress }: Reporting,
): Promise<WrittenBackup> {
  const { databaseName: database, signal } = access;
  const { createdAt, facts, contents, tar } = capture;
  const isEncrypted = recipients.length > 0;
  const file = await freeBackupFile(directory, { database, createdAt, format, isEncrypted });
  const dumped = partialName(plainName(file));
  return publishBackup({ file, dumped }, { recipients, mode, signal, onProgress }, async () => {
    onProgress('writing it');
    let compareMore: CompareMore | undefined;
    const packing = { file: dumped, mode: isEncrypted ? 0o600 : mode, signal } as const;
    if (format === 'sql') compareMore = await packSql(access, tar, packing, onProgress);
    else await pack(chunksOf(tar), packing);
    const checksum = await checksumOf(dumped, signal);
    const engine = access.options;
    await compareLoaded(dumped, contents, {
      format,
      engine,
      signal,
      onProgress,
      ...(compareMore && { compareMore }),
    });
    const roles = capture.roleStatements.map((statement) => `${statement}\n`).join('');
    const globals = format === 'sql' ? await writeRolesFile(file, roles, { mode, recipients, signal }) : null;
    const provenAt = new Date().toISOString();
    const describe = (written: Checksum): BackupManifest =>
      newManifest({
        file,
        database,
        schema,
        origin,
        createdAt,
        durationMs: Date.now() - createdAt.getTime(),
        format,
        compression: `gzip:${GZIP_LEVEL}`,
        toolVersion: capture.engineVersion,
        facts,
        contents,
        globals,
        recipients,
        verifications: [
          { level: 'read', at: provenAt },
          { level: 'deep', at: provenAt },
        ],
        checksum: written,
      });
    return { checksum, describe };
  });
}
