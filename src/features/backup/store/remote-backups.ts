import path from 'node:path';

import { AisecError, isAisecError } from '../../../base/errors.js';
import { storeUrl } from '../../../config/store-url.js';
import {
  describeObject,
  listObjects,
  readObject,
  removeObject,
  writeObject,
} from '../../../adapters/object-store/objects.js';
import type { Store } from '../../../adapters/object-store/store.js';
import { removeUnfinished } from '../../../adapters/object-store/unfinished.js';
import { uploadFile } from '../../../adapters/object-store/upload.js';
import type { Backup, BackupDirectory, IncompleteBackup } from '../catalog/directory.js';
import { manifestText, parseManifest, type BackupManifest, type OffsiteCopy } from '../catalog/manifest.js';
import { encodeDatabaseName, manifestName, parseBackupFileName } from '../catalog/names.js';

/** What a store has; `file` is the address of an object, s3://bucket/directory/NAME. */
export type BackupCopies = Pick<BackupDirectory, 'backups' | 'incomplete'>;

/** Names of a database begin so; those of others may, too. */
function startOf(database: string | undefined): string {
  return database === undefined ? '' : `${encodeDatabaseName(database)}_`;
}

async function look(
  store: Store,
  name: string,
  sizeBytes: number | null,
  isManifestThere: boolean,
): Promise<Backup | IncompleteBackup | undefined> {
  const said = parseBackupFileName(name);
  if (said === undefined) return undefined;
  const file = storeUrl(store.place, name);
  const { database, createdAt } = said;
  const incomplete = (reason: string): IncompleteBackup => {
    return { state: 'incomplete', file, database, createdAt, sizeBytes, reason };
  };
  const text = isManifestThere ? await readObject(store, manifestName(name)) : undefined;
  if (text === undefined) return incomplete('Its manifest is not there.');
  let manifest: BackupManifest;
  try {
    manifest = parseManifest(text, manifestName(file));
  } catch (error) {
    if (!isAisecError(error)) throw error;
    return incomplete(error.detail ?? error.message);
  }
  if (manifest.file !== name) return incomplete(`Its manifest is that of "${manifest.file}".`);
  if (sizeBytes === null) return incomplete('Its manifest is there and the file is not.');
  if (sizeBytes !== manifest.sizeBytes)
    return incomplete(`It has ${sizeBytes} bytes and its manifest says ${manifest.sizeBytes}.`);
  return { state: 'complete', file, manifest, createdAt: new Date(manifest.createdAt) };
}

/**
 * The backups in a directory of a store, the newest first: of one database, by its exact name, or of all. Reads names,
 * sizes and manifests. Objects without a name of ours are left out.
 *
 * @throws AisecError STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, STORE_FAILED.
 */
export async function readBackupCopies(store: Store, database?: string): Promise<BackupCopies> {
  const objects = await listObjects(store, startOf(database));
  const sizes = new Map(objects.map(({ name, sizeBytes }) => [name, sizeBytes]));
  const named = new Set([...sizes.keys()].map((name) => name.replace(/\.json$/, '')));
  const found: (Backup | IncompleteBackup)[] = [];
  for (const name of named) {
    if (database !== undefined && parseBackupFileName(name)?.database !== database) continue;
    const backup = await look(store, name, sizes.get(name) ?? null, sizes.has(manifestName(name)));
    if (backup !== undefined) found.push(backup);
  }
  const newestFirst = found.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  return {
    backups: newestFirst.filter((each) => each.state === 'complete'),
    incomplete: newestFirst.filter((each) => each.state === 'incomplete'),
  };
}

/** Longer than any upload takes: what is older and not finished was stopped. */
const STOPPED_AFTER_MS = 2 * 86_400_000;

/**
 * The parts that stopped uploads of this database have left: those of the names that are known to be ours, and of others
 * only when they are too old to be at work, since another server may have a database of this name. Returns the names they
 * would have got.
 */
export async function removeUnfinishedCopies(
  store: Store,
  database: string,
  ours: ReadonlySet<string>,
): Promise<readonly string[]> {
  const longAgo = Date.now() - STOPPED_AFTER_MS;
  return removeUnfinished(
    store,
    startOf(database),
    (name, begunAt) =>
      parseBackupFileName(name)?.database === database && (ours.has(name) || begunAt.getTime() < longAgo),
  );
}

/** The manifest of a copy. @throws AisecError BACKUP_UNKNOWN when there is none, BACKUP_INVALID when it is wrong. */
export async function readCopyManifest(store: Store, name: string): Promise<BackupManifest> {
  const file = storeUrl(store.place, name);
  const text = await readObject(store, manifestName(name));
  if (text === undefined)
    throw new AisecError('BACKUP_UNKNOWN', `there is no backup ${file}`, {
      detail: 'Its manifest is not there.',
      hint: `See what the store has: aisec backup list --to ${storeUrl(store.place)}`,
    });
  const manifest = parseManifest(text, manifestName(file));
  if (manifest.file === name) return manifest;
  throw new AisecError('BACKUP_INVALID', `${manifestName(file)} is the manifest of another backup`, {
    detail: `It is that of "${manifest.file}".`,
    hint: 'Use another backup, or another copy of this one.',
  });
}

/** Changes the manifest of a copy. */
export async function changeCopyManifest(
  store: Store,
  name: string,
  change: (manifest: BackupManifest) => BackupManifest,
): Promise<BackupManifest> {
  const changed = change(await readCopyManifest(store, name));
  await writeObject(store, manifestName(name), manifestText(changed));
  return changed;
}

export interface CopyOptions {
  readonly isReadBack: boolean;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Copies a backup to a store: the roles, the file, and the manifest at the very end. Killed at any moment, what is
 * there without its manifest is not counted as a backup.
 *
 * @param file the local one
 */
export async function uploadBackup(
  store: Store,
  file: string,
  manifest: BackupManifest,
  { isReadBack, onBytes }: CopyOptions,
): Promise<OffsiteCopy> {
  const { globals, sizeBytes, sha256 } = manifest;
  const there = await describeObject(store, manifest.file);
  if (there !== undefined && there.sha256 !== sha256)
    throw new AisecError(
      'STORE_FAILED',
      `${storeUrl(store.place, manifest.file)} is there already, and is another backup`,
      {
        detail: 'Another server with a database of this name has begun a backup in the same second.',
        hint: 'Give each server a place of its own, such as s3://bucket/SERVER, and make the backup again.',
      },
    );
  if (globals !== null)
    await uploadFile(store, {
      file: path.join(path.dirname(file), globals.file),
      name: globals.file,
      checksum: globals,
      isReadBack,
      onBytes: () => undefined,
    });
  await uploadFile(store, { file, name: manifest.file, checksum: { sizeBytes, sha256 }, isReadBack, onBytes });
  const copy: OffsiteCopy = {
    url: storeUrl(store.place, manifest.file),
    endpoint: store.place.endpoint ?? null,
    uploadedAt: new Date().toISOString(),
    sizeBytes,
    sha256,
  };
  await writeObject(store, manifestName(manifest.file), manifestText({ ...manifest, offsite: [copy] }));
  return copy;
}

/** Removes a copy with what belongs to it; the manifest last, so that what is left half-way is seen and removed again. */
export async function removeBackupCopy(store: Store, { file, globals }: BackupManifest): Promise<void> {
  await removeObject(store, file);
  if (globals !== null) await removeObject(store, globals.file);
  await removeObject(store, manifestName(file));
}
