import type { CatalogSnapshot } from '../../../../adapters/catalog/catalog.js';
import type { CatalogItem } from '../../../../adapters/catalog/entries.js';
import { changeGrant, dropPolicy, dropTrigger } from './access.js';
import { dropFunction } from './functions.js';
import { isPartitioned } from './missing.js';
import { name } from './names.js';
import { dropExtra, dropIndex, dropView } from './others.js';

/** The statements that take away an object which the migrations do not make; null where rows would be deleted with it. */
export function dropUnwanted(of: CatalogItem, live: CatalogSnapshot, schema: string): readonly string[] | null {
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
