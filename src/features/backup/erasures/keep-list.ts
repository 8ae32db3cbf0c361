import path from 'node:path';

import { readObject, writeObject } from '../../../adapters/object-store/objects.js';
import type { Store } from '../../../adapters/object-store/store.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { isAisecError, reasonOf } from '../../../base/errors.js';
import { storeUrl } from '../../../config/store-url.js';
import { distinctRecords } from './erasure-record.js';
import { addToErasureList, ERASURE_LIST, formatErasureList, parseErasureList, readErasureList } from './list-file.js';
import { readErasureRecords } from './read-erasures.js';

/** Adds the erasures of a database to the list beside its backups, such as those that were made on another machine. */
export async function keepErasureList(
  session: Session,
  schema: string,
  directory: string,
  onWarning: (text: string) => void,
): Promise<void> {
  try {
    addToErasureList(directory, (await readErasureRecords(session, schema)) ?? []);
  } catch (error) {
    if (!isAisecError(error)) throw error;
    onWarning(`the list of erasures was not rewritten: ${reasonOf(error)}`);
  }
}

/** Adds the list beside the backups to that of a store. */
export async function copyErasureList(store: Store, directory: string): Promise<void> {
  const here = readErasureList(path.resolve(directory)) ?? [];
  if (here.length === 0) return;
  const text = await readObject(store, ERASURE_LIST);
  const there = text === undefined ? [] : parseErasureList(text, storeUrl(store.place, ERASURE_LIST));
  const all = distinctRecords([...there, ...here]);
  if (all.length > there.length) await writeObject(store, ERASURE_LIST, formatErasureList(all));
}
