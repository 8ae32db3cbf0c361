import { isAisecError } from '../../../base/errors.js';
import { readObject, writeObject } from '../../../adapters/object-store/objects.js';
import type { Store } from '../../../adapters/object-store/store.js';
import type { BackupFacts } from '../catalog/facts.js';
import { manifestFault } from '../catalog/manifest-shape.js';
import { encodeDatabaseName } from '../catalog/names.js';

/** The facts of a copy, and the ETag of the manifest that they were read from. */
export interface IndexedFacts {
  readonly etag: string;
  readonly facts: BackupFacts;
}

export type FactsIndex = ReadonlyMap<string, IndexedFacts>;

const KIND = 'aisec backup facts';
const FORMAT_VERSION = 1;

function indexName(database: string): string {
  return `.aisec-facts-${encodeDatabaseName(database)}.json`;
}

function isEntry(value: unknown): value is IndexedFacts {
  const { etag, facts } = (value ?? {}) as { etag?: unknown; facts?: Record<string, unknown> };
  return (
    typeof etag === 'string' &&
    Number.isSafeInteger(facts?.['rowCount']) &&
    manifestFault({ ...facts, rows: [], catalog: null }) === undefined
  );
}

/**
 * What is known of the copies of a database by the names of their files, without their manifests. Only a memory: an
 * entry counts while the manifest in the store still has its ETag, so that it may be old, lost, unreadable or overwritten by another run.
 */
export async function readFactsIndex(store: Store, database: string): Promise<FactsIndex> {
  try {
    const text = await readObject(store, indexName(database));
    const { kind, formatVersion, copies } = JSON.parse(text ?? '{}') as Record<string, unknown>;
    if (kind !== KIND || formatVersion !== FORMAT_VERSION || !Array.isArray(copies)) return new Map();
    return new Map(copies.filter(isEntry).map((entry) => [entry.facts.file, entry]));
  } catch (error) {
    if (error instanceof SyntaxError || isAisecError(error, 'STORE_AUTH', 'STORE_FAILED')) return new Map();
    throw error;
  }
}

/** Remembers the facts for the next run. It can do without, so a store that refuses is no error. */
export async function writeFactsIndex(store: Store, database: string, copies: readonly IndexedFacts[]): Promise<void> {
  const text = JSON.stringify({ kind: KIND, formatVersion: FORMAT_VERSION, copies });
  try {
    await writeObject(store, indexName(database), text);
  } catch (error) {
    if (store.signal.aborted || !isAisecError(error)) throw error;
  }
}
