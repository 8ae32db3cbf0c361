import type { ForeignKey } from '../restore/foreign-keys.js';

/** What refers to what: a foreign key, or what the platform keeps by triggers instead of one. */
export type Edge = Omit<ForeignKey, 'statement'>;

/** `schema table`, as tables of contents have it. */
export function tableKey({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return `${schema} ${table}`;
}

/**
 * References of the platform without a foreign key (ADR 0018): archived messages, and the registry of keys, which has a
 * row for every message and leads from a message to its replies and files.
 */
export function platformEdges(schema: string): readonly Edge[] {
  const edge = (table: string, column: string, referred: string): Edge => ({
    name: `${table}.${column}`,
    schema,
    table,
    columns: [column],
    refersTo: { schema, table: referred, columns: ['id'] },
  });
  return [
    edge('messages_archive', 'conversation_id', 'conversations'),
    edge('messages_archive', 'parent_id', 'message_keys'),
    edge('message_keys', 'id', 'messages'),
    edge('message_keys', 'id', 'messages_archive'),
  ];
}

/** The table, and all that refers to it, directly or by way of others. */
export function reachable(start: string, edges: readonly Edge[]): ReadonlySet<string> {
  const found = new Set([start]);
  for (let size = 0; size < found.size;) {
    ({ size } = found);
    for (const edge of edges) if (found.has(tableKey(edge.refersTo))) found.add(tableKey(edge));
  }
  return found;
}
