import type { ValueType } from './relation.js';

/** PostgreSQL fills a char(n) with blanks. */
function isWhole(choice: string, type: ValueType): boolean {
  return type.base !== 'bpchar' || Array.from(choice).length === type.length;
}

/**
 * The values that a CHECK list leaves, as the driver gives them; undefined where the list does not say which texts these are:
 * for citext 'a' is equal to 'A', and a numeric 1 may be read as 1.00.
 */
export function choicesOf(type: ValueType, listed: readonly string[]): readonly (string | number)[] | undefined {
  if (type.dimensions > 0) return undefined;
  if (type.kind === 'enum') return listed.filter((choice) => type.labels.includes(choice));
  if (type.origin !== 'pg_catalog') return undefined;
  if (['int2', 'int4'].includes(type.base)) {
    const numbers = listed.map(Number);
    return numbers.every((number) => Number.isSafeInteger(number)) ? numbers : undefined;
  }
  if (!['text', 'varchar', 'bpchar', 'name'].includes(type.base) || !type.isExact) return undefined;
  return listed.every((choice) => isWhole(choice, type)) ? listed : undefined;
}
