import { tableKey, type Reference, type TableKey } from '../../../adapters/catalog/references/reference.js';

/**
 * What a reference means for the rows of one person:
 *
 * - `own`: a row that refers to one of theirs by it is theirs, too.
 * - `clear`: the row stays when what it refers to is deleted, and loses the reference.
 * - `use`: the row is another user's, or its owner is known by another reference; it uses what it refers to.
 */
export type ReferenceRole = 'own' | 'clear' | 'use';

export interface RoledReference extends Reference {
  readonly role: ReferenceRole;
}

export interface Ownership {
  /** The tables that have rows of a person, from the table of users outwards. */
  readonly tables: readonly TableKey[];
  /** Those that lead to one of these tables, also of tables that have no rows of a person. */
  readonly references: readonly RoledReference[];
}

function mayOwn(reference: Reference): boolean {
  return !reference.isArray && reference.onDelete !== 'set null' && reference.onDelete !== 'set default';
}

/** How many references lead from each table to the users, at the least. */
function distancesFrom(users: TableKey, references: readonly Reference[]): ReadonlyMap<TableKey, number> {
  const distances = new Map([[users, 0]]);
  for (let distance = 0, isMore = true; isMore; distance += 1) {
    const next = references.filter(
      (each) => mayOwn(each) && distances.get(tableKey(each.refersTo)) === distance && !distances.has(tableKey(each)),
    );
    for (const each of next) distances.set(tableKey(each), distance + 1);
    isMore = next.length > 0;
  }
  return distances;
}

/** Columns that may be null say less about who owns a row; then the order of the names decides. */
function bySureness(isSure: (table: TableKey) => boolean): (one: Reference, other: Reference) => number {
  return (one, other) =>
    Number(one.isNullable) - Number(other.isNullable) ||
    Number(!isSure(tableKey(one.refersTo))) - Number(!isSure(tableKey(other.refersTo))) ||
    one.columns.join(' ').localeCompare(other.columns.join(' '), 'en');
}

/**
 * Who owns the rows of each table, read from the references alone, so that it holds for a team's tables, too. A row
 * belongs to the user that it names directly; where it names none, to the owner of the nearest row that it cannot do
 * without. Of several references at the same distance one decides, those that may not be null first: a skill of an
 * assistant belongs with the assistant, not with the author of the skill.
 */
export function ownershipOf(users: TableKey, references: readonly Reference[]): Ownership {
  const distances = distancesFrom(users, references);
  const tables = [...distances].toSorted(([a, one], [b, other]) => one - other || a.localeCompare(b, 'en'));
  const sure = new Set([users]);
  const deciding = new Map<TableKey, Reference>();
  for (const [table, distance] of tables) {
    const candidates = references.filter(
      (each) => tableKey(each) === table && mayOwn(each) && distances.get(tableKey(each.refersTo)) === distance - 1,
    );
    const [first] = candidates.toSorted(bySureness((key) => sure.has(key)));
    if (first === undefined) continue;
    deciding.set(table, first);
    if (!first.isNullable && sure.has(tableKey(first.refersTo))) sure.add(table);
  }
  const roleOf = (reference: Reference): ReferenceRole => {
    if (!mayOwn(reference)) return 'clear';
    const first = deciding.get(tableKey(reference));
    // Columns that may lead to one table or another: messages, live or archived.
    if (first?.columns.join(' ') === reference.columns.join(' ')) return 'own';
    const isDirect = tableKey(reference.refersTo) === users;
    if (isDirect && reference.onDelete === 'cascade' && !reference.isNullable) return 'own';
    return 'use';
  };
  return {
    tables: tables.map(([table]) => table),
    references: references
      .filter((each) => distances.has(tableKey(each.refersTo)))
      .map((each) => ({ ...each, role: roleOf(each) })),
  };
}

export function ofRole(ownership: Ownership, role: ReferenceRole): readonly RoledReference[] {
  return ownership.references.filter((each) => each.role === role);
}
