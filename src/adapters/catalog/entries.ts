import type { CatalogGrant, CatalogSnapshot, CatalogTables } from './catalog.js';
import type { PropertyValue } from './difference.js';

/** One object of a snapshot, in the form that all kinds are compared in. */
export interface Entry {
  /** The same on both sides for the same object. */
  readonly id: string;
  readonly kind: string;
  readonly object: string;
  /** Ids of what it goes away with. */
  readonly parents: readonly string[];
  readonly properties: Readonly<Record<string, PropertyValue>>;
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function relationId(name: string): string {
  return `relation ${quoted(name)}`;
}

function on(item: { readonly name: string; readonly table: string }): string {
  return `${quoted(item.name)} on ${quoted(item.table)}`;
}

function entry(
  kind: string,
  object: string,
  parents: readonly string[],
  properties: Readonly<Record<string, PropertyValue>>,
): Entry {
  return { id: `${kind} ${object}`, kind, object, parents, properties };
}

function grantEntry(grant: CatalogGrant): Entry {
  const { kind, column, grantee, privileges } = grant;
  const name = quoted(grant.object ?? '');
  const role = grantee === 'PUBLIC' ? grantee : quoted(grantee);
  const make = (object: string, ...parents: readonly string[]): Entry =>
    entry('grant', `on ${object} to ${role}`, parents, { privileges });
  switch (kind) {
    case 'schema':
      return make('schema');
    case 'table':
    case 'view':
      return make(`${kind} ${name}`, relationId(grant.object ?? ''));
    case 'column': {
      const full = `${name}.${quoted(column ?? '')}`;
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
  return [
    ...part.tables.map(({ name, ...properties }) => {
      const isBounded = properties.bound !== null && properties.bound !== 'DEFAULT';
      return {
        ...entry(isBounded ? 'partition' : 'table', quoted(name), [], properties),
        id: relationId(name),
      };
    }),
    ...part.columns.map(({ table, name, ...properties }) =>
      entry('column', `${quoted(table)}.${quoted(name)}`, [relationId(table)], properties),
    ),
    ...part.constraints.map(({ table, name, ...properties }) =>
      entry('constraint', on({ table, name }), [relationId(table)], properties),
    ),
    ...part.indexes.map(({ table, name, ...properties }) => {
      const { constraint } = properties;
      const served = constraint === null ? [] : [`constraint ${on({ table, name: constraint })}`];
      return entry('index', on({ table, name }), [relationId(table), ...served], properties);
    }),
    ...part.triggers.map(({ table, name, ...properties }) =>
      entry('trigger', on({ table, name }), [relationId(table)], properties),
    ),
    ...part.policies.map(({ table, name, ...properties }) =>
      entry('policy', on({ table, name }), [relationId(table)], properties),
    ),
    ...part.grants.map(grantEntry),
  ];
}

/** Every object of a snapshot; the partitions only on wish. */
export function entriesOf(snapshot: CatalogSnapshot, withPartitions: boolean): readonly Entry[] {
  return [
    ...tableEntries(snapshot),
    ...(withPartitions ? tableEntries(snapshot.partitions) : []),
    ...snapshot.views.map(({ name, ...properties }) => ({
      ...entry('view', quoted(name), [], properties),
      id: relationId(name),
    })),
    ...snapshot.functions.map(({ name, identityArguments, ...properties }) =>
      entry('function', `${quoted(name)}(${identityArguments})`, [], properties),
    ),
    ...snapshot.sequences.map(({ name, ...properties }) =>
      entry('sequence', quoted(name), properties.table === null ? [] : [relationId(properties.table)], properties),
    ),
    ...snapshot.types.map(({ name, ...properties }) => entry('type', quoted(name), [], properties)),
    ...snapshot.rulesAndStatistics.map(({ kind, table, name, ...properties }) =>
      entry(kind, on({ table, name }), [relationId(table)], properties),
    ),
    ...snapshot.extensions.map(({ name, ...properties }) => entry('extension', quoted(name), [], properties)),
  ];
}
