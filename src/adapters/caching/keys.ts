/** What all keys begin with. */
export const KEY_START = 'aisec:cache:';
/** Of how entries are written; changes with the code below and in row-text.ts. */
const FORMAT = '1';

/** Of one shape of the tables and one epoch. */
export function sharedPrefix(stamp: string, epoch: string): string {
  return `${KEY_START}${FORMAT}:${stamp.slice(0, 12)}:${epoch}:`;
}

/** What changes together: all settings, or the rows of a table that belong to one user. Its key holds the token. */
export function scopeOf(table: string, userId?: string): string {
  return userId === undefined ? table : `${table}:${userId}`;
}

/** The key of one entry, beside the key of its scope. */
export function entryKey(prefix: string, scope: string, key: string): string {
  return `${prefix}${scope}#${key}`;
}
