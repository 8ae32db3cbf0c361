import type { CatalogFunction, CatalogSnapshot, CatalogTrigger } from '../../../../adapters/catalog/catalog.js';
import type { Difference } from '../../../../adapters/catalog/difference.js';
import type { CatalogItem } from '../../../../adapters/catalog/entries.js';
import type { Change } from '../change.js';
import { changeGrant, dropPolicy, dropTrigger, enableTrigger } from './access.js';
import { comment, commentOfNew } from './comments.js';
import { createFunction, dropFunction } from './functions.js';
import { createMissing, isPartitioned, newExtra, newPolicy, newTrigger, type FixContext } from './missing.js';
import { name } from './names.js';
import { addEnumValues, alterSequence, createIndex, createView, dropExtra, dropIndex, dropView } from './others.js';
import { columnChange, constraintClause, optionChange, tableChange } from './tables.js';

function has(change: Change, ...properties: readonly string[]): boolean {
  return change.differences.some(({ property }) => properties.includes(property));
}

/** One list for all properties; null as soon as one of them has none. */
function each(
  differences: readonly Difference[],
  statementsOf: (difference: Difference) => readonly string[] | null,
): readonly string[] | null {
  const found = differences.map(statementsOf);
  return found.some((statements) => statements === null) ? null : found.flatMap((statements) => statements ?? []);
}

function isCommentAlone({ differences }: Change): boolean {
  return differences.every(({ property }) => property === 'comment');
}

function commentOf(change: Change, of: CatalogItem): readonly string[] {
  return has(change, 'comment') ? comment(of) : [];
}

function changeConstraint(change: Change, of: CatalogItem & { readonly kind: 'constraint' }): readonly string[] {
  const { item } = of;
  const alter = `alter table ${name(item.table)}`;
  if (has(change, 'definition', 'type', 'deferrable', 'initiallyDeferred'))
    return [`${alter} drop constraint ${name(item.name)}, ${constraintClause(item)}`, ...commentOfNew(of)];
  return [
    ...(has(change, 'triggersDisabled') ? [`${alter} enable trigger all`] : []),
    ...(has(change, 'validated') && item.validated ? [`${alter} validate constraint ${name(item.name)}`] : []),
    ...commentOf(change, of),
  ];
}

function changeIndex(
  change: Change,
  of: CatalogItem & { readonly kind: 'index' },
  live: CatalogSnapshot,
): readonly string[] | null {
  const { item } = of;
  const isParted = isPartitioned(live, item.table);
  if (has(change, 'constraint', 'primary')) return null;
  if (has(change, 'definition', 'unique'))
    return [dropIndex(item, isParted), createIndex(item, isParted), ...commentOfNew(of)];
  return [
    ...(has(change, 'valid') ? [`reindex index ${isParted ? '' : 'concurrently '}${name(item.name)}`] : []),
    ...(has(change, 'clustered')
      ? [`alter table ${name(item.table)} ${item.clustered ? `cluster on ${name(item.name)}` : 'set without cluster'}`]
      : []),
    ...(has(change, 'parent') && item.parent !== null
      ? [`alter index ${name(item.parent)} attach partition ${name(item.name)}`]
      : []),
    ...commentOf(change, of),
  ];
}

function changeTrigger(change: Change, before: CatalogTrigger, item: CatalogTrigger): readonly string[] {
  if (has(change, 'definition')) return [dropTrigger(before), ...newTrigger(item)];
  return [...(has(change, 'enabled') ? [enableTrigger(item)] : []), ...commentOf(change, { kind: 'trigger', item })];
}

function changeFunction(
  change: Change,
  before: CatalogFunction,
  item: CatalogFunction,
  context: FixContext,
): readonly string[] | null {
  const commented = commentOf(change, { kind: 'function', item });
  if (isCommentAlone(change)) return commented;
  if (has(change, 'result', 'kind')) {
    const create = createMissing({ kind: 'function', item }, context);
    return create === null ? null : [dropFunction(before), ...create];
  }
  const create = createFunction(item, context);
  return create === null ? null : [...create, ...commented];
}

/** The statements that give an object the properties that the migrations give it; null when a person has to decide. */
export function changeObject(
  change: Change,
  before: CatalogItem,
  of: CatalogItem,
  context: FixContext & { readonly live: CatalogSnapshot },
): readonly string[] | null {
  const { differences } = change;
  const { live, wanted } = context;
  switch (of.kind) {
    case 'table':
      return each(differences, (difference) => tableChange(of.item, difference));
    case 'column': {
      const isView = wanted.views.some((view) => view.name === of.item.table);
      return each(differences, (difference) => columnChange(of.item, difference, isView));
    }
    case 'constraint':
      return changeConstraint(change, of);
    case 'index':
      return changeIndex(change, of, live);
    case 'trigger':
      return before.kind === 'trigger' ? changeTrigger(change, before.item, of.item) : null;
    case 'policy':
      return isCommentAlone(change) ? comment(of) : [dropPolicy(of.item), ...newPolicy(of.item)];
    case 'grant':
      return before.kind === 'grant'
        ? changeGrant(of.item, before.item.privileges, of.item.privileges, context.schema)
        : null;
    case 'view': {
      if (has(change, 'kind') || of.item.kind !== 'view') return null;
      const commented = commentOf(change, of);
      if (has(change, 'definition')) return [...viewAnew(of.item.name, of, context), ...commented];
      return [
        ...differences
          .filter(({ property }) => property === 'options')
          .flatMap((difference) => optionChange(`alter view ${name(of.item.name)}`, difference)),
        ...commented,
      ];
    }
    case 'function':
      return before.kind === 'function' ? changeFunction(change, before.item, of.item, context) : null;
    case 'sequence':
      if (isCommentAlone(change)) return comment(of);
      return has(change, 'table', 'column') ? null : [alterSequence(of.item), ...commentOf(change, of)];
    case 'type': {
      if (isCommentAlone(change)) return comment(of);
      const values = before.kind === 'type' ? addEnumValues(before.item, of.item) : null;
      return values && [...values, ...commentOf(change, of)];
    }
    case 'rule or statistics':
      return isCommentAlone(change) ? comment(of) : [dropExtra(of.item), ...newExtra(of.item)];
    case 'extension':
      return null;
  }
}

/** CREATE OR REPLACE keeps grants and what depends on it, and needs the same columns. */
function viewAnew(
  viewName: string,
  of: CatalogItem & { readonly kind: 'view' },
  context: FixContext & { readonly live: CatalogSnapshot },
): readonly string[] {
  const columns = ({ columns: all }: CatalogSnapshot): readonly string[] =>
    all.filter(({ table }) => table === viewName).map(({ name: column, type }) => `${column} ${type}`);
  const [now, then] = [columns(context.live), columns(context.wanted)];
  const isReplaceable = now.every((column, index) => then[index] === column);
  if (isReplaceable) return [createView(of.item)];
  return [dropView(of.item), ...(createMissing(of, context) ?? [])];
}
