import type { Finding } from '../../base/finding.js';
import type { Renderer } from './output.js';
import type { Paint } from './streams.js';

/** What is wrong, what follows from it, and its fix: three lines each, for a person. */
export function findingLines(findings: readonly Finding[], paint: Paint): string {
  return findings
    .map(({ message, impact, fix }) => `${paint.red(message)}\n  ${impact}${fix === null ? '' : `\n  fix: ${fix}`}`)
    .join('\n');
}

/** The findings of a check: nothing when there are none; in a pipe a row each. */
export function renderFindings(
  { findings }: { readonly findings: readonly Finding[] },
  { table, paint, isTTY }: Renderer,
): string {
  if (findings.length === 0) return '';
  if (isTTY) return findingLines(findings, paint);
  return table(findings, [
    { title: 'severity', value: (row) => row.severity },
    { title: 'id', value: (row) => row.id },
    { title: 'object', value: (row) => row.object },
    { title: 'message', value: (row) => row.message },
    { title: 'impact', value: (row) => row.impact },
    { title: 'fix', value: (row) => row.fix ?? '', hasLines: true },
  ]);
}
