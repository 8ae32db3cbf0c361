import { existsSync } from 'node:fs';

import { parseManifest, type BackupManifest } from '../catalog/manifest.js';
import { leftOutText } from '../catalog/left-out.js';
import { globalsName, manifestName } from '../catalog/names.js';
import type { ServerAccess } from '../access.js';
import { readArchive } from './archive.js';
import { requireArchive } from './backup-format.js';
import { readChecksum, requireSameChecksum } from '../verify/check-checksum.js';
import { readText } from '../../../adapters/files/read.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import type { RestorableBackup } from './restorable-backup.js';

export interface ReadBackupOptions {
  /** Takes an archive without a manifest, reading all of it instead. */
  readonly withoutManifest: boolean;
  readonly onProgress: (text: string) => void;
}

/** Vectors of the platform; the index memory that follows from it is a limit, and none is taken before it is needed. */
export const DIMENSIONS = 1536;
const DUMP = /\.dump$/;

/** A checksum that matches verifies all of it; without one, each block's own is checked by reading it. */
async function checkWhole(
  access: ServerAccess,
  file: string,
  sha256: string,
  manifest: BackupManifest | undefined,
): Promise<void> {
  if (manifest !== undefined) {
    requireSameChecksum(file, sha256, manifest.sha256);
    return;
  }
  try {
    await access.pgRestore({ archive: file, args: ['--file=/dev/null'] });
  } catch (error) {
    if (isAisecError(error, 'PG_TOOL_FAILED'))
      throw new AisecError('PG_TOOL_FAILED', `the archive ${file} could not be read here`, {
        detail: error.detail,
        hint: 'No changes were made. This machine, or its pg_restore, could not do it, which says nothing of the archive.',
        cause: error,
      });
    if (!isAisecError(error, 'BACKUP_INVALID')) throw error;
    throw new AisecError('BACKUP_DAMAGED', `the archive ${file} cannot be read to its end`, {
      detail: error.detail,
      hint: 'No changes were made. Restore another backup.',
      cause: error,
    });
  }
}

function manifestOf(file: string): BackupManifest {
  // Whatever the two are called now: the checksum ties them together.
  if (existsSync(manifestName(file))) return parseManifest(readText(manifestName(file)), manifestName(file));
  throw new AisecError('BACKUP_INVALID', `the backup ${file} has no manifest`, {
    detail: `${manifestName(file)} is missing, so the backup cannot be verified.`,
    hint: 'Restore another backup, or give --without-manifest to have the archive itself read whole first.',
  });
}

/**
 * Finds out what a backup holds and needs, and that it is whole, before any server is asked.
 *
 * @throws AisecError BACKUP_UNKNOWN, BACKUP_INVALID, PG_TOOL_MISSING.
 */
export async function readBackup(
  access: ServerAccess,
  file: string,
  options: ReadBackupOptions,
): Promise<RestorableBackup> {
  options.onProgress(`reading ${file}`);
  const { sha256 } = await readChecksum(file, access.signal);
  const manifest = options.withoutManifest ? undefined : manifestOf(file);
  requireArchive(file, manifest?.format);
  await checkWhole(access, file, sha256, manifest);
  const { toc, extensions, vectorIndexes, ...roles } = await readArchive(access, file);
  const globals = globalsName(file);
  const rowsOf = new Map(manifest?.rows.map(({ schema, table, rows }) => [`${schema}.${table}`, rows]));
  return {
    file,
    format: 'custom',
    sha256,
    globalsFile: DUMP.test(file) && existsSync(globals) ? globals : null,
    serverMajor: toc.serverMajor,
    sizeBytes: manifest?.databaseSizeBytes,
    ...roles,
    extensions: extensions.map((name) => ({
      name,
      version: manifest?.extensions.find((each) => each.name === name)?.version ?? null,
    })),
    rows: manifest?.rows ?? [],
    catalog: manifest?.catalog ?? null,
    migration: manifest?.migration ?? null,
    lacks: manifest && leftOutText(manifest),
    // Without a count, as much memory as the server's limit allows.
    vectorIndexes: vectorIndexes.map(({ schema, table, index }) => ({
      schema,
      index,
      rows: rowsOf.get(`${schema}.${table}`) ?? Infinity,
      dimensions: DIMENSIONS,
    })),
    toc,
  };
}
