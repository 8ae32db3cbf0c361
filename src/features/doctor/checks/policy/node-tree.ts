/** A node of a stored expression (pg_node_tree), with the nodes below it, in whatever field or list they stand. */
export interface TreeNode {
  readonly tag: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly children: readonly TreeNode[];
}

/** A backslash takes the meaning from the character behind it: src/backend/nodes/read.c of PostgreSQL. */
const TOKEN = /[(){}]|(?:\\.|[^\s(){}\\])+/gs;

function readNode(tokens: readonly string[], start: number): { readonly node: TreeNode; readonly end: number } {
  const fields = new Map<string, string>();
  const children: TreeNode[] = [];
  let field = '';
  let position = start + 2;
  while (position < tokens.length && tokens[position] !== '}') {
    const token = tokens[position] ?? '';
    if (token === '{') {
      const { node, end } = readNode(tokens, position);
      children.push(node);
      position = end;
      continue;
    }
    if (token.startsWith(':')) field = token.slice(1);
    else if (!fields.has(field)) fields.set(field, token);
    position += 1;
  }
  return { node: { tag: tokens[start + 1] ?? '', fields, children }, end: position + 1 };
}

/** Reads the text of a pg_node_tree; undefined for none. */
export function parseNodeTree(text: string): TreeNode | undefined {
  const tokens: readonly string[] = text.match(TOKEN) ?? [];
  const start = tokens.indexOf('{');
  return start < 0 ? undefined : readNode(tokens, start).node;
}

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
