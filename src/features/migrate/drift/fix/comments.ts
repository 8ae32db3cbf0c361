import type { CatalogItem } from '../../../../adapters/catalog/entries.js';
import { routineWord } from './functions.js';
import { literal, name, signature } from './names.js';

/** The object as COMMENT names it; null for what has no comment in a snapshot. */
function targetOf(of: CatalogItem): string | null {
  switch (of.kind) {
    case 'column':
      return `column ${name(of.item.table)}.${name(of.item.name)}`;
    case 'constraint':
    case 'trigger':
    case 'policy':
      return `${of.kind} ${name(of.item.name)} on ${name(of.item.table)}`;
    case 'rule or statistics':
      return `${of.item.kind} ${name(of.item.name)}${of.item.kind === 'rule' ? ` on ${name(of.item.table)}` : ''}`;
    case 'view':
      return `${of.item.kind} ${name(of.item.name)}`;
    case 'function':
      return `${routineWord(of.item)} ${signature(of.item)}`;
    case 'table':
    case 'index':
    case 'sequence':
    case 'type':
      return `${of.kind} ${name(of.item.name)}`;
    case 'grant':
    case 'extension':
      return null;
  }
}

/** The statement that gives an object its comment, or takes one away. */
export function comment(of: CatalogItem): readonly string[] {
  const target = targetOf(of);
  return target === null || !('comment' in of.item) ? [] : [`comment on ${target} is ${literal(of.item.comment)}`];
}

/** The comment of an object that was just made, or made again: it has none yet. */
export function commentOfNew(of: CatalogItem): readonly string[] {
  return 'comment' in of.item && of.item.comment !== null ? comment(of) : [];
}
