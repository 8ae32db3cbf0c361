import { createHash } from 'node:crypto';

import { describeObject, listObjects, removeObject } from '../../../adapters/object-store/objects.js';
import type { Store } from '../../../adapters/object-store/store.js';
import { listUnfinished, removeUnfinished } from '../../../adapters/object-store/unfinished.js';
import { AisecError, reasonOf } from '../../../base/errors.js';
import { databaseOfStem, parseBackupFileName, startOfNames, stemOf } from '../catalog/names.js';
import type { BackupOrigin } from '../catalog/origin.js';

/** Longer than any upload takes: what is older and not finished was stopped, and is not continued any more. */
const STOPPED_AFTER_MS = 2 * 86_400_000;

/** Kept with each object, so that one without its manifest says whose it is. */
export function originMark(origin: BackupOrigin | null | undefined): string | undefined {
  if (origin === null || origin === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([origin.id, origin.address ?? null]))
    .digest('hex');
}

/** What a run knows of its backups, by the directory that it writes to. */
export interface LocalNames {
  /** Those that are to be copied still: an upload of theirs that was stopped is continued. */
  readonly waiting: ReadonlySet<string>;
  /** The others of this database. */
  readonly copied: ReadonlySet<string>;
}

/** What it costs that unfinished uploads cannot be listed. */
export function unlistedText(refusal: AisecError): string {
  return `${reasonOf(refusal)}: an upload that is stopped begins again, and its parts stay in the store`;
}

/**
 * The parts that stopped uploads of this database have left: those of our own that need no copy any more, and others only when
 * they are too old to be at work, since another server may have a database of this name. Returns the names they would have got.
 */
export async function removeUnfinishedCopies(
  store: Store,
  database: string,
  { copied }: LocalNames,
  onDetail: (text: string) => void,
): Promise<readonly string[]> {
  const uploads = await listUnfinished(store, startOfNames(database));
  if (uploads instanceof AisecError) {
    // The same in every run: a warning of it would be in the mail of every night.
    onDetail(unlistedText(uploads));
    return [];
  }
  const longAgo = Date.now() - STOPPED_AFTER_MS;
  const ours = uploads.filter(
    ({ name, begunAt }) =>
      parseBackupFileName(name)?.database === database && (copied.has(name) || begunAt.getTime() < longAgo),
  );
  for (const upload of ours) await removeUnfinished(store, upload);
  return ours.map(({ name }) => name);
}

/**
 * Whole files of this database that a stopped run has left without their manifest, once nothing here can complete them: those
 * with the mark of this installation only. Returns their names.
 */
export async function removeFilesWithoutManifest(
  store: Store,
  database: string,
  origin: BackupOrigin | null,
  { waiting, copied }: LocalNames,
): Promise<readonly string[]> {
  const mark = originMark(origin);
  if (mark === undefined) return [];
  const objects = await listObjects(store, startOfNames(database));
  const known = new Set(
    [...objects.flatMap(({ name }) => (name.endsWith('.json') ? [name] : [])), ...waiting, ...copied].map(stemOf),
  );
  const longAgo = Date.now() - STOPPED_AFTER_MS;
  const left: string[] = [];
  for (const { name, modifiedAt } of objects) {
    const stem = stemOf(name);
    if (known.has(stem) || databaseOfStem(stem) !== database || modifiedAt.getTime() > longAgo) continue;
    if ((await describeObject(store, name))?.origin !== mark) continue;
    await removeObject(store, name);
    left.push(name);
  }
  return left;
}
