import type { Node } from 'libpg-query';

import type { Statement } from './statements.js';

type NamesOf<Kind> = Kind extends unknown ? keyof Kind : never;

/** A node of PostgreSQL's parse tree, with its kind as its only key: `{ RangeVar: { relname: 'users' } }`. */
export type SqlNode = Node;

export type NodeName = NamesOf<Node>;

/** What stands in a node of this kind. */
export type NodeOf<Name extends NodeName> = Extract<Node, Readonly<Record<Name, unknown>>>[Name];

/** The content of a node when it is of this kind. */
export function as<Name extends NodeName>(name: Name, node: SqlNode | undefined): NodeOf<Name> | undefined {
  return node !== undefined && name in node
    ? (node as unknown as Readonly<Record<Name, NodeOf<Name>>>)[name]
    : undefined;
}

/** Those of a list that are of this kind. */
export function all<Name extends NodeName>(name: Name, nodes: readonly SqlNode[] | undefined): readonly NodeOf<Name>[] {
  return (nodes ?? []).flatMap((node) => as(name, node) ?? []);
}

/** The tree of a statement when it is of this kind. */
export function statementOf<Name extends NodeName>(
  name: Name,
  statement: Pick<Statement, 'node' | 'tree'>,
): NodeOf<Name> | undefined {
  return statement.node === name ? (statement.tree as unknown as NodeOf<Name>) : undefined;
}

/** The texts of a list of names: `pg_catalog`, `int4`. */
export function namesOf(nodes: readonly SqlNode[] | undefined): readonly string[] {
  return all('String', nodes).map(({ sval }) => sval ?? '');
}

/** Calls `visit` with every node below a value, the outer before the inner ones. */
export function walk(value: unknown, visit: (name: string, tree: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (typeof child !== 'object' || child === null) continue;
    if (/^[A-Z]/.test(key) && !Array.isArray(child)) visit(key, child as Readonly<Record<string, unknown>>);
    walk(child, visit);
  }
}

/** Every node of this kind below a value. */
export function below<Name extends NodeName>(name: Name, value: unknown): readonly NodeOf<Name>[] {
  const found: NodeOf<Name>[] = [];
  walk(value, (kind, tree) => {
    if (kind === name) found.push(tree as unknown as NodeOf<Name>);
  });
  return found;
}

/** Whether a node of one of these kinds stands below the value. */
export function contains(value: unknown, ...names: readonly NodeName[]): boolean {
  return names.some((name) => below(name, value).length > 0);
}

/** The table, view or sequence that a statement creates and that must not be there yet. */
export function createdRelation(statement: Pick<Statement, 'node' | 'tree'>): NodeOf<'RangeVar'> | undefined {
  const { tree } = statement;
  if (tree['if_not_exists'] === true || tree['replace'] === true) return undefined;
  return (
    statementOf('CreateStmt', statement)?.relation ??
    statementOf('ViewStmt', statement)?.view ??
    statementOf('CreateSeqStmt', statement)?.sequence ??
    statementOf('CreateTableAsStmt', statement)?.into?.rel
  );
}
