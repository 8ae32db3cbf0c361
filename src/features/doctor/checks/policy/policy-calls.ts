import type { TreeNode } from './node-tree.js';

/** A call in a policy that is made for every row. */
export interface PolicyCall {
  readonly functionId: number;
  /** Whether a column of the row is among its arguments; else one call for the statement would do. */
  readonly takesColumn: boolean;
}

function hasColumn({ tag, fields, children }: TreeNode): boolean {
  if (tag === 'VAR') return fields.get('varlevelsup') === '0';
  return tag !== 'QUERY' && children.some(hasColumn);
}

/** The calls outside of sub-selects: what stands in (select ...) is evaluated once. */
export function callsPerRow(node: TreeNode): readonly PolicyCall[] {
  if (node.tag === 'QUERY') return [];
  const below = node.children.flatMap(callsPerRow);
  if (node.tag !== 'FUNCEXPR') return below;
  return [{ functionId: Number(node.fields.get('funcid')), takesColumn: node.children.some(hasColumn) }, ...below];
}
