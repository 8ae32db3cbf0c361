import type { CatalogIndex, CatalogPolicy } from '../../../adapters/catalog/catalog.js';
import { boundedName } from '../../../base/bounded-name.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { changeGrant, createPolicy, createTrigger, dropPolicy, dropTrigger } from '../drift/fix/access.js';
import { createMissing, wholeTable } from '../drift/fix/missing.js';
import { literal, name } from '../drift/fix/names.js';
import { createView } from '../drift/fix/others.js';
import type { AdoptFacts } from './facts.js';
import { KEY_INDEX, newReferences } from './key-steps.js';
import { carryOwnColumns } from './own-columns.js';
import { BRIEF_MS, brieflyLocked, type AdoptStep, type StepLock } from './step.js';
import { readsMessages } from './table-steps.js';

const DEFAULT = 'messages_default';

function replaceReferences(facts: AdoptFacts): readonly string[] {
  return newReferences(facts).flatMap(({ old, newName }) => [
    `alter table ${old.table} drop constraint ${old.name}`,
    `alter table ${old.table} rename constraint ${newName} to ${old.name}`,
  ]);
}

/** The name of the index of the default partition that belongs to an index of messages. */
function childName({ wanted }: AdoptFacts, root: CatalogIndex): string {
  const known = wanted.indexes.find(({ table, parent }) => table === DEFAULT && parent === root.name);
  return known?.name ?? boundedName(`${DEFAULT}_${root.name}`);
}

/** Indexes of the old table, but those behind constraints: each becomes the part of one of the new messages. */
function indexesOf({ live }: AdoptFacts): readonly CatalogIndex[] {
  return live.indexes.filter(
    ({ table, name: index, constraint }) => table === 'messages' && constraint === null && index !== KEY_INDEX,
  );
}

/** The indexes that the migrations make are built beside writers before, so that they are there by now. */
function renamedIndexes(facts: AdoptFacts): readonly string[] {
  const known = facts.wanted.indexes.filter(({ table, constraint }) => table === 'messages' && constraint === null);
  const own = indexesOf(facts).filter(({ name: index }) => !known.some((other) => other.name === index));
  return [...known, ...own].map(
    (index) => `alter index ${name(index.name)} rename to ${name(childName(facts, index))}`,
  );
}

function ownIndexes(facts: AdoptFacts): readonly string[] {
  const known = new Set(facts.wanted.indexes.map(({ name: index }) => index));
  return indexesOf(facts)
    .filter(({ name: index }) => !known.has(index))
    .map(({ definition }) => definition);
}

function ownTriggers({ live, wanted }: AdoptFacts): readonly string[] {
  const known = new Set(
    wanted.triggers.filter(({ table }) => table === 'messages').map(({ name: trigger }) => trigger),
  );
  return live.triggers
    .filter(({ table, name: trigger }) => table === 'messages' && !known.has(trigger))
    .flatMap(createTrigger);
}

function ownPolicies({ live, wanted }: AdoptFacts): readonly CatalogPolicy[] {
  const known = new Set(wanted.policies.filter(({ table }) => table === 'messages').map(({ name: policy }) => policy));
  return live.policies.filter(({ table, name: policy }) => table === 'messages' && !known.has(policy));
}

/** What other roles may do with messages, they may do with the new one. */
function ownGrants({ live, schema }: AdoptFacts): readonly string[] {
  return live.grants
    .filter(({ kind, object }) => (kind === 'table' || kind === 'column') && object === 'messages')
    .flatMap((grant) => changeGrant(grant, [], grant.privileges, schema));
}

function views(facts: AdoptFacts): readonly string[] {
  const ours = facts.wanted.views.filter(({ definition }) => readsMessages(definition));
  const own = facts.dependents.filter(
    ({ kind, object }) =>
      kind === 'view' && !ours.some((view) => quoteIdentifier(view.name) === quoteIdentifier(object)),
  );
  return [
    ...own.map(
      ({ object, definition, options }) =>
        `create or replace view ${object}${options.length === 0 ? '' : ` with (${options.join(', ')})`} as\n${(definition ?? '').replace(/;\s*$/, '')}`,
    ),
    ...ours.flatMap((view) =>
      facts.live.views.some((found) => found.name === view.name)
        ? [createView(view), ...viewExtras(view.name, facts)]
        : (createMissing({ kind: 'view', item: view }, facts) ?? []),
    ),
  ];
}

function viewExtras(view: string, { wanted, schema }: AdoptFacts): readonly string[] {
  const comment = wanted.views.find((found) => found.name === view)?.comment ?? null;
  return [
    ...(comment === null ? [] : [`comment on view ${name(view)} is ${literal(comment)}`]),
    ...wanted.columns
      .filter(({ table, comment: text }) => table === view && text !== null)
      .map((column) => `comment on column ${name(view)}.${name(column.name)} is ${literal(column.comment)}`),
    ...wanted.grants
      .filter((grant) => grant.kind === 'view' && grant.object === view)
      .flatMap((grant) => changeGrant(grant, [], grant.privileges, schema)),
  ];
}

/** The statements that make the old table the default partition of a new one: catalogs only, no row is read. */
function swapStatements(facts: AdoptFacts): readonly string[] {
  const { live, wanted } = facts;
  const root = wanted.tables.find(({ name: table }) => table === 'messages');
  const part = wanted.tables.find(({ name: table }) => table === DEFAULT);
  if (root === undefined || part === undefined) throw new Error('the migrations make no partitioned messages');
  const oldTriggers = new Map(
    [...wanted.triggers, ...live.triggers]
      .filter(({ table }) => table === 'messages')
      .map((trigger) => [trigger.name, trigger]),
  );
  const oldKey = live.constraints.find(({ table, type }) => table === 'messages' && type === 'primary key');
  const partKey = wanted.constraints.find(({ table, type }) => table === DEFAULT && type === 'primary key');
  return [
    ...replaceReferences(facts),
    ...[...oldTriggers.values()].map(dropTrigger),
    ...live.policies.filter(({ table }) => table === 'messages').map(dropPolicy),
    ...(oldKey === undefined ? [] : [`alter table messages drop constraint ${name(oldKey.name)}`]),
    `alter table messages rename to ${DEFAULT}`,
    ...renamedIndexes(facts),
    `alter table ${DEFAULT} add constraint ${name(partKey?.name ?? `${DEFAULT}_pkey`)} primary key using index ${KEY_INDEX}`,
    ...wholeTable(root, facts),
    ...carryOwnColumns(facts),
    ...ownIndexes(facts),
    `alter table messages attach partition ${DEFAULT} default`,
    ...ownTriggers(facts),
    ...ownPolicies(facts).map(createPolicy),
    `select aisec_protect_message_partition('messages', '${DEFAULT}')`,
    ...ownGrants(facts),
    `comment on table ${DEFAULT} is ${literal(part.comment)}`,
    ...views(facts),
  ];
}

function swapLocks(facts: AdoptFacts): readonly StepLock[] {
  const referring = newReferences(facts).map(({ old }) => old.table.replaceAll('"', ''));
  const others = [...new Set(['conversations', 'message_keys', ...referring])].filter((table) => table !== 'messages');
  return [
    brieflyLocked('messages', 'access exclusive'),
    ...others.map((table) =>
      brieflyLocked(table, referring.includes(table) ? 'access exclusive' : 'share row exclusive'),
    ),
  ];
}

/** The old table becomes the default partition of a new messages, in one transaction. */
export function swapSteps(facts: AdoptFacts): readonly AdoptStep[] {
  if (facts.messages !== 'plain') return [];
  return [
    {
      kind: 'transaction',
      phase: 'messages',
      what: 'messages becomes partitioned: the table with its rows is its default partition, views read the new one',
      locks: swapLocks(facts),
      expectedMs: 3 * BRIEF_MS,
      statements: swapStatements(facts),
    },
  ];
}
