import type { Paint } from './streams.js';

/** What is wrong, what comes of it, and what mends it: three lines for eyes, one finding below the other. */
export function findingsText(
  findings: readonly { readonly what: string; readonly why: string; readonly mend: string }[],
  paint: Paint,
): string {
  return findings.map(({ what, why, mend }) => `${paint.red(what)}\n  ${why}\n  mend: ${mend}`).join('\n');
}
