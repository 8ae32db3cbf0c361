import { createHash } from 'node:crypto';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { writeWhole } from '../adapters/files/write-whole.js';
import { buildSnapshot } from '../adapters/embedded/snapshot.js';
import type { MigrationFile } from '../features/migrate/index.js';
import { readTables, type RunQuery, type Table } from './clear-tables.js';
import { keyOf, migrate, NAMES } from './migrated.js';
import { createServiceRole } from './service-role.js';

const [HASH_BYTES, LENGTH_BYTES] = [32, 4];
const SUFFIX = '.snapshot';
const FORGOTTEN_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

/** Of how a snapshot is made. */
const FORMAT = '3';

/** A database that was migrated, with the role of a service. */
export interface MigratedSnapshot {
  /** Asking for them takes a tenth of a start. */
  readonly tables: readonly Table[];
  /** A tar archive of its data directory. */
  readonly content: Buffer<ArrayBuffer>;
}

function fileOf(files: readonly MigrationFile[], cacheDir: string): string {
  return join(cacheDir, `${keyOf(files, FORMAT, process.version)}${SUFFIX}`);
}

/** Undefined when there is none or it is not whole. The file: the SHA-256 of the rest, length and JSON of the tables, content. */
async function readSnapshot(file: string): Promise<MigratedSnapshot | undefined> {
  const handle = await open(file).catch(() => undefined);
  try {
    if (handle === undefined) return undefined;
    const hash = Buffer.alloc(HASH_BYTES);
    const rest = Buffer.from(new ArrayBuffer(Math.max(0, (await handle.stat()).size - HASH_BYTES)));
    await handle.read(hash, 0, HASH_BYTES, 0);
    await handle.read(rest, 0, rest.length, HASH_BYTES);
    if (!createHash('sha256').update(rest).digest().equals(hash)) return undefined;
    const contentAt = LENGTH_BYTES + rest.readUInt32LE();
    const tables = JSON.parse(rest.toString('utf8', LENGTH_BYTES, contentAt)) as readonly Table[];
    return { tables, content: rest.subarray(contentAt) };
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

async function makeSnapshot(files: readonly MigrationFile[], service: string): Promise<MigratedSnapshot> {
  let tables: readonly Table[] = [];
  const content = await buildSnapshot(async (session) => {
    await migrate(session, files);
    const query: RunQuery = (text) => session.query(text);
    await createServiceRole(query, service);
    tables = await readTables(query);
  }, NAMES);
  return { tables, content };
}

function writeSnapshot(file: string, { tables, content }: MigratedSnapshot): void {
  const [length, list] = [Buffer.alloc(LENGTH_BYTES), Buffer.from(JSON.stringify(tables))];
  length.writeUInt32LE(list.length);
  const rest = Buffer.concat([length, list, content]);
  writeWhole(file, Buffer.concat([createHash('sha256').update(rest).digest(), rest]));
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
 * A migrated database, with a role of a service: from the directory, or made and kept there as a whole. Two processes that make
 * it at once both do, and one of the files stays.
 */
export async function migratedSnapshot(
  files: readonly MigrationFile[],
  cacheDir: string,
  service: string,
): Promise<MigratedSnapshot> {
  const file = fileOf(files, cacheDir);
  const kept = await readSnapshot(file);
  if (kept !== undefined) return kept;
  const made = await makeSnapshot(files, service);
  writeSnapshot(file, made);
  await sweep(cacheDir, file);
  return made;
}

/** Removes the snapshot of these migrations. */
export async function forgetSnapshot(files: readonly MigrationFile[], cacheDir: string): Promise<void> {
  await rm(fileOf(files, cacheDir), { force: true });
}
