import path from 'node:path';

import { AisecError, isAisecError } from '../../../base/errors.js';
import { storeUrl } from '../../../config/store-url.js';
import {
  describeObject,
  listObjects,
  readObject,
  removeObject,
  writeObject,
  type StoredObject,
} from '../../../adapters/object-store/objects.js';
import type { Store } from '../../../adapters/object-store/store.js';
import { uploadFile } from '../../../adapters/object-store/upload.js';
import { newestFirst, type Backup, type BackupDirectory, type IncompleteBackup } from '../catalog/directory.js';
import { factsOf, type BackupFacts } from '../catalog/facts.js';
import { inTurns } from '../catalog/in-turns.js';
import { manifestText, parseManifest, type BackupManifest, type OffsiteCopy } from '../catalog/manifest.js';
import { readCopyManifest } from './change-copy.js';
import { readFactsIndex, writeFactsIndex, type FactsIndex } from './facts-index.js';
import { manifestName, parseBackupFileName, startOfNames } from '../catalog/names.js';
import { originMark } from './left-behind.js';

/** What a store has; `file` is the address of an object, s3://bucket/directory/NAME. */
export interface BackupCopies extends Pick<BackupDirectory, 'backups' | 'incomplete'> {
  /** Of the incomplete ones, those whose manifest is there and the file is not: what a removal that was stopped leaves. */
  readonly withoutFile: readonly Backup[];
}

/** One that can be counted: the file and its manifest are there, and say the same. */
interface ReadCopy extends Backup {
  readonly etag: string;
}

interface IncompleteCopy extends IncompleteBackup {
  /** Only of one that has no file. */
  readonly facts?: BackupFacts;
}

/** Requests for manifests at once; the SDK has 50 connections. */
const CONCURRENT_READS = 16;

async function look(
  store: Store,
  name: string,
  file: StoredObject | undefined,
  beside: StoredObject | undefined,
  index: FactsIndex,
): Promise<ReadCopy | IncompleteCopy | undefined> {
  const said = parseBackupFileName(name);
  if (said === undefined) return undefined;
  const url = storeUrl(store.place, name);
  const { database, createdAt } = said;
  const sizeBytes = file?.sizeBytes ?? null;
  const incomplete = (reason: string): IncompleteBackup => {
    return { state: 'incomplete', file: url, database, createdAt, sizeBytes, reason };
  };
  if (beside === undefined) return incomplete('Its manifest is not there.');
  const known = index.get(name);
  let facts = known !== undefined && known.etag === beside.etag && beside.etag !== '' ? known.facts : undefined;
  if (facts === undefined) {
    const text = await readObject(store, manifestName(name));
    if (text === undefined) return incomplete('Its manifest is not there.');
    try {
      facts = factsOf(parseManifest(text, manifestName(url)));
    } catch (error) {
      if (!isAisecError(error)) throw error;
      return incomplete(error.detail ?? error.message);
    }
  }
  if (facts.file !== name) return incomplete(`Its manifest is that of "${facts.file}".`);
  if (sizeBytes === null) return { ...incomplete('Its manifest is there and the file is not.'), facts };
  if (sizeBytes !== facts.sizeBytes)
    return incomplete(`It has ${sizeBytes} bytes and its manifest says ${facts.sizeBytes}.`);
  return { state: 'complete', file: url, manifest: facts, createdAt: new Date(facts.createdAt), etag: beside.etag };
}

function isComplete(copy: ReadCopy | IncompleteCopy | undefined): copy is ReadCopy {
  return copy?.state === 'complete';
}

/**
 * The backups in a directory of a store, the newest first: of one database, by its exact name, or of all. Reads names and
 * sizes, and only those manifests that the index does not have the facts of. Objects without a name of ours are left out.
 *
 * @param remember writes the index when it lacked some, for a run that writes to the store anyway
 * @throws AisecError STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, STORE_FAILED.
 */
export async function readBackupCopies(
  store: Store,
  database?: string,
  { remember = false }: { readonly remember?: boolean } = {},
): Promise<BackupCopies> {
  const start = database === undefined ? '' : startOfNames(database);
  const objects = new Map((await listObjects(store, start)).map((object) => [object.name, object]));
  const names = new Map(
    [...objects.keys()].flatMap((each) => {
      const name = each.replace(/\.json$/, '');
      const of = parseBackupFileName(name)?.database;
      return of === undefined || (database !== undefined && of !== database) ? [] : [[name, of] as const];
    }),
  );
  const databases = [...new Set(names.values())];
  const indexes = await inTurns(databases, CONCURRENT_READS, (each) => readFactsIndex(store, each));
  const index: FactsIndex = new Map(indexes.flatMap((each) => [...each]));
  const found = await inTurns([...names.keys()], CONCURRENT_READS, (name) =>
    look(store, name, objects.get(name), objects.get(manifestName(name)), index),
  );
  const copies = found.filter(isComplete);
  if (remember)
    for (const each of databases) {
      const ofDatabase = copies.filter(({ manifest }) => names.get(manifest.file) === each);
      if (ofDatabase.some(({ manifest, etag }) => index.get(manifest.file)?.etag !== etag))
        await writeFactsIndex(
          store,
          each,
          ofDatabase.map(({ etag, manifest: facts }) => ({ etag, facts })),
        );
    }
  const incomplete = found.filter((each) => each !== undefined && each.state !== 'complete');
  return {
    backups: copies.map(({ etag: _etag, ...backup }) => backup).toSorted(newestFirst),
    incomplete: incomplete.map(({ facts: _facts, ...each }) => each).toSorted(newestFirst),
    withoutFile: incomplete.flatMap(({ file, facts }) =>
      facts === undefined
        ? []
        : [{ state: 'complete', file, manifest: facts, createdAt: new Date(facts.createdAt) } as const],
    ),
  };
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
  const origin = originMark(manifest.origin);
  const there = await describeObject(store, manifest.file);
  if (there !== undefined && there.sha256 !== sha256)
    throw new AisecError(
      // Not one that passes: it is not tried again.
      'BACKUP_INVALID',
      `${storeUrl(store.place, manifest.file)} is there already, and is another backup`,
      {
        detail: 'Its SHA-256 is not the one of the local backup of that name.',
        hint: 'Give each server a place of its own, such as s3://bucket/SERVER.',
      },
    );
  if (globals !== null)
    await uploadFile(store, {
      file: path.join(path.dirname(file), globals.file),
      name: globals.file,
      checksum: globals,
      isReadBack,
      origin,
      onBytes: () => undefined,
    });
  const checksum = { sizeBytes, sha256 };
  // As a run that was stopped before the manifest has left it.
  const isThere = there?.sizeBytes === sizeBytes && !isReadBack;
  if (!isThere) await uploadFile(store, { file, name: manifest.file, checksum, isReadBack, origin, onBytes });
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

/** A manifest that cannot be read pins nothing. */
async function isPinnedNow(store: Store, file: string): Promise<boolean> {
  try {
    return (await readCopyManifest(store, file)).isPinned;
  } catch (error) {
    if (isAisecError(error, 'BACKUP_UNKNOWN', 'BACKUP_INVALID')) return false;
    throw error;
  }
}

/**
 * Removes a copy with what belongs to it: the file first and the manifest last. Killed at any moment, what is left is a manifest
 * without its file, which no command counts, no upload leaves, and the next prune removes. False: it was pinned since it was
 * looked at, and stays.
 */
export async function removeBackupCopy(
  store: Store,
  { file, globals }: Pick<BackupManifest, 'file' | 'globals'>,
): Promise<boolean> {
  if (await isPinnedNow(store, file)) return false;
  await removeObject(store, file);
  if (globals !== null) await removeObject(store, globals.file);
  await removeObject(store, manifestName(file));
  return true;
}
