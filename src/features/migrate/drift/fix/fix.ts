import type { CatalogFunction, CatalogSnapshot } from '../../../../adapters/catalog/catalog.js';
import { quoteIdentifier } from '../../../../base/identifier.js';
import type { Change } from '../change.js';
import { changeObject } from './changed.js';
import { dropUnwanted } from './extra.js';
import { createMissing, type FixContext } from './missing.js';

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
  return [...tables, ...views].some(({ name }) => words.has(name));
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
