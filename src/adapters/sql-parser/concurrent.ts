import type { Statement } from './statements.js';

type Tree = Readonly<Record<string, unknown>>;

function hasConcurrentDetach(tree: Tree): boolean {
  const commands = (tree['cmds'] ?? []) as readonly {
    readonly AlterTableCmd?: { readonly def?: { readonly PartitionCmd?: Tree } };
  }[];
  return commands.some((command) => command.AlterTableCmd?.def?.PartitionCmd?.['concurrent'] === true);
}

/**
 * Whether a statement is one of those that wait for other transactions by themselves and refuse to run inside one:
 * CREATE, DROP and REINDEX … CONCURRENTLY and DETACH PARTITION … CONCURRENTLY.
 */
export function isConcurrent({ node, tree }: Pick<Statement, 'node' | 'tree'>): boolean {
  switch (node) {
    case 'IndexStmt':
    case 'DropStmt':
      return tree['concurrent'] === true;
    case 'ReindexStmt':
      return JSON.stringify(tree['params'] ?? []).includes('"concurrently"');
    case 'AlterTableStmt':
      return hasConcurrentDetach(tree);
    default:
      return false;
  }
}

/** The index that a CREATE INDEX names; undefined for other statements and unnamed indexes. */
export function createdIndex({ node, tree }: Pick<Statement, 'node' | 'tree'>): string | undefined {
  return node === 'IndexStmt' && typeof tree['idxname'] === 'string' ? tree['idxname'] : undefined;
}
