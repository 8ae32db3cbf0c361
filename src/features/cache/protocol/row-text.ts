import { reviveTimes, type CachedRow } from './cached-table.js';

/** What is kept: rows, none when there is none. */
export type Rows = readonly CachedRow[];

/**
 * An entry as it stands in Redis: the token it is good under, whose it is, and the rows. The owner is looked at when it is
 * read back, so that not even a key mixed up by hand shows one user's rows to another.
 */
export function writeEntry(token: string, owner: string, rows: Rows): string {
  return `${token} ${owner} ${JSON.stringify(rows)}`;
}

/** The rows of an entry, or undefined when it is not good under this token, is another user's, or cannot be read. */
export function readEntry(text: string, token: string, owner: string): Rows | undefined {
  const start = `${token} ${owner} `;
  if (!text.startsWith(start)) return undefined;
  let rows: unknown;
  try {
    rows = JSON.parse(text.slice(start.length));
  } catch {
    return undefined;
  }
  if (!Array.isArray(rows)) return undefined;
  for (const row of rows) reviveTimes(row as Record<string, unknown>);
  return rows as Rows;
}

/** Ten percent more or less, so that what was stored together does not expire together. */
export function withJitter(ttlMs: number): number {
  return Math.round(ttlMs * (0.9 + Math.random() * 0.2));
}
