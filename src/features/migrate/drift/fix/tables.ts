import type { CatalogColumn, CatalogConstraint, CatalogTable } from '../../../../adapters/catalog/catalog.js';
import type { Difference } from '../../../../adapters/catalog/difference.js';
import { boundedName } from '../../../../base/bounded-name.js';
import { literal, name } from './names.js';

/** What stands behind a column's name in CREATE TABLE and ADD COLUMN. */
export function columnDefinition(column: CatalogColumn): string {
  const { type, collation, notNull, identity, generated } = column;
  const stored = generated === null ? null : /^(stored|virtual) as ([\s\S]*)$/.exec(generated);
  return [
    type,
    ...(collation === null ? [] : [`collate ${name(collation)}`]),
    ...(column.default === null ? [] : [`default ${column.default}`]),
    ...(identity === null ? [] : [`generated ${identity} as identity`]),
    ...(stored === null ? [] : [`generated always as (${stored[2] ?? ''}) ${stored[1] ?? ''}`]),
    ...(notNull ? ['not null'] : []),
  ].join(' ');
}

/** The table with its columns; all else is added to it. */
export function createTable(table: CatalogTable, columns: readonly CatalogColumn[]): string {
  const [parent] = table.parents;
  const kind = table.persistence === 'unlogged' ? 'unlogged table' : 'table';
  if (parent !== undefined && table.bound !== null)
    return `create ${kind} ${name(table.name)} partition of ${name(parent)} ${table.bound === 'DEFAULT' ? 'default' : table.bound}`;
  const list = columns.map((column) => `  ${name(column.name)} ${columnDefinition(column)}`).join(',\n');
  const inherits = parent === undefined ? '' : ` inherits (${table.parents.map(name).join(', ')})`;
  const partitioned = table.partitionKey === null ? '' : ` partition by ${table.partitionKey}`;
  const options =
    table.options.filter((option) => !option.startsWith('toast.')).length === 0
      ? ''
      : ` with (${table.options.join(', ')})`;
  return `create ${kind} ${name(table.name)} (\n${list}\n)${inherits}${partitioned}${options}`;
}

function deferral({ deferrable, initiallyDeferred }: CatalogConstraint): string {
  return `${deferrable ? ' deferrable' : ''}${initiallyDeferred ? ' initially deferred' : ''}`;
}

/** Whether it can be added without reading the table, and be validated while others write. */
function isValidatedLater({ type, definition }: CatalogConstraint): boolean {
  return type === 'foreign key' || (type === 'check' && !definition.includes('NO INHERIT'));
}

/** As it stands in ADD CONSTRAINT; `called`: under another name. */
export function constraintClause(constraint: CatalogConstraint, called = constraint.name): string {
  return `add constraint ${name(called)} ${constraint.definition}${deferral(constraint)}`;
}

/** In two steps where it can be, so that the table is not read under the lock. */
export function addConstraint(constraint: CatalogConstraint, isPartitioned: boolean): readonly string[] {
  const add = `alter table ${name(constraint.table)} ${constraintClause(constraint)}`;
  // Before PostgreSQL 18 a partitioned table takes no foreign key that is not valid.
  if (!isValidatedLater(constraint) || (isPartitioned && constraint.type === 'foreign key')) return [add];
  const validate = `alter table ${name(constraint.table)} validate constraint ${name(constraint.name)}`;
  return constraint.validated ? [`${add} not valid`, validate] : [`${add} not valid`];
}

function optionStatements(target: string, before: readonly string[], after: readonly string[]): readonly string[] {
  const nameOf = (option: string): string => option.split('=')[0] ?? option;
  const dropped = before.map(nameOf).filter((option) => !after.some((other) => nameOf(other) === option));
  const set = after.filter((option) => !before.includes(option));
  return [
    ...(dropped.length === 0 ? [] : [`${target} reset (${dropped.join(', ')})`]),
    ...(set.length === 0 ? [] : [`${target} set (${set.join(', ')})`]),
  ];
}

export function optionChange(target: string, { before, after }: Difference): readonly string[] {
  return optionStatements(target, Array.isArray(before) ? before : [], Array.isArray(after) ? after : []);
}

/** The statement that switches row-level security. */
export function rowSecurity(table: string, how: 'enable' | 'disable' | 'force' | 'no force'): string {
  return ['alter table', name(table), how, 'row', 'level', 'security'].join(' ');
}

/** One property of a table; null where rows would have to be rewritten or a person has to decide. */
export function tableChange(table: CatalogTable, difference: Difference): readonly string[] | null {
  const alter = `alter table ${name(table.name)}`;
  switch (difference.property) {
    case 'rowLevelSecurity':
      return [rowSecurity(table.name, table.rowLevelSecurity ? 'enable' : 'disable')];
    case 'forcedRowLevelSecurity':
      return [rowSecurity(table.name, table.forcedRowLevelSecurity ? 'force' : 'no force')];
    case 'replicaIdentity':
      return [
        table.replicaIdentity.startsWith('index ')
          ? `${alter} replica identity using index ${name(table.replicaIdentity.slice(6))}`
          : `${alter} replica identity ${table.replicaIdentity}`,
      ];
    case 'options':
      return optionChange(alter, difference);
    case 'comment':
      return [`comment on table ${name(table.name)} is ${literal(table.comment)}`];
    case 'persistence':
      return [`${alter} set ${table.persistence === 'unlogged' ? 'unlogged' : 'logged'}`];
    default:
      return null;
  }
}

function identityChange(alter: string, { before }: Difference, { identity }: CatalogColumn): string {
  if (identity === null) return `${alter} drop identity`;
  return before === null ? `${alter} add generated ${identity} as identity` : `${alter} set generated ${identity}`;
}

/** SET NOT NULL reads the table under its lock, unless a valid CHECK says that there is no null. */
function setNotNull({ table, name: columnName }: CatalogColumn): readonly string[] {
  const check = name(boundedName(columnName, { suffix: '_is_not_null' }));
  const alter = `alter table ${name(table)}`;
  return [
    `${alter} add constraint ${check} check (${name(columnName)} is not null) not valid`,
    `${alter} validate constraint ${check}`,
    `${alter} alter column ${name(columnName)} set not null`,
    `${alter} drop constraint ${check}`,
  ];
}

/** One property of a column. */
export function columnChange(column: CatalogColumn, difference: Difference, isView: boolean): readonly string[] | null {
  const full = `${name(column.table)}.${name(column.name)}`;
  if (difference.property === 'comment') return [`comment on column ${full} is ${literal(column.comment)}`];
  if (isView) return null;
  const alter = `alter table ${name(column.table)} alter column ${name(column.name)}`;
  switch (difference.property) {
    case 'type':
    case 'collation':
      return [
        `${alter} type ${column.type}${column.collation === null ? '' : ` collate ${name(column.collation)}`} using ${name(column.name)}::${column.type}`,
      ];
    case 'notNull':
      return column.notNull ? setNotNull(column) : [`${alter} drop not null`];
    case 'default':
      return [column.default === null ? `${alter} drop default` : `${alter} set default ${column.default}`];
    case 'identity':
      return [identityChange(alter, difference, column)];
    case 'storage':
      return [`${alter} set storage ${column.storage ?? 'default'}`];
    case 'statisticsTarget':
      return [`${alter} set statistics ${column.statisticsTarget ?? -1}`];
    case 'options':
      return optionChange(alter, difference);
    default:
      return null;
  }
}
