import type {
  CatalogColumn,
  CatalogConstraint,
  CatalogExtension,
  CatalogExtra,
  CatalogFunction,
  CatalogGrant,
  CatalogIndex,
  CatalogPolicy,
  CatalogSequence,
  CatalogSnapshot,
  CatalogTable,
  CatalogTables,
  CatalogTrigger,
  CatalogType,
  CatalogView,
} from './catalog.js';
import type { PropertyValue } from './difference.js';
import { nameInSql } from '../../base/identifier.js';

/** One object as the snapshot has it, with its kind. */
export type CatalogItem =
  | { readonly kind: 'table'; readonly item: CatalogTable }
  | { readonly kind: 'column'; readonly item: CatalogColumn }
  | { readonly kind: 'constraint'; readonly item: CatalogConstraint }
  | { readonly kind: 'index'; readonly item: CatalogIndex }
  | { readonly kind: 'trigger'; readonly item: CatalogTrigger }
  | { readonly kind: 'policy'; readonly item: CatalogPolicy }
  | { readonly kind: 'grant'; readonly item: CatalogGrant }
  | { readonly kind: 'view'; readonly item: CatalogView }
  | { readonly kind: 'function'; readonly item: CatalogFunction }
  | { readonly kind: 'sequence'; readonly item: CatalogSequence }
  | { readonly kind: 'type'; readonly item: CatalogType }
  | { readonly kind: 'rule or statistics'; readonly item: CatalogExtra }
  | { readonly kind: 'extension'; readonly item: CatalogExtension };

/** One object of a snapshot, in the form that all kinds are compared in. */
export interface Entry {
  /** The same on both sides for the same object. */
  readonly id: string;
  readonly kind: string;
  readonly object: string;
  /** Ids of what it goes away with. */
  readonly parents: readonly string[];
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly of: CatalogItem;
}

function relationId(name: string): string {
  return `relation ${nameInSql(name)}`;
}

function on(item: { readonly name: string; readonly table: string }): string {
  return `${nameInSql(item.name)} on ${nameInSql(item.table)}`;
}

function entry(
  kind: string,
  object: string,
  parents: readonly string[],
  properties: Readonly<Record<string, PropertyValue>>,
  of: CatalogItem,
): Entry {
  return { id: `${kind} ${object}`, kind, object, parents, properties, of };
}

function grantEntry(grant: CatalogGrant): Entry {
  const { kind, column, grantee, privileges } = grant;
  const name = nameInSql(grant.object ?? '');
  const role = grantee === 'PUBLIC' ? grantee : nameInSql(grantee);
  const make = (object: string, ...parents: readonly string[]): Entry =>
    entry('grant', `on ${object} to ${role}`, parents, { privileges }, { kind: 'grant', item: grant });
  switch (kind) {
    case 'schema':
      return make('schema');
    case 'table':
    case 'view':
      return make(`${kind} ${name}`, relationId(grant.object ?? ''));
    case 'column': {
      const full = `${name}.${nameInSql(column ?? '')}`;
      return make(`column ${full}`, relationId(grant.object ?? ''), `column ${full}`);
    }
    case 'function': {
      const full = `${name}(${grant.arguments ?? ''})`;
      return make(`function ${full}`, `function ${full}`);
    }
    case 'default privileges':
      return make(`new ${grant.object ?? ''}`);
    case 'sequence':
    case 'type':
      return make(`${kind} ${name}`, `${kind} ${name}`);
  }
}

function tableEntries(part: CatalogTables): readonly Entry[] {
  const partitioned = new Map(part.tables.map(({ name, bound, parents }) => [name, bound === null ? [] : parents]));
  // A partition has the columns, constraints and indexes of the table above it, and loses them with it.
  const above = (table: string, idOn: (parent: string) => string): readonly string[] =>
    (partitioned.get(table) ?? []).map(idOn);
  const parentsOfIndexes = new Map(part.indexes.map((item) => [on(item), item.parent]));
  return [
    ...part.tables.map((item) => {
      const { name, ...properties } = item;
      const isBounded = properties.bound !== null && properties.bound !== 'DEFAULT';
      return {
        ...entry(isBounded ? 'partition' : 'table', nameInSql(name), [], properties, { kind: 'table', item }),
        id: relationId(name),
      };
    }),
    ...part.columns.map((item) => {
      const { table, name, ...properties } = item;
      const object = `${nameInSql(table)}.${nameInSql(name)}`;
      const parents = [
        relationId(table),
        ...above(table, (parent) => `column ${nameInSql(parent)}.${nameInSql(name)}`),
      ];
      return entry('column', object, parents, properties, { kind: 'column', item });
    }),
    ...part.constraints.map((item) => {
      const { table, name, ...properties } = item;
      // A primary key has another name there: that of its index.
      const nameAbove = parentsOfIndexes.get(on(item)) ?? name;
      const inherited = above(table, (parent) => `constraint ${on({ table: parent, name: nameAbove })}`);
      return entry('constraint', on(item), [relationId(table), ...inherited], properties, { kind: 'constraint', item });
    }),
    ...part.indexes.map((item) => {
      const { table, name, ...properties } = item;
      const { constraint } = properties;
      const served = constraint === null ? [] : [`constraint ${on({ table, name: constraint })}`];
      const inherited = above(table, (parent) => `index ${on({ table: parent, name: item.parent ?? '' })}`);
      const parents = [relationId(table), ...served, ...inherited];
      return entry('index', on({ table, name }), parents, properties, { kind: 'index', item });
    }),
    ...part.triggers.map((item) => {
      const { table, name, ...properties } = item;
      return entry('trigger', on({ table, name }), [relationId(table)], properties, { kind: 'trigger', item });
    }),
    ...part.policies.map((item) => {
      const { table, name, ...properties } = item;
      return entry('policy', on({ table, name }), [relationId(table)], properties, { kind: 'policy', item });
    }),
    ...part.grants.map(grantEntry),
  ];
}

/** Every object of a snapshot; the partitions only on wish. */
export function entriesOf(snapshot: CatalogSnapshot, withPartitions: boolean): readonly Entry[] {
  return [
    ...tableEntries(snapshot),
    ...(withPartitions ? tableEntries(snapshot.partitions) : []),
    ...snapshot.views.map((item) => {
      const { name, ...properties } = item;
      return { ...entry('view', nameInSql(name), [], properties, { kind: 'view', item }), id: relationId(name) };
    }),
    ...snapshot.functions.map((item) => {
      const { name, identityArguments, ...properties } = item;
      return entry('function', `${nameInSql(name)}(${identityArguments})`, [], properties, { kind: 'function', item });
    }),
    ...snapshot.sequences.map((item) => {
      const { name, ...properties } = item;
      const parents = properties.table === null ? [] : [relationId(properties.table)];
      return entry('sequence', nameInSql(name), parents, properties, { kind: 'sequence', item });
    }),
    ...snapshot.types.map((item) => {
      const { name, ...properties } = item;
      return entry('type', nameInSql(name), [], properties, { kind: 'type', item });
    }),
    ...snapshot.rulesAndStatistics.map((item) => {
      const { kind, table, name, ...properties } = item;
      return entry(kind, on({ table, name }), [relationId(table)], properties, { kind: 'rule or statistics', item });
    }),
    ...snapshot.extensions.map((item) => {
      const { name, ...properties } = item;
      return entry('extension', nameInSql(name), [], properties, { kind: 'extension', item });
    }),
  ];
}
