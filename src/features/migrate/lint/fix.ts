import type { FixStep } from './rule.js';

/** Stands between the files of a fix. */
export const NEXT_FILE = '-- In the next migration:';
const OUTSIDE = '-- aisec: no-transaction';

/** A fix as text; null stays null. */
export function fixText(steps: readonly FixStep[] | null): string | null {
  if (steps === null) return null;
  return steps
    .map(({ sql, isOutsideTransaction }) => (isOutsideTransaction === true ? `${OUTSIDE}\n${sql}` : sql))
    .join(`\n${NEXT_FILE}\n`);
}

/** One migration in a transaction. */
export function inPlace(sql: string): readonly FixStep[] {
  return [{ sql }];
}

/** The statement as it is, for when a person has decided that it may stay. */
export function ignoring(rule: string, reason: string, text: string): readonly FixStep[] {
  return [{ sql: `-- aisec-ignore ${rule}: ${reason}\n${text};` }];
}
