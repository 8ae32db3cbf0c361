import {
  reachable,
  tableKey,
  type Edge,
  type Reference,
  type TableKey,
} from '../../../adapters/catalog/references/reference.js';
import type { Column } from './columns.js';

const KIND_ORDER: Readonly<Record<Reference['onDelete'], number>> = {
  cascade: 0,
  'no action': 1,
  restrict: 1,
  'set null': 2,
  'set default': 2,
};

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.join('\0') === other.join('\0');
}

/** The order in which the references of one table decide to whom a row belongs; to the table itself last. */
function order(reference: Reference, start: TableKey, columns: readonly Column[]): readonly number[] {
  const parent = tableKey(reference.refersTo);
  return [
    parent === tableKey(reference) ? 1 : 0,
    reference.isArray || reference.onlyIf !== null ? 1 : 0,
    KIND_ORDER[reference.onDelete],
    parent === start ? 0 : 1,
    columns.find(({ column }) => column === reference.columns[0])?.position ?? 0,
  ];
}

function compare(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((value, place) => value !== other[place]);
  return index < 0 ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
}

/**
 * The references by which rows belong to other rows. A row of a table with several references belongs to the first that
 * is set: one that deletes it with its parent, then one that keeps its parent from being deleted, then one that would be
 * set to null; to a user before any other, in the order of the columns. So the message of another user that answers one
 * of theirs is not taken with them, nor are conversations of other users with an assistant that they share.
 */
export function belongings(
  references: readonly Reference[],
  start: TableKey,
  columnsOf: ReadonlyMap<TableKey, readonly Column[]>,
): readonly Reference[] {
  const reach = reachable(start, references);
  const within = references.filter((each) => reach.has(tableKey(each.refersTo)));
  return within.flatMap((reference): readonly Reference[] => {
    const key = tableKey(reference);
    const columns = columnsOf.get(key) ?? [];
    const own = order(reference, start, columns);
    const before = within.filter(
      (other) =>
        tableKey(other) === key &&
        !other.isArray &&
        other.onlyIf === null &&
        !isSame(other.columns, reference.columns) &&
        compare(order(other, start, columns), own) < 0,
    );
    if (before.some(({ isNullable }) => !isNullable)) return [];
    return [{ ...reference, unlessSet: before.map((other) => other.columns) }];
  });
}

/** The tables, and all that they refer to, directly or by way of others. */
export function withReferred(keys: ReadonlySet<TableKey>, edges: readonly Edge[]): ReadonlySet<TableKey> {
  const found = new Set(keys);
  for (let size = 0; size < found.size;) {
    ({ size } = found);
    for (const edge of edges) if (found.has(tableKey(edge))) found.add(tableKey(edge.refersTo));
  }
  return found;
}
