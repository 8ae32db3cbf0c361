import type { Change } from '../drift/change.js';
import { fixOf, tablesInOrder, usesRelation } from '../drift/fix/fix.js';
import { dropFunction } from '../drift/fix/functions.js';
import { wholeTable } from '../drift/fix/missing.js';
import type { AdoptFacts } from './facts.js';
import { briefStep, type AdoptStep } from './step.js';

/** Depend on rows, or on messages being partitioned: made later. */
export const LATER_TABLES: ReadonlySet<string> = new Set(['messages', 'messages_default', 'message_keys']);

const CREATE_ROLE = `do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticated') then
    create role authenticated nologin;
  end if;
exception
  when duplicate_object or unique_violation then
    null;
end
$$`;

/** A function of the same name with other arguments would make a call ambiguous: archive_old_messages() of the document. */
function overloads({ changes, wanted }: AdoptFacts): readonly string[] {
  const names = new Set(wanted.functions.map(({ name }) => name));
  return changes.flatMap(({ live, wanted: made }) =>
    live?.kind === 'function' && made === undefined && names.has(live.item.name) ? [dropFunction(live.item)] : [],
  );
}

/** PUBLIC may execute every new function. */
function functionGrants(facts: AdoptFacts): readonly string[] {
  return facts.changes
    .filter(({ live, wanted }) => (live ?? wanted)?.kind === 'grant')
    .filter(({ live, wanted }) => {
      const grant = live ?? wanted;
      if (grant?.kind !== 'grant' || grant.item.kind !== 'function') return false;
      const isOurs = facts.wanted.functions.some(({ name }) => name === grant.item.object);
      return isOurs && (grant.item.grantee === 'PUBLIC' || live === undefined);
    })
    .flatMap((change) => fixOf(change, facts) ?? []);
}

function fixes(facts: AdoptFacts, isChosen: (change: Change) => boolean): readonly string[] {
  return facts.changes.filter(isChosen).flatMap((change) => fixOf(change, facts) ?? []);
}

function isMade({ kind, wanted }: Change, ...kinds: readonly string[]): boolean {
  return wanted !== undefined && kinds.includes(kind);
}

function isLate({ wanted }: Change, { wanted: catalog }: AdoptFacts): boolean {
  return wanted?.kind === 'function' && usesRelation(wanted.item, catalog);
}

/** Extensions, the role, types and functions; nothing that exists is locked. */
export function functionSteps(facts: AdoptFacts): readonly AdoptStep[] {
  const needsRole = facts.wanted.grants.some(({ grantee }) => grantee === 'authenticated');
  const first = [
    ...fixes(facts, (change) => isMade(change, 'extension')),
    ...(needsRole ? [CREATE_ROLE] : []),
    ...fixes(
      facts,
      ({ live, wanted }) => live === undefined && wanted?.kind === 'grant' && wanted.item.kind === 'schema',
    ),
  ];
  return [
    ...briefStep('objects', 'extensions and the role authenticated', first),
    ...briefStep(
      'objects',
      'types and sequences',
      fixes(facts, (change) => isMade(change, 'type', 'sequence')),
    ),
    ...briefStep('objects', 'functions', [
      ...overloads(facts),
      ...fixes(facts, (change) => isMade(change, 'function') && !isLate(change, facts)),
    ]),
  ];
}

/** New tables with all that belongs to them, and new views. */
export function relationSteps(facts: AdoptFacts): readonly AdoptStep[] {
  const { changes, wanted } = facts;
  const later = facts.messages === 'plain' ? LATER_TABLES : new Set<string>();
  const newTables = changes.flatMap(({ live, wanted: made }) =>
    live === undefined && made?.kind === 'table' && !later.has(made.item.name) ? [made.item.name] : [],
  );
  const tables = tablesInOrder(newTables, wanted).flatMap((name) => {
    const table = wanted.tables.find((found) => found.name === name);
    return table === undefined ? [] : wholeTable(table, facts);
  });
  return [
    ...briefStep('objects', `new tables: ${newTables.join(', ')}`, tables),
    ...briefStep('objects', 'new views, and functions that return their rows', [
      ...fixes(facts, ({ live, wanted: made }) => live === undefined && made?.kind === 'view'),
      ...fixes(facts, (change) => isLate(change, facts)),
      ...functionGrants(facts),
    ]),
  ];
}
