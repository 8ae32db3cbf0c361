import { child, children, namesIn, selectIn, textOf, withoutCasts } from './syntax-tree.js';

export interface CheckList {
  readonly column: string;
  readonly choices: readonly string[];
}

/** `CHECK (role::text = ANY (ARRAY['user'::…, …]))`, the normal form of `role in (…)`; undefined for any other check. */
export async function checkListOf(definition: string): Promise<CheckList | undefined> {
  const condition = /^CHECK (\(.*\))( NO INHERIT)?$/s.exec(definition)?.[1];
  if (condition === undefined) return undefined;
  const target = children(await selectIn(`select ${condition}`), 'targetList')[0];
  const test = child(child(child(target, 'ResTarget'), 'val'), 'A_Expr');
  if (textOf(test, 'kind') !== 'AEXPR_OP_ANY' || namesIn(children(test, 'name')).join() !== '=') return undefined;
  const column = namesIn(children(child(withoutCasts(child(test, 'lexpr')), 'ColumnRef'), 'fields'));
  const elements = children(child(withoutCasts(child(test, 'rexpr')), 'A_ArrayExpr'), 'elements');
  const choices = elements.map((element) => textOf(child(child(withoutCasts(element), 'A_Const'), 'sval'), 'sval'));
  const [name] = column;
  if (name === undefined || column.length > 1 || choices.length === 0) return undefined;
  return choices.every((choice) => choice !== undefined) ? { column: name, choices } : undefined;
}
