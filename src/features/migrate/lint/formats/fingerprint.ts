import { createHash } from 'node:crypto';

import type { LintFinding } from '../lint-finding.js';

/**
 * A name for each finding that stays when lines move: of its rule, file, object, and the how-many-th of these it is.
 * In the order of the findings.
 */
export function fingerprints(findings: readonly LintFinding[]): readonly string[] {
  const seen = new Map<string, number>();
  return findings.map(({ rule, file, object }) => {
    const key = JSON.stringify([rule, file, object]);
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return createHash('sha256').update(`${key} ${count}`).digest('hex');
  });
}
