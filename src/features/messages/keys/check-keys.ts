import type { Session } from '../../../adapters/postgres/session.js';
import { compareKeys, type KeyDifferenceKind } from './compare-keys.js';

export interface KeyCount {
  readonly kind: KeyDifferenceKind;
  readonly count: number;
  /** The partitions of those messages, quoted, the first five. */
  readonly partitions: readonly string[];
  /** The first five ids. */
  readonly ids: readonly string[];
}

const EXAMPLES = 5;
const KINDS: readonly KeyDifferenceKind[] = ['doubled', 'missing', 'orphaned', 'different'];

class Tally {
  count = 0;
  readonly partitions = new Set<string>();
  readonly ids: string[] = [];

  add(id: string, partition: string | null): void {
    this.count += 1;
    if (partition !== null && this.partitions.size < EXAMPLES) this.partitions.add(partition);
    if (this.ids.length < EXAMPLES) this.ids.push(id);
  }
}

/** How many keys differ from the messages, by kind; empty when all is well. @throws AisecError PRIVILEGE_MISSING. */
export async function checkKeys(session: Session, onProgress: (text: string) => void): Promise<readonly KeyCount[]> {
  const tallies = new Map<KeyDifferenceKind, Tally>();
  for await (const differences of compareKeys(session, onProgress))
    for (const { kind, id, partition } of differences) {
      const tally = tallies.get(kind) ?? new Tally();
      tally.add(id, partition);
      tallies.set(kind, tally);
    }
  return KINDS.flatMap((kind) => {
    const tally = tallies.get(kind);
    return tally === undefined ? [] : [{ kind, count: tally.count, partitions: [...tally.partitions], ids: tally.ids }];
  });
}
