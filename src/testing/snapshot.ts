import { createHash } from 'node:crypto';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { writeWhole } from '../adapters/files/write-whole.js';
import { buildSnapshot } from '../adapters/postgres/embedded-snapshot.js';
import { aisecVersion } from '../base/version.js';
import { readMigrationFolder } from '../operations/migrate/migration-folder.js';
import type { MigrationFile } from '../operations/migrate/migration-file.js';
import { migrateUp } from '../operations/migrate/up.js';

const NAMES = { schema: 'public', extensionSchema: 'public' } as const;
const HASH_BYTES = 32;
const SUFFIX = '.snapshot';
const FORGOTTEN_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

/** Of how a snapshot is made. */
const FORMAT = '2';

/** By the migrations, the versions, and the month: the months of messages ahead are in it. */
async function fileOf(files: readonly MigrationFile[], cacheDir: string): Promise<string> {
  const { version: nodeVersion } = process;
  const month = new Date().toISOString().slice(0, 7);
  const parts = [
    FORMAT,
    aisecVersion(),
    nodeVersion,
    month,
    ...files.map(({ name, checksum }) => `${name} ${checksum}`),
  ];
  return join(cacheDir, `${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)}${SUFFIX}`);
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
 * A migrated database as a tar archive: from the folder, or made and kept there as a whole. Two processes that make it at
 * once both do, and one of the files stays.
 */
export async function migratedSnapshot(migrationsDir: string, cacheDir: string): Promise<ArrayBuffer> {
  const files = await readMigrationFolder(migrationsDir, process.cwd());
  const file = await fileOf(files, cacheDir);
  const kept = await readSnapshot(file);
  if (kept !== undefined) return kept;
  const nothing = (): void => undefined;
  const content = await buildSnapshot(async (session) => {
    const options = { files, ...NAMES, to: undefined, allowsLate: false, lockTimeoutMs: 0, lockAttempts: 1, waitMs: 0 };
    await migrateUp(session, options, { onProgress: nothing, onWarning: nothing });
  }, NAMES);
  const hash = createHash('sha256').update(content).digest();
  writeWhole(file, Buffer.concat([hash, content]));
  await sweep(cacheDir, file);
  return content.buffer;
}

/** Removes the snapshot of these migrations. */
export async function forgetSnapshot(migrationsDir: string, cacheDir: string): Promise<void> {
  const files = await readMigrationFolder(migrationsDir, process.cwd());
  await rm(await fileOf(files, cacheDir), { force: true });
}
