/** `users`: deleting one takes rows of the others along. */
const TABLE = /\b(?:system_settings|user_preferences|assistants|users)\b/i;
const WRITES = /\b(?:insert|update|delete|merge|truncate|copy|call|do|execute)\b/i;

const listeners = new Set<() => void>();

/**
 * Whether a statement may write a table that is cached. It errs towards yes; what it cannot see is a function that
 * writes.
 */
export function mayWriteCachedTable(sql: string): boolean {
  return listeners.size > 0 && TABLE.test(sql) && WRITES.test(sql);
}

/**
 * Notifies the caches of this process that such a statement was committed, or may have been. Called before the caller
 * hears of it, so that the writer of a row never reads the old one: the server's own message comes a moment later.
 */
export function announceCommittedWrite(): void {
  for (const listener of listeners) listener();
}

/** Returns the function that ends it. */
export function onCommittedWrite(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
