import type { DeleteAction, Reference } from '../../adapters/catalog/references/reference.js';

/**
 * References of the platform without a foreign key (ADR 0018): archived messages, and the registry of keys, which has a
 * row for every message and leads from a message to its replies and files.
 */
export function platformReferences(schema: string): readonly Reference[] {
  const reference = (
    table: string,
    column: string,
    referred: string,
    onDelete: DeleteAction,
    isNullable = false,
  ): Reference => ({
    name: `${table}.${column}`,
    schema,
    table,
    columns: [column],
    refersTo: { schema, table: referred, columns: ['id'] },
    onDelete,
    isNullable,
    isArray: false,
    onlyIf: null,
  });
  return [
    reference('messages_archive', 'conversation_id', 'conversations', 'cascade'),
    reference('messages_archive', 'parent_id', 'message_keys', 'set null', true),
    reference('message_keys', 'id', 'messages', 'cascade'),
    reference('message_keys', 'id', 'messages_archive', 'cascade'),
  ];
}
