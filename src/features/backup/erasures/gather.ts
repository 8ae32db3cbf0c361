import path from 'node:path';

import { readObject } from '../../../adapters/object-store/objects.js';
import { withStore } from '../../../adapters/object-store/store.js';
import { isAisecError } from '../../../base/errors.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { isStoreUrl, splitObjectUrl } from '../../../config/store-url.js';
import type { BackupRun } from '../access.js';
import type { BackupSource } from '../store/local-backup.js';
import { distinctRecords, type ErasureRecord } from './erasure-record.js';
import { ERASURE_LIST, parseErasureList, readErasureList } from './list-file.js';
import { readErasureRecords } from './read-erasures.js';

/** Who was erased, as far as it is on record anywhere. */
export interface ErasureLists {
  readonly records: readonly ErasureRecord[];
  /** Where they are from, for people. */
  readonly sources: readonly string[];
}

export interface ErasureSource {
  /** Of the platform. */
  readonly schema: string;
  /** Of the backups: their list is read, and that beside the backup. */
  readonly directory: string;
}

/** The list beside the backup, in the directory of the backups, or in the store. */
async function listsOfFiles(
  run: BackupRun,
  given: string,
  source: ErasureSource & BackupSource,
): Promise<readonly (readonly [string, readonly ErasureRecord[]])[]> {
  const directories = new Set([path.resolve(source.directory)]);
  const found: (readonly [string, readonly ErasureRecord[]])[] = [];
  if (isStoreUrl(given)) {
    const { place } = splitObjectUrl(given, source.endpoint);
    const { environment } = run.places;
    const text = await withStore(place, { environment, signal: run.signal }, (store) =>
      readObject(store, ERASURE_LIST),
    );
    const name = `${given.slice(0, given.lastIndexOf('/'))}/${ERASURE_LIST}`;
    if (text !== undefined) found.push([name, parseErasureList(text, name)]);
  } else directories.add(path.dirname(path.resolve(given)));
  for (const directory of directories) {
    const records = readErasureList(directory);
    if (records !== undefined) found.push([path.join(directory, ERASURE_LIST), records]);
  }
  return found;
}

/**
 * All erasures on record: in the database that is configured, while it can be read, and in the lists beside the backups.
 * What one of them has forgotten the other may know.
 *
 * @param withLive runs the callback on the configured database
 * @throws AisecError CONFIG_INVALID for a list that is damaged, those of the store.
 */
export async function gatherErasures(
  run: BackupRun,
  given: string,
  source: ErasureSource & BackupSource,
  withLive: (
    use: (session: Session) => Promise<readonly ErasureRecord[] | undefined>,
  ) => Promise<readonly ErasureRecord[] | undefined>,
  onWarning: (text: string) => void,
): Promise<ErasureLists> {
  const lists = [...(await listsOfFiles(run, given, source))];
  try {
    const live = await withLive((session) => readErasureRecords(session, source.schema));
    if (live !== undefined) lists.push([`database "${run.databaseName}"`, live]);
  } catch (error) {
    if (!isAisecError(error) || run.signal.aborted) throw error;
    // Lost, damaged or not there: that is why it is restored.
    if (lists.length === 0)
      onWarning(
        `erasures after the backup are not on record: "${run.databaseName}" cannot be read (${error.message}), and no ${ERASURE_LIST} is beside the backup`,
      );
  }
  const records = distinctRecords(lists.flatMap(([, each]) => each));
  return { records, sources: lists.filter(([, each]) => each.length > 0).map(([name]) => name) };
}
