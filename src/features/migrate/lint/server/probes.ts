import { all, as, namesOf, statementOf, type NodeOf } from '../../../../adapters/sql-parser/nodes.js';
import { formatCount } from '../../../../base/count.js';
import { endsRun, isAisecError } from '../../../../base/errors.js';
import { nameInSql } from '../../../../base/identifier.js';
import type { FileContext } from '../file-context.js';
import { keyOfRelation } from '../relation-names.js';
import type { LintedStatement, RelationFacts, RelationName, Surroundings, Violation } from '../rule.js';
import { alterations, constraintText, oneLine } from '../rules/parts.js';

/** Counting stops there. */
const COUNTED_TO = 10_000;
/** Rows that a statement does not get by. */
interface Probe {
  readonly table: RelationFacts;
  readonly object: string;
  /** Gives a row for each. */
  readonly query: string;
}

type Existing = Surroundings['existing'];

function rowsWhere({ sqlName }: RelationFacts, condition: string): string {
  return `select * from ${sqlName} where ${condition}`;
}

function duplicates(
  table: RelationFacts,
  columns: readonly string[],
  { where = '', isNullEqual = false } = {},
): string {
  const list = columns.map(nameInSql);
  const conditions = [
    ...(where === '' ? [] : [`(${where})`]),
    ...(isNullEqual ? [] : list.map((column) => `${column} is not null`)),
  ];
  const filter = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  return `select * from (select *, pg_catalog.row_number() over (partition by ${list.join(', ')}) as nth from ${table.sqlName}${filter}) as numbered where nth > 1`;
}

function orphans(
  table: RelationFacts,
  columns: readonly string[],
  target: { readonly name: string; readonly columns: readonly string[] },
): string {
  const own = columns.map((column) => `own.${nameInSql(column)}`);
  const matches = target.columns.map((column, index) => `target.${nameInSql(column)} = ${own[index] ?? 'null'}`);
  const isSet = own.map((column) => `${column} is not null`);
  return `select own.* from ${table.sqlName} as own where ${isSet.join(' and ')} and not exists (select from ${target.name} as target where ${matches.join(' and ')})`;
}

function foreignKey(table: RelationFacts, constraint: NodeOf<'Constraint'>, existing: Existing): string | undefined {
  const { relname = '', schemaname } = constraint.pktable ?? {};
  const name: RelationName = { relname, ...(schemaname !== undefined && { schemaname }) };
  const target = existing(name);
  const columns = namesOf(constraint.fk_attrs);
  const key = target?.indexes.find(({ isPrimary }) => isPrimary)?.columns ?? [];
  const named = namesOf(constraint.pk_attrs);
  const wanted = named.length > 0 ? named : key;
  if (target === undefined || wanted.length !== columns.length) return undefined;
  return orphans(table, columns, { name: target.sqlName, columns: wanted });
}

function ofConstraint(
  statement: LintedStatement,
  table: RelationFacts,
  constraint: NodeOf<'Constraint'>,
  existing: Existing,
): string | undefined {
  if (constraint.skip_validation === true || constraint.indexname !== undefined) return undefined;
  const keys = namesOf(constraint.keys);
  const { contype } = constraint;
  if (contype === 'CONSTR_CHECK') {
    const text = /^check\s*(\([\s\S]*\))/i.exec(oneLine(constraintText(statement, constraint)))?.[1];
    return text === undefined ? undefined : rowsWhere(table, `${text} is false`);
  }
  if (contype === 'CONSTR_NOTNULL')
    return rowsWhere(table, keys.map((key) => `${nameInSql(key)} is null`).join(' or '));
  if (contype === 'CONSTR_UNIQUE')
    return duplicates(table, keys, { isNullEqual: constraint.nulls_not_distinct === true });
  if (contype === 'CONSTR_PRIMARY') return duplicates(table, keys, { isNullEqual: true });
  return contype === 'CONSTR_FOREIGN' ? foreignKey(table, constraint, existing) : undefined;
}

/** `CHECK (…)` of a constraint that is there and is validated now; that of a foreign key. */
function ofDefinition(table: RelationFacts, definition: string): string | undefined {
  const check = /^CHECK (\([\s\S]*\))(?: NO INHERIT)?(?: NOT VALID)?$/.exec(definition)?.[1];
  if (check !== undefined) return rowsWhere(table, `${check} is false`);
  const key = /^FOREIGN KEY \(([^)]+)\) REFERENCES (\S+)\(([^)]+)\)/.exec(definition);
  if (key === null) return undefined;
  const [, columns = '', target = '', targetColumns = ''] = key;
  const plain = (list: string): readonly string[] => list.split(', ').map((name) => name.replaceAll('"', ''));
  return orphans(table, plain(columns), { name: target, columns: plain(targetColumns) });
}

function uniqueIndex(statement: LintedStatement, existing: Existing): readonly Probe[] {
  const index = statementOf('IndexStmt', statement);
  const table = existing(index?.relation);
  const columns = all('IndexElem', index?.indexParams).map(({ name }) => name);
  const isPlain = columns.every((name) => name !== undefined);
  if (index?.unique !== true || table === undefined || !isPlain) return [];
  const where = index.whereClause === undefined ? '' : (/\bwhere\b([\s\S]*)$/i.exec(statement.text)?.[1] ?? '').trim();
  const options = { where, isNullEqual: index.nulls_not_distinct === true };
  const query = duplicates(
    table,
    columns.flatMap((name) => name ?? []),
    options,
  );
  return [{ table, object: index.idxname ?? table.name, query }];
}

function probesOf(statement: LintedStatement, existing: Existing): readonly Probe[] {
  const notNull = alterations(statement, 'AT_SetNotNull').flatMap(({ relation, command: { name = '' } }) => {
    const table = existing(relation);
    if (table === undefined) return [];
    return [{ table, object: `${table.name}.${name}`, query: rowsWhere(table, `${nameInSql(name)} is null`) }];
  });
  const added = alterations(statement, 'AT_AddConstraint').flatMap(({ relation, command }) => {
    const [table, constraint] = [existing(relation), as('Constraint', command.def)];
    if (table === undefined || constraint === undefined) return [];
    const query = ofConstraint(statement, table, constraint, existing);
    return query === undefined ? [] : [{ table, object: constraint.conname ?? table.name, query }];
  });
  const validated = alterations(statement, 'AT_ValidateConstraint').flatMap(({ relation, command: { name = '' } }) => {
    const table = existing(relation);
    const known = table?.constraints.find((constraint) => constraint.name === name && !constraint.isValidated);
    const query = table === undefined || known === undefined ? undefined : ofDefinition(table, known.definition);
    return table === undefined || query === undefined ? [] : [{ table, object: name, query }];
  });
  return [...notNull, ...added, ...validated, ...uniqueIndex(statement, existing)];
}

/** The probes count on the connected database, else on the replay, which has what earlier migrations have written. */
async function count(probe: Probe, { runner, options: { live }, written }: FileContext): Promise<number | undefined> {
  const query = `select pg_catalog.count(*)::integer as count from (${probe.query} limit ${COUNTED_TO + 1}) as violating`;
  if (live === undefined) return runner.count(query);
  return written.has(probe.table) ? undefined : live.count(query);
}

/** Rows that a statement fails on, counted before it runs; `reason`: why they could not be counted. */
export async function findViolations(
  statement: LintedStatement,
  existing: Existing,
  context: FileContext,
): Promise<readonly (Violation | { readonly reason: string })[]> {
  const found: (Violation | { readonly reason: string })[] = [];
  for (const probe of probesOf(statement, existing)) {
    try {
      const rows = await count(probe, context);
      if (rows === undefined || rows === 0) continue;
      const many = rows > COUNTED_TO ? `more than ${formatCount(COUNTED_TO)}` : formatCount(rows);
      const { object, table, query } = probe;
      found.push({ object, count: many, isOne: rows === 1, table: table.sqlName, query: `${query} limit 100;` });
    } catch (error) {
      if (!isAisecError(error) || endsRun(error)) throw error;
      found.push({
        reason: `the rows of ${keyOfRelation({ relname: probe.table.name })} were not counted: ${error.message}`,
      });
    }
  }
  return found;
}
