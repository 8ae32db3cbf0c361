import { tableIn, tableKey, type Reference, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Ownership, RoledReference } from '../graph/ownership.js';

/** Whether the server refuses to delete a row that is referred to by it. */
function blocks({ onDelete }: Reference): boolean {
  return onDelete === 'no action' || onDelete === 'restrict';
}

export interface DeletionOrder {
  /** Those that refer before what they refer to; without the users and what triggers delete. */
  readonly tables: readonly TableKey[];
  /** Of a table to itself, or in a circle: cleared first, since no order holds for them. */
  readonly circular: readonly RoledReference[];
}

/**
 * The order in which a person's rows can be deleted: rows before those that they refer to, so that nothing cascades into
 * rows of others. Ties keep what is further from the users first.
 */
export function deletionOrder(ownership: Ownership, schema: string): DeletionOrder {
  const left = ownership.tables
    .filter((key) => key !== tableIn(schema, 'users') && key !== tableIn(schema, 'message_keys'))
    .toReversed();
  // A key goes with its message, so what refers to the key goes before both.
  const holders = ['messages', 'messages_archive'];
  const references = ownership.references.flatMap((each) =>
    tableKey(each.refersTo) === tableIn(schema, 'message_keys')
      ? holders.map((table): RoledReference => ({ ...each, refersTo: { ...each.refersTo, table } }))
      : [each],
  );
  const edges = references.filter(
    (each) =>
      !each.isArray &&
      each.onDelete !== 'set null' &&
      each.onDelete !== 'set default' &&
      left.includes(tableKey(each)) &&
      left.includes(tableKey(each.refersTo)),
  );
  const circular: RoledReference[] = edges.filter((each) => tableKey(each) === tableKey(each.refersTo) && blocks(each));
  const tables: TableKey[] = [];
  while (left.length > 0) {
    const isFree = (key: TableKey): boolean =>
      edges.every(
        (each) => tableKey(each.refersTo) !== key || tableKey(each) === key || !left.includes(tableKey(each)),
      );
    const index = left.findIndex(isFree);
    const [key] = left.splice(Math.max(0, index), 1);
    if (key === undefined) break;
    if (index < 0)
      circular.push(
        ...edges.filter((each) => tableKey(each.refersTo) === key && left.includes(tableKey(each)) && blocks(each)),
      );
    tables.push(key);
  }
  return { tables, circular };
}
