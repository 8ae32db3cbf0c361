import { createHash } from 'node:crypto';

/** NAMEDATALEN - 1: https://www.postgresql.org/docs/17/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
const MOST_BYTES = 63;
const HASH_LENGTH = 8;

/** The beginning of a name that PostgreSQL, which counts bytes, keeps; `spare` bytes stay free for what comes behind. */
export function cutName(name: string, spare = 0): string {
  // A character that is cut in two is left out.
  return new TextDecoder().decode(Buffer.from(name).subarray(0, MOST_BYTES - spare), { stream: true });
}

/**
 * A name that PostgreSQL does not cut off: of a longer one the middle ends with a hash of it, so that two that begin
 * alike stay two.
 */
export function boundedName(name: string, { prefix = '', suffix = '' } = {}): string {
  const whole = `${prefix}${name}${suffix}`;
  if (Buffer.byteLength(whole) <= MOST_BYTES) return whole;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  const end = `_${hash}${suffix}`;
  return `${prefix}${cutName(name, Buffer.byteLength(prefix + end))}${end}`;
}
