import type { Finding } from '../../base/finding.js';
import type { Paint } from './streams.js';

/** What is wrong, what comes of it, and what mends it: three lines for eyes, one finding below the other. */
export function findingsText(
  findings: readonly { readonly what: string; readonly why: string; readonly mend: string }[],
  paint: Paint,
): string {
  return findings.map(({ what, why, mend }) => `${paint.red(what)}\n  ${why}\n  mend: ${mend}`).join('\n');
}

/** The same for findings of the common shape; whose fix a person has to decide, has none. */
export function findingLines(findings: readonly Finding[], paint: Paint): string {
  return findings
    .map(({ message, impact, fix }) => `${paint.red(message)}\n  ${impact}${fix === null ? '' : `\n  fix: ${fix}`}`)
    .join('\n');
}
