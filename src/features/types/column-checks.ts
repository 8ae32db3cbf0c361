import type { ColumnChecks } from './relation.js';
import { child, children, constantIn, namesIn, selectIn, textOf, withoutCasts, type Tree } from './syntax-tree.js';

export interface CheckedColumn {
  readonly column: string;
  readonly checks: ColumnChecks;
}

function constantOf(tree: Tree | undefined): string | undefined {
  const plain = withoutCasts(tree);
  return constantIn(plain) ?? textOf(child(child(plain, 'A_Const'), 'fval'), 'fval');
}

/** The column of `name` or `name::type`. */
function columnOf(tree: Tree | undefined): string | undefined {
  const names = namesIn(children(child(withoutCasts(tree), 'ColumnRef'), 'fields'));
  return names.length === 1 ? names[0] : undefined;
}

/**
 * What a CHECK on one column asks for, of the kinds that a validator knows: `name ~ '\S'`, `size >= 0`. Undefined for
 * any other: the database alone checks that one.
 */
export async function columnChecksOf(definition: string): Promise<CheckedColumn | undefined> {
  const condition = /^CHECK (\(.*\))( NO INHERIT)?$/s.exec(definition)?.[1];
  if (condition === undefined) return undefined;
  const target = children(await selectIn(`select ${condition}`), 'targetList')[0];
  const test = child(child(child(target, 'ResTarget'), 'val'), 'A_Expr');
  if (textOf(test, 'kind') !== 'AEXPR_OP') return undefined;
  const column = columnOf(child(test, 'lexpr'));
  const value = constantOf(child(test, 'rexpr'));
  if (column === undefined || value === undefined) return undefined;
  const operator = namesIn(children(test, 'name')).join();
  if (operator === '~' && value === '\\S') return { column, checks: { isNotBlank: true } };
  if (operator === '>=' && Number.isFinite(Number(value))) return { column, checks: { atLeast: Number(value) } };
  return undefined;
}
