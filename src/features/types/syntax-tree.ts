import { parseStatements } from '../../adapters/sql-parser/statements.js';

/** A node of libpg_query: one key that names its kind, `{ ColumnRef: { fields: … } }`. */
export type Tree = Readonly<Record<string, unknown>>;

export function child(tree: unknown, key: string): Tree | undefined {
  const value = (tree as Tree | undefined)?.[key];
  return typeof value === 'object' && value !== null ? (value as Tree) : undefined;
}

export function children(tree: unknown, key: string): readonly Tree[] {
  const value = (tree as Tree | undefined)?.[key];
  return Array.isArray(value) ? (value as readonly Tree[]) : [];
}

export function textOf(tree: unknown, key: string): string | undefined {
  const value = (tree as Tree | undefined)?.[key];
  return typeof value === 'string' ? value : undefined;
}

/** The names in `a.b`. A star has none. */
export function namesIn(fields: readonly Tree[]): readonly string[] {
  return fields.flatMap((field) => textOf(child(field, 'String'), 'sval') ?? []);
}

/** A constant that is a whole number or a text. */
export function constantIn(tree: unknown): string | undefined {
  const constant = child(tree, 'A_Const');
  const number = child(constant, 'ival');
  // libpg_query leaves out a zero.
  if (number !== undefined) return typeof number['ival'] === 'number' ? String(number['ival']) : '0';
  return textOf(child(constant, 'sval'), 'sval');
}

/** The SELECT in a text; undefined when it is something else. */
export async function selectIn(sql: string): Promise<Tree | undefined> {
  const parsed = await parseStatements(sql);
  const [statement] = 'error' in parsed ? [] : parsed.statements;
  return statement?.node === 'SelectStmt' ? statement.tree : undefined;
}

/** The expression under any casts. */
export function withoutCasts(tree: Tree | undefined): Tree | undefined {
  let node = tree;
  for (let cast = child(node, 'TypeCast'); cast !== undefined; cast = child(node, 'TypeCast'))
    node = child(cast, 'arg');
  return node;
}
