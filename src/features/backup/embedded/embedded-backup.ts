import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import { formatBytes } from '../../../base/bytes.js';
import { AisecError, messageOf } from '../../../base/errors.js';
import { throwIfInterrupted } from '../../../base/interruption.js';
import type { BackupManifest } from '../catalog/manifest.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { catalogFaults } from '../verify/compare-catalogs.js';
import { compareRows } from '../verify/compare-rows.js';

/** What a loaded database is compared with. */
export type Contents = Pick<BackupManifest, 'rows' | 'catalog' | 'extensions' | 'roles' | 'migration'>;

export interface ReadOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Unpacks a gzip file to its end, chunk by chunk; gzip's own checksum is compared there.
 *
 * @throws AisecError BACKUP_DAMAGED.
 */
export async function unpackGzip(
  file: string,
  { signal, onProgress }: ReadOptions,
  onChunk: (chunk: Buffer) => void | Promise<void> = () => undefined,
): Promise<void> {
  let bytes = 0;
  try {
    await pipeline(
      createReadStream(file, { highWaterMark: CHUNK_BYTES }),
      createGunzip({ chunkSize: CHUNK_BYTES }),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          await onChunk(chunk);
          bytes += chunk.length;
          onProgress(`unpacking, ${formatBytes(bytes)}`);
        }
      },
      { signal },
    );
  } catch (error) {
    throwIfInterrupted(signal);
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!code.startsWith('Z_')) throw error;
    throw new AisecError('BACKUP_DAMAGED', `the backup ${file} cannot be unpacked to its end`, {
      detail: `${messageOf(error)}.`,
      hint: 'Restore from another one.',
      cause: error,
    });
  }
}

/** All of it in memory. @throws as `unpackGzip`. */
export async function unpackTar(file: string, options: ReadOptions): Promise<ArrayBuffer> {
  const chunks: Buffer[] = [];
  await unpackGzip(file, options, (chunk) => void chunks.push(chunk));
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks.splice(0)) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole.buffer;
}

/** The roles that do not come with every PostgreSQL. */
export async function ownRoles(session: Session): Promise<readonly string[]> {
  const { rows } = await session.query<{ name: string }>(
    "select rolname::text as name from pg_catalog.pg_roles where oid <> 10 and rolname !~ '^pg_' order by rolname",
  );
  return rows.map(({ name }) => name);
}

/** What a loaded database has otherwise than what was backed up, one line each; empty when nothing. */
export async function compareContents(
  session: Session,
  { rows, catalog, extensions, roles }: Contents,
  onProgress: (text: string) => void,
): Promise<readonly string[]> {
  const present = new Set(await ownRoles(session));
  const missing = roles.filter((role) => !present.has(role)).map((role) => `role "${role}" is missing`);
  const installed = await session.query<{ name: string; version: string }>(
    'select extname::text as name, extversion as version from pg_catalog.pg_extension',
  );
  const versions = new Map(installed.rows.map(({ name, version }) => [name, version]));
  const others = extensions
    .filter(({ name, version }) => versions.get(name) !== version)
    .map(({ name, version }) => `extension ${name} has version ${versions.get(name) ?? 'none'}, the backup ${version}`);
  const catalogs = await catalogFaults(session, { catalog }, { withGrants: true });
  return [...missing, ...others, ...(await compareRows(session, rows, onProgress)), ...catalogs];
}
