/** What all keys begin with. */
export const KEY_START = 'aisec:cache:';
/** Of how entries are written; changes with the code below and in row-text.ts. */
const FORMAT = '1';

/** Of one shape of the tables and one epoch. */
export function sharedPrefix(stamp: string, epoch: string): string {
  return `${KEY_START}${FORMAT}:${stamp.slice(0, 12)}:${epoch}:`;
}

/** Life of an entry in Redis. */
export const DEFAULT_TTL_MS = 600_000;
/** A token outlives what is stored under it. */
export const TOKEN_TTL_FACTOR = 2;

/** Key of the one row that a user has in a table. */
export const USER_ROW = 'row';
/** Key of all rows of a user; the others are ids. */
export const ALL_ROWS = 'all';

/** What changes together: all settings, or the rows of a table that belong to one user. Its key holds the token. */
export function scopeOf(table: string, userId?: string): string {
  return userId === undefined ? table : `${table}:${userId}`;
}

/** The key of one entry, beside the key of its scope. */
export function entryKey(prefix: string, scope: string, key: string): string {
  return `${prefix}${scope}#${key}`;
}

export interface EntryPlace {
  readonly table: string;
  /** Undefined: every user's. */
  readonly userId: string | undefined;
  readonly key: string;
  readonly tokenKey: string;
  readonly textKey: string;
}

/** The table that a key is of, an entry's or a scope's; undefined: not under this prefix. */
export function tableOfKey(prefix: string, key: string): string | undefined {
  return key.startsWith(prefix) ? /^[a-z_]+/.exec(key.slice(prefix.length))?.[0] : undefined;
}

/** Reads the key of an entry back; undefined for any other key. */
export function entryOfKey(prefix: string, textKey: string): EntryPlace | undefined {
  if (!textKey.startsWith(prefix)) return undefined;
  const [, scope = '', table = '', userId, key = ''] =
    /^(([a-z_]+)(?::([0-9a-f-]{36}))?)#(.*)$/s.exec(textKey.slice(prefix.length)) ?? [];
  return table === '' ? undefined : { table, userId, key, tokenKey: `${prefix}${scope}`, textKey };
}
