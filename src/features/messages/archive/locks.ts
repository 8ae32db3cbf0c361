import type { Surroundings } from './facts.js';

/** A table lock that will be taken. */
export interface LockWish {
  readonly relation: string;
  readonly mode: 'ROW EXCLUSIVE' | 'SHARE ROW EXCLUSIVE' | 'ACCESS EXCLUSIVE';
}

const wishes = (mode: LockWish['mode'], relations: readonly (string | null)[]): readonly LockWish[] =>
  relations.flatMap((relation) => (relation === null ? [] : [{ relation, mode }]));

/** As archive_message_partition takes them, in its order, each in its final mode, for some milliseconds. */
export function locksOfSwap(surroundings: Surroundings, partition: string): readonly LockWish[] {
  const { referenceTables, defaultPartition } = surroundings;
  return [
    ...wishes('ACCESS EXCLUSIVE', ['messages_archive']),
    ...wishes('SHARE ROW EXCLUSIVE', referenceTables),
    ...wishes('ACCESS EXCLUSIVE', ['messages', defaultPartition, partition]),
  ];
}

/** As make_message_partitions takes them at most: when the default partition itself becomes the month. */
export function locksOfMake({ referenceTables, defaultPartition }: Surroundings): readonly LockWish[] {
  return wishes('ACCESS EXCLUSIVE', [...referenceTables, 'messages', defaultPartition]);
}

/** As restore_message_partition takes them: ATTACH merges foreign keys, so their targets are locked, too. */
export function locksOfRestore(surroundings: Surroundings, partition: string): readonly LockWish[] {
  const { referenceTables, defaultPartition } = surroundings;
  return wishes('ACCESS EXCLUSIVE', [...referenceTables, 'messages_archive', 'messages', defaultPartition, partition]);
}

/** Dropping a partition drops its foreign keys, whose triggers stand on the tables they point to. */
export function locksOfDrop(surroundings: Surroundings, partition: string): readonly LockWish[] {
  return wishes('ACCESS EXCLUSIVE', [...surroundings.referenceTables, 'messages_archive', partition]);
}

/** Rows moved one by one stop nobody. */
export function locksOfMove(sources: readonly string[]): readonly LockWish[] {
  return wishes('ROW EXCLUSIVE', [...sources, 'messages_archive']);
}
