import type {
  CatalogExtra,
  CatalogPolicy,
  CatalogSnapshot,
  CatalogTable,
  CatalogTrigger,
} from '../../../../adapters/catalog/catalog.js';
import type { CatalogItem } from '../../../../adapters/catalog/entries.js';
import { changeGrant, createPolicy, createTrigger } from './access.js';
import { commentOfNew } from './comments.js';
import { createFunction } from './functions.js';
import { name, type FixNames } from './names.js';
import { createExtension, createExtra, createIndex, createSequence, createType, createView } from './others.js';
import { addConstraint, columnDefinition, constraintClause, createTable, rowSecurity } from './tables.js';

export interface FixContext extends FixNames {
  /** What the migrations make. */
  readonly wanted: CatalogSnapshot;
}

/** Rows that migrations write into their own tables: without them the functions of the schema do not work. */
const ROWS: Readonly<Record<string, string>> = {
  aisec_message_moves: 'insert into aisec_message_moves default values on conflict do nothing',
};

/** With its comment, as what is made again has none. */
export function newTrigger(item: CatalogTrigger): readonly string[] {
  return [...createTrigger(item), ...commentOfNew({ kind: 'trigger', item })];
}

export function newPolicy(item: CatalogPolicy): readonly string[] {
  return [createPolicy(item), ...commentOfNew({ kind: 'policy', item })];
}

export function newExtra(item: CatalogExtra): readonly string[] {
  return [createExtra(item), ...commentOfNew({ kind: 'rule or statistics', item })];
}

export function isPartitioned(snapshot: CatalogSnapshot, table: string): boolean {
  return snapshot.tables.some((found) => found.name === table && found.partitionKey !== null);
}

/** A new table with all that belongs to it; empty, so that nothing has to be done beside writers. */
export function wholeTable(table: CatalogTable, { wanted, schema }: FixContext): readonly string[] {
  const ofTable = (item: { readonly table: string }): boolean => item.table === table.name;
  const quoted = name(table.name);
  const columns = wanted.columns.filter(ofTable);
  // A partition has the constraints, indexes and row triggers of its parent as soon as it is one.
  const inherited = new Set(
    table.bound === null
      ? []
      : wanted.triggers.filter((item) => table.parents.includes(item.table)).map((item) => item.name),
  );
  const statementTriggers = wanted.triggers
    .filter(ofTable)
    .filter((trigger) => !inherited.has(trigger.name) || trigger.definition.includes('FOR EACH STATEMENT'));
  return [
    createTable(table, columns),
    ...(table.bound === null
      ? [
          ...wanted.constraints
            .filter(ofTable)
            .flatMap((item) => [
              `alter table ${quoted} ${constraintClause(item)}`,
              ...commentOfNew({ kind: 'constraint', item }),
            ]),
          ...wanted.indexes
            .filter((item) => ofTable(item) && item.constraint === null)
            .flatMap((item) => [createIndex(item, true), ...commentOfNew({ kind: 'index', item })]),
        ]
      : []),
    ...statementTriggers.flatMap((item) => newTrigger(item)),
    ...(table.rowLevelSecurity ? [rowSecurity(table.name, 'enable')] : []),
    ...(table.forcedRowLevelSecurity ? [rowSecurity(table.name, 'force')] : []),
    ...wanted.policies.filter(ofTable).flatMap((item) => newPolicy(item)),
    ...wanted.rulesAndStatistics.filter(ofTable).flatMap((item) => newExtra(item)),
    ...wanted.grants
      .filter((grant) => (grant.kind === 'table' || grant.kind === 'column') && grant.object === table.name)
      .flatMap((grant) => changeGrant(grant, [], grant.privileges, schema)),
    ...(ROWS[table.name] === undefined ? [] : [ROWS[table.name] ?? '']),
    ...commentOfNew({ kind: 'table', item: table }),
    ...columns.flatMap((item) => commentOfNew({ kind: 'column', item })),
  ];
}

/** PUBLIC may execute a new function, by default. */
function functionGrants(
  { name: functionName, identityArguments }: { readonly name: string; readonly identityArguments: string },
  { wanted, schema }: FixContext,
): readonly string[] {
  const own = wanted.grants.filter(
    (grant) => grant.kind === 'function' && grant.object === functionName && grant.arguments === identityArguments,
  );
  const isForAll = own.some((grant) => grant.grantee === 'PUBLIC');
  return [
    ...(isForAll ? [] : [`revoke execute on routine ${name(functionName)}(${identityArguments}) from public`]),
    ...own
      .filter((grant) => grant.grantee !== 'PUBLIC')
      .flatMap((grant) => changeGrant(grant, [], grant.privileges, schema)),
  ];
}

/** The statements that make an object which the database lacks; null when the snapshot does not have enough of. */
export function createMissing(of: CatalogItem, context: FixContext): readonly string[] | null {
  const { wanted, schema } = context;
  switch (of.kind) {
    case 'table':
      return wholeTable(of.item, context);
    case 'column':
      return [
        `alter table ${name(of.item.table)} add column ${name(of.item.name)} ${columnDefinition(of.item)}`,
        ...commentOfNew(of),
      ];
    case 'constraint':
      return [...addConstraint(of.item, isPartitioned(wanted, of.item.table)), ...commentOfNew(of)];
    case 'index':
      return [
        createIndex(of.item, isPartitioned(wanted, of.item.table)),
        ...(of.item.parent === null
          ? []
          : [`alter index ${name(of.item.parent)} attach partition ${name(of.item.name)}`]),
        ...commentOfNew(of),
      ];
    case 'trigger':
      return newTrigger(of.item);
    case 'policy':
      return newPolicy(of.item);
    case 'grant':
      return changeGrant(of.item, [], of.item.privileges, schema);
    case 'view':
      return [
        createView(of.item),
        ...commentOfNew(of),
        ...wanted.columns
          .filter((column) => column.table === of.item.name)
          .flatMap((item) => commentOfNew({ kind: 'column', item })),
        ...wanted.grants
          .filter((grant) => (grant.kind === 'view' || grant.kind === 'column') && grant.object === of.item.name)
          .flatMap((grant) => changeGrant(grant, [], grant.privileges, schema)),
      ];
    case 'function': {
      const create = createFunction(of.item, context);
      if (create === null) return null;
      return [...create, ...commentOfNew(of), ...functionGrants(of.item, context)];
    }
    case 'sequence':
      return [...createSequence(of.item), ...commentOfNew(of)];
    case 'type': {
      const create = createType(of.item);
      return create === null ? null : [create, ...commentOfNew(of)];
    }
    case 'rule or statistics':
      return newExtra(of.item);
    case 'extension':
      return [createExtension(of.item.name, context)];
  }
}
