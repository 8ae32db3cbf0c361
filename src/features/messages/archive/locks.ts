import type { PartitionFacts, Surroundings } from './facts.js';

/** A table lock that will be taken. */
export interface LockWish {
  readonly relation: string;
  readonly mode: 'ROW EXCLUSIVE' | 'SHARE ROW EXCLUSIVE' | 'ACCESS EXCLUSIVE';
}

const wishes = (mode: LockWish['mode'], relations: readonly (string | null)[]): readonly LockWish[] =>
  relations.flatMap((relation) => (relation === null ? [] : [{ relation, mode }]));

/** As aisec_lock_message_swap takes them, in its order, each in its final mode, for some milliseconds. */
export function locksOfSwap(surroundings: Surroundings, partition: string): readonly LockWish[] {
  const { referenceTables, defaultPartition } = surroundings;
  return wishes('ACCESS EXCLUSIVE', [...referenceTables, 'messages_archive', 'messages', defaultPartition, partition]);
}

/** The foreign keys of messages are added before the swap, and checked without a lock that stops a writer. */
export function locksOfRestore(surroundings: Surroundings, partition: string): readonly LockWish[] {
  return [...wishes('SHARE ROW EXCLUSIVE', surroundings.referenceTables), ...locksOfSwap(surroundings, partition)];
}

/** A month that a restore was stopped for has foreign keys, whose triggers are on the tables they point to. */
export function locksOfDrop(partition: PartitionFacts, surroundings: Surroundings): readonly LockWish[] {
  const references = partition.hasForeignKeys ? surroundings.referenceTables : [];
  return wishes('ACCESS EXCLUSIVE', [...references, 'messages_archive', partition.relation]);
}

/** Rows moved in batches stop no reader and no writer. */
export function locksOfMove(sources: readonly string[]): readonly LockWish[] {
  return wishes('ROW EXCLUSIVE', [...sources, 'messages_archive']);
}
