import { child, children, constantIn, namesIn, selectIn, textOf, type Tree } from './syntax-tree.js';

export interface CheckList {
  /** `value` for the value of a domain. */
  readonly column: string;
  readonly choices: readonly string[];
}

/** The expression under casts that keep every value; undefined where one cuts it: `'abc'::varchar(1)`. */
function withoutPlainCasts(tree: Tree | undefined, isPlain: (type: string) => boolean): Tree | undefined {
  let node = tree;
  for (let cast = child(node, 'TypeCast'); cast !== undefined; cast = child(node, 'TypeCast')) {
    const name = child(cast, 'typeName');
    if (children(name, 'typmods').length > 0 || !isPlain(namesIn(children(name, 'names')).at(-1) ?? ''))
      return undefined;
    node = child(cast, 'arg');
  }
  return node;
}

/** Of the tested column only `::text` keeps apart what is different. */
function columnOf(tree: Tree | undefined): string | undefined {
  const plain = withoutPlainCasts(tree, (type) => type === 'text');
  const names = namesIn(children(child(plain, 'ColumnRef'), 'fields'));
  return names.length === 1 ? names[0] : undefined;
}

function constantOf(tree: Tree | undefined): string | undefined {
  return constantIn(withoutPlainCasts(tree, () => true));
}

function listOf(column: string | undefined, elements: readonly (Tree | undefined)[]): CheckList | undefined {
  const choices = elements.map(constantOf);
  if (column === undefined || choices.length === 0) return undefined;
  return choices.every((choice) => choice !== undefined) ? { column, choices } : undefined;
}

/** `column is null`: that a CHECK is not false, as it is for null without these words. */
function testsForNull(tree: Tree): boolean {
  return textOf(child(tree, 'NullTest'), 'nulltesttype') === 'IS_NULL';
}

function listIn(tree: Tree | undefined): CheckList | undefined {
  const either = child(tree, 'BoolExpr');
  if (textOf(either, 'boolop') === 'OR_EXPR') {
    const lists = children(either, 'args')
      .filter((part) => !testsForNull(part))
      .map(listIn);
    const [first] = lists;
    if (first === undefined || lists.some((list) => list?.column !== first.column)) return undefined;
    return { column: first.column, choices: [...new Set(lists.flatMap((list) => list?.choices ?? []))] };
  }
  const test = child(tree, 'A_Expr');
  if (namesIn(children(test, 'name')).join() !== '=') return undefined;
  const column = columnOf(child(test, 'lexpr'));
  const right = child(test, 'rexpr');
  if (textOf(test, 'kind') === 'AEXPR_OP') return listOf(column, [right]);
  if (textOf(test, 'kind') !== 'AEXPR_OP_ANY') return undefined;
  const array = child(
    withoutPlainCasts(right, () => true),
    'A_ArrayExpr',
  );
  return listOf(column, children(array, 'elements'));
}

/**
 * `CHECK (role::text = ANY (ARRAY['user'::…, …]))`, the normal form of `role in (…)`, also with `or role is null`; undefined
 * for any other check, and for NO INHERIT: the rows of a table include those of its children.
 */
export async function checkListOf(definition: string): Promise<CheckList | undefined> {
  const condition = /^CHECK (\(.*\))$/s.exec(definition)?.[1];
  if (condition === undefined) return undefined;
  const target = children(await selectIn(`select ${condition}`), 'targetList')[0];
  return listIn(child(child(target, 'ResTarget'), 'val'));
}
