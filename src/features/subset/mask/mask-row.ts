import type { ClassedColumn } from '../read/classify.js';
import { isTakenApart, type TextRow } from '../read/read-rows.js';
import type { MaskedColumn, Masker } from './masker.js';

type Nested = string | null | readonly Nested[];

/** Of a column whose arrays are read as JSON: its texts. */
export function elementsOf(json: string): readonly string[] {
  const flatten = (value: Nested): readonly string[] =>
    value === null ? [] : typeof value === 'string' ? [value] : value.flatMap(flatten);
  return flatten(JSON.parse(json) as Nested);
}

/** As a literal of an array. */
function arrayLiteral(value: Nested): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return `{${value.map(arrayLiteral).join(',')}}`;
}

/** Family names are chosen from another list than given ones. */
const FAMILY = /last|family|sur_?name|sei$/i;

/** The function that makes rows of a table ready to be written: masked, or as they are without a masker. */
export function rowMasker(
  columns: readonly ClassedColumn[],
  masker: Masker | undefined,
): (row: TextRow) => readonly (string | null)[] {
  const ways = columns.map((column): ((value: string) => string | null) => {
    const how: MaskedColumn = {
      piiClass: column.piiClass,
      isKey: column.is_key,
      isFamily: FAMILY.test(column.column),
    };
    const mask = (value: string): string | null => (masker === undefined ? value : masker.mask(how, value));
    if (column.isCut === true) return () => null;
    if (!isTakenApart(column)) return mask;
    const apart = (value: Nested): Nested =>
      value === null ? null : typeof value === 'string' ? mask(value) : value.map(apart);
    return (json) => arrayLiteral(apart(JSON.parse(json) as Nested));
  });
  return (row) => row.map((value, index) => (value === null ? null : (ways[index]?.(value) ?? null)));
}
