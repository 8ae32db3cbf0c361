import { all, as, namesOf, statementOf, type NodeOf } from '../../../../adapters/sql-parser/nodes.js';
import { formatCount } from '../../../../base/count.js';
import { nameInSql } from '../../../../base/identifier.js';
import type { LintedStatement, RelationFacts, Surroundings } from '../rule.js';

export interface Alteration {
  readonly relation: NodeOf<'RangeVar'>;
  readonly command: NodeOf<'AlterTableCmd'>;
}

/** The parts of an ALTER TABLE, those of one kind: `AT_SetNotNull`. */
export function alterations(statement: LintedStatement, subtype: string): readonly Alteration[] {
  const alter = statementOf('AlterTableStmt', statement);
  const relation = alter?.relation;
  if (relation === undefined) return [];
  return all('AlterTableCmd', alter?.cmds)
    .filter((command) => command.subtype === subtype)
    .map((command) => ({ relation, command }));
}

export interface AddedConstraint {
  readonly table: RelationFacts;
  readonly constraint: NodeOf<'Constraint'>;
  /** Given, or what the server would make of it. */
  readonly name: string;
}

/** Constraints of one kind that are added to a table which is there: `CONSTR_CHECK`. */
export function addedConstraints(
  statement: LintedStatement,
  { existing }: Surroundings,
  contype: string,
): readonly AddedConstraint[] {
  return alterations(statement, 'AT_AddConstraint').flatMap(({ relation, command }) => {
    const constraint = as('Constraint', command.def);
    const table = existing(relation);
    if (constraint?.contype !== contype || table === undefined) return [];
    return [{ table, constraint, name: constraint.conname ?? defaultName(table.name, constraint) }];
  });
}

const SUFFIX: Readonly<Record<string, string>> = {
  CONSTR_FOREIGN: 'fkey',
  CONSTR_CHECK: 'check',
  CONSTR_UNIQUE: 'key',
  CONSTR_PRIMARY: 'pkey',
  CONSTR_EXCLUSION: 'excl',
};

function defaultName(table: string, constraint: NodeOf<'Constraint'>): string {
  const columns = namesOf([...(constraint.fk_attrs ?? []), ...(constraint.keys ?? [])]);
  const part = constraint.contype === 'CONSTR_PRIMARY' ? [] : columns;
  return [table, ...part, SUFFIX[constraint.contype ?? ''] ?? 'check'].join('_');
}

/** Columns added to a table, each with its constraints. */
export function addedColumns(
  statement: LintedStatement,
  { existing }: Surroundings,
): readonly { readonly table: RelationFacts; readonly column: NodeOf<'ColumnDef'> }[] {
  return alterations(statement, 'AT_AddColumn').flatMap(({ relation, command }) => {
    const column = as('ColumnDef', command.def);
    const table = existing(relation);
    return column === undefined || table === undefined ? [] : [{ table, column }];
  });
}

export function constraintsOf(column: NodeOf<'ColumnDef'>): readonly NodeOf<'Constraint'>[] {
  return all('Constraint', column.constraints);
}

/** A type as SQL writes it: `numeric(10, 2)`, `text[]`. */
export function typeText(type: NodeOf<'TypeName'> | undefined): string {
  const names = namesOf(type?.names).filter((name) => name !== 'pg_catalog');
  const modifiers = all('A_Const', type?.typmods).map(({ ival, sval }) => String(sval?.sval ?? ival?.ival ?? 0));
  const array = '[]'.repeat(type?.arrayBounds?.length ?? 0);
  const name = names.map(nameInSql).join('.');
  return `${name}${modifiers.length > 0 ? `(${modifiers.join(', ')})` : ''}${array}`;
}

/** The last part of a type's name: `int8`, `varchar`. */
export function typeName(type: NodeOf<'TypeName'> | undefined): string {
  return namesOf(type?.names).at(-1) ?? '';
}

/** ` (about 1,200,000 rows)`, where a server said so. */
export function rowsText({ rows }: Pick<RelationFacts, 'rows'>): string {
  return rows === undefined ? '' : ` (about ${formatCount(Math.round(rows))} rows)`;
}

/** `a, b` as SQL takes it. */
export function columnList(names: readonly string[]): string {
  return names.map(nameInSql).join(', ');
}

/** A statement's text without line breaks, for one line of SQL. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** The definition behind ADD [CONSTRAINT name], as it stands in the statement: `check (x > 0)`. */
export function constraintText(statement: LintedStatement, constraint: NodeOf<'Constraint'>): string {
  const pattern =
    constraint.conname === undefined
      ? /\badd\s+((?:check|foreign|unique|primary|exclude)\b[\s\S]*)$/i
      : new RegExp(`\\badd\\s+constraint\\s+"?${constraint.conname}"?\\s+([\\s\\S]*)$`, 'i');
  const rest = pattern.exec(statement.text)?.[1] ?? '';
  return firstPart(rest)
    .replace(/\s+not\s+valid\s*$/i, '')
    .trim();
}

/** A text up to its first comma outside of parentheses and quotes. */
function firstPart(text: string): string {
  let depth = 0;
  let quote = '';
  for (const [index, character] of Array.from(text).entries()) {
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === "'" || character === '"') quote = character;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) return Array.from(text).slice(0, index).join('');
  }
  return text;
}
