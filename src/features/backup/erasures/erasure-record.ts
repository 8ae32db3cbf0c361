import { createHmac } from 'node:crypto';

/** What becomes of rows that others use, as it was asked for; the other user as a hash, too. */
export type RecordedSharedRule = 'refuse' | 'keep' | { readonly handOverToHash: string };

/**
 * That a person was erased, without personal data: the id is a keyed hash, so that only who has the id can see that it
 * is meant. What a restore brings back is compared with it.
 */
export interface ErasureRecord {
  readonly hashKey: string;
  readonly subjectHash: string;
  /** When it began, RFC 3339. */
  readonly startedAt: string;
  readonly shared: RecordedSharedRule;
  /** Tables whose rows stay, without what names the person. */
  readonly anonymise: readonly string[];
}

/** The id of a user without a way back to it. `hashKey` is hexadecimal. */
export function hashOfUser(id: string, hashKey: string): string {
  return createHmac('sha256', Buffer.from(hashKey, 'hex')).update(id.toLowerCase()).digest('hex');
}

/** Each record once, the oldest first. */
export function distinctRecords(records: readonly ErasureRecord[]): readonly ErasureRecord[] {
  const byHash = new Map(records.map((each) => [each.subjectHash, each]));
  return [...byHash.values()].toSorted((one, other) => one.startedAt.localeCompare(other.startedAt, 'en'));
}

/** Finds users by the hashes of their ids. */
export class ErasedUsers {
  readonly #keys: readonly string[];
  readonly #byHash: ReadonlyMap<string, ErasureRecord>;

  constructor(records: readonly ErasureRecord[]) {
    this.#keys = [...new Set(records.map(({ hashKey }) => hashKey))];
    this.#byHash = new Map(records.map((each) => [each.subjectHash, each]));
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** The erasure of the user with this id; undefined when there was none. */
  find(id: string): ErasureRecord | undefined {
    for (const key of this.#keys) {
      const found = this.#byHash.get(hashOfUser(id, key));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
