import { createHash } from 'node:crypto';

/** NAMEDATALEN - 1: https://www.postgresql.org/docs/17/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
const MOST_BYTES = 63;
const HASH_LENGTH = 8;

/**
 * A name that PostgreSQL does not cut off: a longer one ends with a hash of the whole, so that two that begin alike stay two.
 */
export function boundedName(name: string): string {
  if (Buffer.byteLength(name) <= MOST_BYTES) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  // A character that is cut in two is left out.
  const start = new TextDecoder().decode(Buffer.from(name).subarray(0, MOST_BYTES - HASH_LENGTH - 1), { stream: true });
  return `${start}_${hash}`;
}
