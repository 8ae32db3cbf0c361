import { parseStatements } from '../../../adapters/sql-parser/statements.js';

/** How one set of rows compares with another. */
export type Width = 'equal' | 'wider' | 'narrower' | 'unknown';

type Tree = Readonly<Record<string, unknown>>;

/** The expression as the parser reads it, without the places in the text. */
async function treeOf(expression: string): Promise<Tree | undefined> {
  const parsed = await parseStatements(`select (${expression})`);
  if ('error' in parsed) return undefined;
  const targets = parsed.statements[0]?.tree['targetList'] as readonly { readonly ResTarget?: Tree }[] | undefined;
  return targets?.[0]?.ResTarget?.['val'] as Tree | undefined;
}

function textOf(tree: Tree): string {
  return JSON.stringify(tree, (key, value: unknown) => (key === 'location' ? undefined : value));
}

function isBoolean(tree: Tree, value: boolean): boolean {
  const constant = tree['A_Const'] as { readonly boolval?: { readonly boolval?: boolean } } | undefined;
  // libpg_query leaves out a false.
  return constant?.boolval !== undefined && (constant.boolval.boolval ?? false) === value;
}

function parts(tree: Tree, operator: 'AND_EXPR' | 'OR_EXPR'): readonly string[] {
  const expression = tree['BoolExpr'] as { readonly boolop?: string; readonly args?: readonly Tree[] } | undefined;
  return expression?.boolop === operator
    ? (expression.args ?? []).flatMap((argument) => parts(argument, operator))
    : [textOf(tree)];
}

const includesAll = (all: readonly string[], some: readonly string[]): boolean =>
  some.every((one) => all.includes(one));

/** Whether every row of `one` is surely one of `other`: it has more conditions, or fewer alternatives. */
function isWithin(one: Tree, other: Tree): boolean {
  return (
    isBoolean(other, true) ||
    isBoolean(one, false) ||
    includesAll(parts(one, 'AND_EXPR'), parts(other, 'AND_EXPR')) ||
    includesAll(parts(other, 'OR_EXPR'), parts(one, 'OR_EXPR'))
  );
}

/** Which of two conditions holds for more rows, as far as AND, OR and constants show. Null: no condition. */
export async function predicateWidth(one: string | null, other: string | null): Promise<Width> {
  if (one === other) return 'equal';
  const [first, second] = await Promise.all([treeOf(one ?? 'true'), treeOf(other ?? 'true')]);
  if (first === undefined || second === undefined) return 'unknown';
  const [within, contains] = [isWithin(first, second), isWithin(second, first)];
  if (within && contains) return 'equal';
  if (within) return 'narrower';
  return contains ? 'wider' : 'unknown';
}

/** All of several comparisons together. */
export function combined(widths: readonly Width[]): Width {
  const found = new Set(widths.filter((width) => width !== 'equal'));
  if (found.size === 0) return 'equal';
  const [only = 'unknown'] = found;
  return found.size === 1 ? only : 'unknown';
}

export function opposite(width: Width): Width {
  if (width === 'wider') return 'narrower';
  return width === 'narrower' ? 'wider' : width;
}

/** Compares two sets. */
export function setWidth(one: readonly string[], other: readonly string[]): Width {
  const [contains, within] = [includesAll(one, other), includesAll(other, one)];
  if (contains && within) return 'equal';
  if (contains) return 'wider';
  return within ? 'narrower' : 'unknown';
}
