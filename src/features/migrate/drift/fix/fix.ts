import type { CatalogFunction, CatalogSnapshot } from '../../../../adapters/catalog/catalog.js';
import { quoteIdentifier } from '../../../../base/identifier.js';
import type { CatalogItem } from '../../../../adapters/catalog/entries.js';
import type { Change } from '../change.js';
import { changeGrant, dropPolicy, dropTrigger } from './access.js';
import { changeObject } from './changed.js';
import { dropFunction } from './functions.js';
import { createMissing, isPartitioned, type FixContext } from './missing.js';
import { name } from './names.js';
import { dropExtra, dropIndex, dropView } from './others.js';

export type { FixContext };

/** Objects are made in this order, so that each one finds what it needs. */
const ORDER = [
  'extension',
  'type',
  'sequence',
  'function',
  'table',
  'column',
  'constraint',
  'index',
  'view',
  'trigger',
  'rule',
  'statistics',
  'policy',
  'grant',
];

/** Tables in an order in which each comes after those that it refers to, as far as there is one. */
export function tablesInOrder(tables: readonly string[], { constraints }: CatalogSnapshot): readonly string[] {
  const ordered: string[] = [];
  const visiting = new Set<string>();
  const visit = (table: string): void => {
    if (ordered.includes(table) || visiting.has(table)) return;
    visiting.add(table);
    for (const constraint of constraints) {
      const target =
        constraint.table === table ? /\bREFERENCES "?([^\s("]+)/.exec(constraint.definition)?.[1] : undefined;
      if (target !== undefined && tables.includes(target)) visit(target);
    }
    ordered.push(table);
  };
  for (const table of tables) visit(table);
  return ordered;
}

/** Whether a table or view has to be there before the function, since it takes or returns its rows. */
export function usesRelation(
  { result, arguments: list }: CatalogFunction,
  { tables, views }: CatalogSnapshot,
): boolean {
  const words = new Set(`${result ?? ''} ${list}`.match(/\w+/g));
  return [...tables, ...views].some((relation) => words.has(relation.name));
}

/** Sorts changes so that their fixes can be run one after the other; what is dropped comes first. */
export function inOrderOfFixes(changes: readonly Change[], wanted: CatalogSnapshot): readonly Change[] {
  const tables = tablesInOrder(
    changes.flatMap(({ live, wanted: made }) => (live === undefined && made?.kind === 'table' ? [made.item.name] : [])),
    wanted,
  );
  const isDropped = (change: Change): boolean => change.wanted === undefined;
  const place = (change: Change): number => {
    if (isDropped(change)) return -ORDER.indexOf(change.kind);
    const isLate = change.wanted?.kind === 'function' && usesRelation(change.wanted.item, wanted);
    return isLate ? ORDER.indexOf('view') + 0.5 : ORDER.indexOf(change.kind);
  };
  const tablePlace = ({ wanted: made }: Change): number =>
    made?.kind === 'table' ? tables.indexOf(made.item.name) : 0;
  return changes.toSorted(
    (a, b) =>
      Number(isDropped(b)) - Number(isDropped(a)) ||
      place(a) - place(b) ||
      tablePlace(a) - tablePlace(b) ||
      (a.object < b.object ? -1 : 1),
  );
}

/** The statements that take away an object which the migrations do not make; null where rows would be deleted with it. */
function dropUnwanted(of: CatalogItem, live: CatalogSnapshot, schema: string): readonly string[] | null {
  switch (of.kind) {
    case 'constraint':
      return [`alter table ${name(of.item.table)} drop constraint ${name(of.item.name)}`];
    case 'index':
      return [dropIndex(of.item, isPartitioned(live, of.item.table))];
    case 'trigger':
      return [dropTrigger(of.item)];
    case 'policy':
      return [dropPolicy(of.item)];
    case 'grant':
      return changeGrant(of.item, of.item.privileges, [], schema);
    case 'view':
      return of.item.kind === 'view' ? [dropView(of.item)] : null;
    case 'function':
      return [dropFunction(of.item)];
    case 'rule or statistics':
      return [dropExtra(of.item)];
    case 'table':
    case 'column':
    case 'sequence':
    case 'type':
    case 'extension':
      return null;
  }
}

/**
 * The statements that bring one object of the database to what the migrations make, with names as they are found from
 * `searchPath`; null when a person has to decide, since rows would be deleted or rewritten.
 */
export function fixOf(
  change: Change,
  context: FixContext & { readonly live: CatalogSnapshot },
): readonly string[] | null {
  const { live, wanted } = change;
  if (wanted === undefined) return live === undefined ? null : dropUnwanted(live, context.live, context.schema);
  if (live === undefined) return createMissing(wanted, context);
  return changeObject(change, live, wanted, context);
}

/** Ahead of statements that are pasted into a session: psql finds only `public` by itself. */
export function searchPathStatement({ schema, extensionSchema }: FixContext): string | null {
  const names = [...new Set([schema, extensionSchema])];
  return names.join() === 'public' ? null : `set search_path to ${names.map(quoteIdentifier).join(', ')}`;
}
