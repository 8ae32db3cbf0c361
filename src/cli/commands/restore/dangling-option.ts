import { AisecError } from '../../../base/errors.js';
import type { ExistingRule } from '../../../features/backup/restore-rows.js';
import type { DanglingRule } from '../../../features/backup/restore/load-table.js';
import type { RowsDanglingRule } from '../../../features/backup/rows/settle.js';

export const DANGLING_RULES: readonly (DanglingRule | RowsDanglingRule)[] = [
  'refuse',
  'leave-out',
  'not-valid',
  'set-null',
];
export const EXISTING_RULES: readonly ExistingRule[] = ['refuse', 'keep', 'overwrite'];

function oneOf<Rule extends string>(rules: readonly Rule[], text: string): Rule {
  const rule = rules.find((each) => each === text);
  if (rule !== undefined) return rule;
  throw new AisecError('USAGE', `invalid rule "${text}", expected ${rules.join(', ')}`, {
    hint: 'See: aisec restore --help',
  });
}

/** What becomes of rows that refer to rows which are gone. @throws AisecError USAGE. */
export function danglingOption(text: string): DanglingRule | RowsDanglingRule {
  return oneOf(DANGLING_RULES, text);
}

/** What becomes of rows that are there with other values. @throws AisecError USAGE. */
export function existingOption(text: string): ExistingRule {
  return oneOf(EXISTING_RULES, text);
}
