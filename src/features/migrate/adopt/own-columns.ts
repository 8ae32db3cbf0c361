import type { CatalogColumn, CatalogConstraint } from '../../../adapters/catalog/catalog.js';
import { boundedName } from '../../../base/bounded-name.js';
import type { Finding } from '../../../base/finding.js';
import { literal, name } from '../drift/fix/names.js';
import { columnDefinition, constraintClause } from '../drift/fix/tables.js';
import type { AdoptFacts } from './facts.js';
import { newReferences } from './key-steps.js';
import { brieflyLocked, briefStep, type AdoptStep } from './step.js';

const ARCHIVE = 'messages_archive';

/** Columns of messages that the migrations do not make. */
function ownColumns({ live, wanted }: AdoptFacts): readonly CatalogColumn[] {
  const known = new Set(wanted.columns.filter(({ table }) => table === 'messages').map((column) => column.name));
  return live.columns.filter((column) => column.table === 'messages' && !known.has(column.name));
}

/** Checks and foreign keys of messages that the migrations do not make; what pointed to messages points to message_keys. */
function ownConstraints(facts: AdoptFacts): readonly CatalogConstraint[] {
  const known = new Set(
    facts.wanted.constraints.filter(({ table }) => table === 'messages').map((constraint) => constraint.name),
  );
  const references = newReferences(facts).filter(({ old }) => old.table.replaceAll('"', '') === 'messages');
  const made = new Set(references.map(({ newName }) => newName.replaceAll('"', '')));
  return facts.live.constraints
    .filter(({ table, type }) => table === 'messages' && (type === 'check' || type === 'foreign key'))
    .filter((constraint) => !known.has(constraint.name) && !made.has(constraint.name))
    .map((constraint) => {
      const moved = references.find(({ old }) => old.name.replaceAll('"', '') === constraint.name);
      return moved === undefined ? constraint : { ...constraint, definition: moved.definition };
    });
}

function addColumn(table: string, column: CatalogColumn): readonly string[] {
  const comment = column.comment === null ? [] : [literal(column.comment)];
  return [
    `alter table ${table} add column ${name(column.name)} ${columnDefinition(column)}`,
    ...comment.map((text) => `comment on column ${table}.${name(column.name)} is ${text}`),
  ];
}

/** For the new messages, before the table with the rows becomes its part: both must have the same columns and constraints. */
export function carryOwnColumns(facts: AdoptFacts): readonly string[] {
  const columns = ownColumns(facts);
  const owned = facts.live.sequences.filter(
    ({ table, column }) => table === 'messages' && columns.some((own) => own.name === column),
  );
  return [
    ...columns.flatMap((column) => addColumn('messages', column)),
    ...ownConstraints(facts).map((constraint) => `alter table messages ${constraintClause(constraint)}`),
    ...owned.map(
      ({ name: sequence, column }) => `alter sequence ${name(sequence)} owned by messages.${name(column ?? '')}`,
    ),
  ];
}

/** A month is archived by ATTACH, for which messages_archive needs the same columns. */
export function archiveColumnSteps(facts: AdoptFacts): readonly AdoptStep[] {
  const { live } = facts;
  const there = new Set(live.columns.filter(({ table }) => table === ARCHIVE).map((column) => column.name));
  const checked = new Set(live.constraints.filter(({ table }) => table === ARCHIVE).map((one) => one.name));
  const columns = ownColumns(facts).filter((column) => !there.has(column.name));
  const checks = ownConstraints(facts).filter(({ type, name: check }) => type === 'check' && !checked.has(check));
  const statements = [
    ...columns.flatMap((column) => addColumn(ARCHIVE, column)),
    ...checks.map((check) => `alter table ${ARCHIVE} ${constraintClause(check)}`),
  ];
  const names = [...columns, ...checks].map((own) => own.name);
  return briefStep(
    'messages',
    `${ARCHIVE} gets what messages has beside the migrations: ${names.join(', ')}`,
    statements,
    live.tables.some((table) => table.name === ARCHIVE) ? [brieflyLocked(ARCHIVE, 'access exclusive')] : [],
  );
}

type Reason = Pick<Finding, 'message' | 'impact' | 'fix'>;

function identityFix({ name: column, type }: CatalogColumn): string {
  const sequence = name(boundedName(column, { prefix: 'messages_', suffix: '_own_seq' }));
  return [
    `create sequence ${sequence} as ${type} owned by messages.${name(column)};`,
    `select setval('${sequence.replaceAll("'", "''")}', coalesce((select max(${name(column)}) from messages), 0) + 1, false);`,
    `alter table messages alter column ${name(column)} drop identity, alter column ${name(column)} set default nextval('${sequence.replaceAll("'", "''")}');`,
  ].join('\n');
}

/** Evaluated once for all rows, and not for each of them. */
function isConstant(text: string): boolean {
  return /^(?:'(?:[^']|'')*'|-?[\d.]+|true|false|null)(?:::[\w .()[\]"]+)?$/i.test(text);
}

function columnReason(column: CatalogColumn, facts: AdoptFacts): Reason | undefined {
  const own = `messages.${column.name}`;
  if (column.identity !== null)
    return {
      message: `${own} is an identity column, which the part of a partitioned table cannot have`,
      impact: 'a default that takes the next number of a sequence does the same; let writers wait while these run',
      fix: identityFix(column),
    };
  if (column.generated !== null)
    return {
      message: `${own} is a generated column, which cannot be written when its rows are copied into months`,
      impact: 'as a plain column it keeps its values; a trigger BEFORE INSERT OR UPDATE can compute those that come',
      fix: column.generated.startsWith('stored')
        ? `alter table messages alter column ${name(column.name)} drop expression;`
        : null,
    };
  const hasIt = facts.live.columns.some((other) => other.table === ARCHIVE && other.name === column.name);
  const rows = facts.tables.get(ARCHIVE)?.row_estimate ?? 0;
  const isFilled = column.default !== null && isConstant(column.default);
  if (hasIt || rows <= 0 || isFilled || (column.default === null && !column.notNull)) return undefined;
  return {
    message: `${own} cannot be added to the rows of ${ARCHIVE}: ${column.default === null ? 'it is NOT NULL and has no default' : `its default ${column.default} differs for each row`}`,
    impact: 'months could not be archived; add the column there with the values that its rows are to have',
    fix: null,
  };
}

/** What of a team's own on messages cannot be carried into its months, and what to do first. */
export function ownColumnFindings(facts: AdoptFacts): readonly Finding[] {
  const columns = ownColumns(facts).flatMap((column): readonly Finding[] => {
    const reason = columnReason(column, facts);
    const object = `messages.${column.name}`;
    if (reason === undefined) return [];
    return [{ id: `column-extra:${object}`, severity: 'critical', object: `column ${object}`, ...reason }];
  });
  if (facts.messages !== 'plain') return columns;
  const unvalidated = ownConstraints(facts)
    .filter(({ validated }) => !validated)
    .map((constraint): Finding => ({
      id: `constraint-extra:${constraint.name} on messages`,
      severity: 'critical',
      object: `constraint ${constraint.name} on messages`,
      message: `the constraint ${constraint.name} of messages is not validated`,
      impact: 'the partitioned table would have to read every row under its lock',
      fix: `alter table messages validate constraint ${name(constraint.name)};`,
    }));
  return [...columns, ...unvalidated, ...uniqueFindings(facts)];
}

/** A partitioned table keeps apart only what has the partition key in it. */
function uniqueFindings({ live, wanted }: AdoptFacts): readonly Finding[] {
  const known = new Set(wanted.indexes.filter(({ table }) => table === 'messages').map((index) => index.name));
  return live.indexes
    .filter(({ table, unique, primary }) => table === 'messages' && unique && !primary)
    .filter((index) => !known.has(index.name) && !index.name.startsWith('messages_adopt_'))
    .filter(({ definition }) => !/\(.*\bcreated_at\b.*\)/.test(definition))
    .map(({ name: index, constraint }): Finding => ({
      id: `index-unique:${index} on messages`,
      severity: 'critical',
      object: `index ${index} on messages`,
      message: `${index} is unique without created_at, which a partitioned table cannot keep`,
      impact:
        'put the columns into a table of your own with the id of the message, unique there, or let the index have created_at in it; then drop this one',
      fix:
        constraint === null
          ? `drop index concurrently ${name(index)};`
          : `alter table messages drop constraint ${name(constraint)};`,
    }));
}
