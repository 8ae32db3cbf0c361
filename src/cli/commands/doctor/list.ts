import { groupBy } from '../../../base/group-by.js';
import type { Check } from '../../../features/doctor/check.js';
import type { Diagnosis } from '../../../features/doctor/run.js';
import type { Renderer } from '../../terminal/output.js';

export interface CheckList {
  readonly checks: readonly Pick<Check, 'id' | 'area' | 'severity' | 'title'>[];
}

/** All checks with what each looks for, and how bad that is as a rule. */
export function renderChecks({ checks }: CheckList, { table }: Renderer): string {
  return table(checks, [
    { title: 'check', value: ({ id }) => id },
    { title: 'area', value: ({ area }) => area },
    { title: 'severity', value: ({ severity }) => severity },
    { title: 'finds', value: ({ title }) => title },
  ]);
}

/** The checks that looked and found nothing, a line an area. An ignored finding is one. */
export function goodLines(checks: readonly Check[], diagnosis: Diagnosis): readonly string[] {
  const { findings, ignored, skipped, notApplicable } = diagnosis;
  const others = new Set([...findings, ...ignored, ...skipped, ...notApplicable].map(({ check }) => check));
  const good = checks.filter(({ id }) => !others.has(id));
  return [...groupBy(good, ({ area }) => area)].map(
    ([area, found]) => `good: ${area}: ${found.map(({ id }) => id).join(', ')}`,
  );
}
