import { createHash } from 'node:crypto';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { writeWhole } from '../adapters/files/write-whole.js';
import { buildSnapshot } from '../adapters/embedded/snapshot.js';
import type { MigrationFile } from '../features/migrate/index.js';
import { keyOf, migrate, NAMES } from './migrated.js';

const HASH_BYTES = 32;
const SUFFIX = '.snapshot';
const FORGOTTEN_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

/** Of how a snapshot is made. */
const FORMAT = '2';

function fileOf(files: readonly MigrationFile[], cacheDir: string): string {
  return join(cacheDir, `${keyOf(files, FORMAT, process.version)}${SUFFIX}`);
}

/** Undefined when there is none or it is not whole. The file begins with the SHA-256 of the rest. */
async function readSnapshot(file: string): Promise<ArrayBuffer | undefined> {
  const handle = await open(file).catch(() => undefined);
  try {
    if (handle === undefined) return undefined;
    const hash = Buffer.alloc(HASH_BYTES);
    const content = new Uint8Array(Math.max(0, (await handle.stat()).size - HASH_BYTES));
    await handle.read(hash, 0, HASH_BYTES, 0);
    await handle.read(content, 0, content.length, HASH_BYTES);
    return createHash('sha256').update(content).digest().equals(hash) ? content.buffer : undefined;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

async function sweep(cacheDir: string, kept: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const file = join(cacheDir, name);
    if (file === kept || !/\.(snapshot|partial)$/.test(name)) continue;
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > FORGOTTEN_AFTER_MS) await rm(file, { force: true });
  }
}

/**
 * A migrated database as a tar archive: from the directory, or made and kept there as a whole. Two processes that make it at
 * once both do, and one of the files stays.
 */
export async function migratedSnapshot(files: readonly MigrationFile[], cacheDir: string): Promise<ArrayBuffer> {
  const file = fileOf(files, cacheDir);
  const kept = await readSnapshot(file);
  if (kept !== undefined) return kept;
  const content = await buildSnapshot((session) => migrate(session, files), NAMES);
  const hash = createHash('sha256').update(content).digest();
  writeWhole(file, Buffer.concat([hash, content]));
  await sweep(cacheDir, file);
  return content.buffer;
}

/** Removes the snapshot of these migrations. */
export async function forgetSnapshot(files: readonly MigrationFile[], cacheDir: string): Promise<void> {
  await rm(fileOf(files, cacheDir), { force: true });
}
