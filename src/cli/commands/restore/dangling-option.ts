import { AisecError } from '../../../base/errors.js';
import type { DanglingRule } from '../../../features/backup/restore/load-table.js';

const DANGLING_RULES: readonly DanglingRule[] = ['refuse', 'leave-out', 'not-valid'];

/** What becomes of rows that refer to rows which are gone. @throws AisecError USAGE. */
export function danglingOption(text: string): DanglingRule {
  const rule = DANGLING_RULES.find((each) => each === text);
  if (rule !== undefined) return rule;
  throw new AisecError('USAGE', `invalid --dangling "${text}", expected ${DANGLING_RULES.join(', ')}`, {
    hint: 'See: aisec restore --help',
  });
}
