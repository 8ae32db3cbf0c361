import { as, namesOf, type SqlNode } from '../../../adapters/sql-parser/nodes.js';
import { parseStatements } from '../../../adapters/sql-parser/statements.js';

/** Columns that a condition of EXPLAIN compares with a value: an index by them would find the rows. */
export interface FilterColumns {
  readonly equal: readonly string[];
  readonly ranged: readonly string[];
}

const RANGES: readonly string[] = ['<', '<=', '>', '>='];

function columnOf(node: SqlNode | undefined): string | undefined {
  const cast = as('TypeCast', node);
  const reference = as('ColumnRef', cast?.arg ?? node);
  return reference === undefined ? undefined : namesOf(reference.fields).at(-1);
}

function conjunctsOf(node: SqlNode | undefined): readonly SqlNode[] {
  const bool = as('BoolExpr', node);
  if (bool?.boolop === 'AND_EXPR') return (bool.args ?? []).flatMap(conjunctsOf);
  return node === undefined ? [] : [node];
}

/** Of the filter of one scan, as EXPLAIN prints it: `((kind = $1) AND (at > $2))`. What is no comparison is passed over. */
export async function filterColumns(filter: string): Promise<FilterColumns> {
  const parsed = await parseStatements(`select where ${filter}`);
  const [statement] = 'statements' in parsed ? parsed.statements : [];
  const equal: string[] = [];
  const ranged: string[] = [];
  for (const conjunct of conjunctsOf(statement?.tree['whereClause'] as SqlNode | undefined)) {
    const comparison = as('A_Expr', conjunct);
    if (comparison === undefined) continue;
    const [left, right] = [columnOf(comparison.lexpr), columnOf(comparison.rexpr)];
    const column = left ?? right;
    // Two columns of one table are compared row by row.
    if (column === undefined || (left !== undefined && right !== undefined)) continue;
    const [operator = ''] = namesOf(comparison.name);
    if (operator === '=') equal.push(column);
    else if (RANGES.includes(operator)) ranged.push(column);
  }
  return { equal: [...new Set(equal)], ranged: [...new Set(ranged)] };
}
