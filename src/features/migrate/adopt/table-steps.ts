import type { CatalogConstraint } from '../../../adapters/catalog/catalog.js';
import type { Change } from '../drift/change.js';
import { comment, commentOfNew } from '../drift/fix/comments.js';
import { fixOf } from '../drift/fix/fix.js';
import { name } from '../drift/fix/names.js';
import { addConstraint, constraintClause } from '../drift/fix/tables.js';
import { isThere, rowsOf, type AdoptFacts } from './facts.js';
import { LATER_TABLES } from './object-steps.js';
import { brieflyLocked, briefStep, RATES, workMs, type AdoptStep } from './step.js';

/** Foreign keys to message_keys, and the primary key of messages, change with messages itself. */
function isOfMessages({ table, type, definition }: CatalogConstraint): boolean {
  return definition.includes('REFERENCES message_keys') || (table === 'messages' && type === 'primary key');
}

function validation(facts: AdoptFacts, table: string, constraints: readonly CatalogConstraint[]): readonly AdoptStep[] {
  if (constraints.length === 0) return [];
  return [
    {
      kind: 'alone',
      phase: 'constraints',
      what: `validate ${constraints.map((constraint) => constraint.name).join(', ')}`,
      locks: [{ table, mode: 'share update exclusive', held: 'work' }],
      expectedMs: constraints.length * workMs(rowsOf(facts, table), RATES.validate),
      statements: constraints.map(
        (constraint) => `alter table ${name(table)} validate constraint ${name(constraint.name)}`,
      ),
    },
  ];
}

/** A unique or primary key, on an index that was built beside writers. */
function keyStatements(constraint: CatalogConstraint): readonly string[] {
  const columns = /\(.*\)/s.exec(constraint.definition)?.[0] ?? '()';
  const kind = constraint.type === 'primary key' ? 'primary key' : 'unique';
  return [
    `create unique index concurrently if not exists ${name(constraint.name)} on ${name(constraint.table)} ${columns}`,
    `alter table ${name(constraint.table)} add constraint ${name(constraint.name)} ${kind} using index ${name(constraint.name)}`,
    ...commentOfNew({ kind: 'constraint', item: constraint }),
  ];
}

interface ConstraintChange {
  readonly item: CatalogConstraint;
  readonly isNew: boolean;
  readonly isUnvalidatedOnly: boolean;
}

function constraintChanges(facts: AdoptFacts): readonly ConstraintChange[] {
  return facts.changes.flatMap(({ live, wanted, differences }) => {
    if (wanted?.kind !== 'constraint' || !isThere(facts, wanted.item.table) || isOfMessages(wanted.item)) return [];
    const properties = differences.map(({ property }) => property).filter((property) => property !== 'comment');
    const isNew = live === undefined;
    if (!isNew && properties.length === 0) return [];
    return [{ item: wanted.item, isNew, isUnvalidatedOnly: properties.every((property) => property === 'validated') }];
  });
}

function addStep(table: string, changes: readonly ConstraintChange[]): readonly AdoptStep[] {
  const quick = changes.filter(
    ({ item, isNew, isUnvalidatedOnly }) =>
      (isNew || !isUnvalidatedOnly) && ['check', 'foreign key'].includes(item.type),
  );
  const statements = quick.flatMap(({ item, isNew }) => {
    const [add = ''] = addConstraint(item, false);
    const again = `alter table ${name(table)} drop constraint ${name(item.name)}, ${constraintClause(item)} not valid`;
    return [isNew ? add : again, ...commentOfNew({ kind: 'constraint', item })];
  });
  const targets = quick.flatMap(({ item }) => /REFERENCES "?([^\s("]+)/.exec(item.definition)?.[1] ?? []);
  const others = [...new Set(targets)].filter((target) => target !== table);
  return briefStep(
    'constraints',
    `add ${quick.map(({ item }) => item.name).join(', ')}, not validated yet`,
    statements,
    [brieflyLocked(table, 'access exclusive'), ...others.map((target) => brieflyLocked(target, 'share row exclusive'))],
  );
}

/** Proven by a CHECK that is validated beside writers. */
function setsNotNull({ kind, live, wanted, differences }: Change): boolean {
  const isColumn = kind === 'column' && live !== undefined && wanted?.kind === 'column';
  return isColumn && wanted.item.notNull && differences.some(({ property }) => property === 'notNull');
}

function notNullSteps(facts: AdoptFacts): readonly AdoptStep[] {
  return facts.changes.filter(setsNotNull).flatMap((change): AdoptStep | [] => {
    if (change.wanted?.kind !== 'column' || !isThere(facts, change.wanted.item.table)) return [];
    const { table } = change.wanted.item;
    return {
      kind: 'alone',
      phase: 'constraints',
      what: `not null of ${change.object}`,
      locks: [{ table, mode: 'access exclusive', held: 'moment' }],
      expectedMs: workMs(rowsOf(facts, table), RATES.validate),
      statements: fixOf(change, facts) ?? [],
    };
  });
}

/** Checks and foreign keys: added for a moment under the lock, validated beside writers. */
export function constraintSteps(facts: AdoptFacts): readonly AdoptStep[] {
  const changes = constraintChanges(facts);
  const tables = [...new Set(changes.map(({ item }) => item.table))];
  const keys = changes.filter(({ item, isNew }) => isNew && !['check', 'foreign key'].includes(item.type));
  return [
    ...notNullSteps(facts),
    ...keys.map(({ item }): AdoptStep => ({
      kind: 'alone',
      phase: 'constraints',
      what: `${item.name} on ${item.table}`,
      locks: [{ table: item.table, mode: 'share update exclusive', held: 'work' }],
      expectedMs: workMs(rowsOf(facts, item.table), RATES.index),
      statements: keyStatements(item),
      index: item.name,
    })),
    ...tables.flatMap((table) =>
      addStep(
        table,
        changes.filter(({ item }) => item.table === table),
      ),
    ),
    ...tables.flatMap((table) =>
      validation(
        facts,
        table,
        changes
          .map(({ item }) => item)
          .filter((item) => item.table === table && ['check', 'foreign key'].includes(item.type)),
      ),
    ),
  ];
}

/** The table or view that a change belongs to; undefined for what stands by itself. */
function relationOf({ live, wanted }: Change): string | undefined {
  const of = wanted ?? live;
  switch (of?.kind) {
    case 'table':
    case 'view':
      return of.item.name;
    case 'column':
    case 'trigger':
    case 'policy':
    case 'rule or statistics':
      return of.item.table;
    case 'grant':
      return ['table', 'view', 'column'].includes(of.item.kind) ? (of.item.object ?? undefined) : undefined;
    case 'constraint':
    case 'index':
    case 'function':
    case 'sequence':
    case 'type':
    case 'extension':
    case undefined:
      return undefined;
  }
}

const RANK = ['column', 'table', 'view', 'trigger', 'rule', 'statistics', 'policy', 'grant'];

/** Views that read messages are made again when messages is another table. */
export function readsMessages(definition: string): boolean {
  return /\bmessages(?:_archive)?\b/.test(definition);
}

function isForTables(facts: AdoptFacts, change: Change): boolean {
  const relation = relationOf(change);
  if (relation === undefined || change.wanted === undefined || LATER_TABLES.has(relation)) return false;
  if (!RANK.includes(change.kind) || setsNotNull(change)) return false;
  const isNewTable = change.live === undefined && change.kind === 'table';
  const view = facts.wanted.views.find((found) => found.name === relation);
  if (view !== undefined) return facts.messages === 'partitioned' || !readsMessages(view.definition);
  return !isNewTable && isThere(facts, relation);
}

/** What other roles have been given stays: the application works with it. */
function statementsOf(change: Change, facts: AdoptFacts): readonly string[] {
  const statements = fixOf(change, facts) ?? [];
  return change.kind === 'grant' ? statements.filter((statement) => !statement.startsWith('revoke ')) : statements;
}

/** Of what is there: a run that was killed may have made it and not commented on it. With messages itself come its comments. */
function lostComments(facts: AdoptFacts): readonly string[] {
  return facts.changes.flatMap(({ kind, live, wanted, differences }) => {
    if (live === undefined || wanted === undefined) return [];
    if (kind === 'function' || !differences.some(({ property }) => property === 'comment')) return [];
    const table = 'table' in wanted.item ? wanted.item.table : 'name' in wanted.item ? wanted.item.name : null;
    const isMadeLater = facts.messages !== 'partitioned' && table !== null && LATER_TABLES.has(table);
    return isMadeLater ? [] : comment(wanted);
  });
}

/** Row-level security with its policies and grants, triggers, and whatever else is quick: a moment for each table. */
export function accessSteps(facts: AdoptFacts): readonly AdoptStep[] {
  const changes = facts.changes
    .filter((change) => isForTables(facts, change))
    .toSorted((a, b) => RANK.indexOf(a.kind) - RANK.indexOf(b.kind));
  const relations = [...new Set(changes.flatMap((change) => relationOf(change) ?? []))];
  const all = new Map(
    relations.map((relation) => [
      relation,
      changes.filter((change) => relationOf(change) === relation).flatMap((change) => statementsOf(change, facts)),
    ]),
  );
  const isView = (relation: string): boolean => facts.wanted.views.some((view) => view.name === relation);
  const isComment = (statement: string): boolean => statement.startsWith('comment on ');
  const comments = [...new Set([...lostComments(facts), ...[...all.values()].flat().filter(isComment)])];
  const quick = [...all].flatMap(([relation, statements]) => {
    const own = statements.filter((statement) => !isComment(statement));
    return briefStep(
      'triggers and policies',
      `${relation}: ${own.length} ${own.length === 1 ? 'change' : 'changes'}, such as row-level security, policies, triggers, grants`,
      own,
      // LOCK TABLE on a view would lock the tables that it reads.
      isView(relation) ? [] : [brieflyLocked(relation, 'access exclusive')],
    );
  });
  return [...quick, ...briefStep('triggers and policies', 'comments', comments)];
}
