import { countText } from '../../../base/count.js';
import type { DriftFinding } from '../../../features/migrate/drift/findings.js';
import type { Renderer } from '../../terminal/output.js';

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

/** Differences of a database from its migrations: three lines and the SQL for eyes, a table for a pipe. */
export function renderDrift(findings: readonly DriftFinding[], { table, paint, isTTY }: Renderer): string {
  if (findings.length === 0) return '';
  if (!isTTY)
    return table(findings, [
      { title: 'finding', value: (row) => row.id },
      { title: 'severity', value: (row) => row.severity },
      { title: 'wider', value: (row) => row.wider ?? '' },
      { title: 'message', value: (row) => row.message },
      { title: 'impact', value: (row) => row.impact },
      { title: 'fix', value: ({ fix }) => fix ?? '', hasLines: true },
    ]);
  return findings
    .map(({ severity, message, impact, fix }) => {
      const title = severity === 'notice' ? paint.dim(message) : paint.red(message);
      return `${title}\n  ${impact}${fix === null ? '' : `\n  fix:\n${indented(fix)}`}`;
    })
    .join('\n');
}

/** `2 differences, 1 object beside the migrations`. */
export function countDrift(findings: readonly DriftFinding[]): string {
  const beside = findings.filter(({ severity }) => severity === 'notice').length;
  const found = findings.length - beside;
  const differences = found === 0 ? 'no differences' : countText(found, 'difference');
  return `${differences}${beside === 0 ? '' : `, ${countText(beside, 'object')} beside the migrations`}`;
}

/** One script of all fixes, in the order they have to run in. */
export function fixScript(findings: readonly DriftFinding[]): string {
  return findings
    .map(({ message, impact, fix }) => {
      const comment = `-- ${message.replaceAll('\n', ' ')}`;
      return fix === null ? `${comment}\n-- no statement: ${impact.replaceAll('\n', ' ')}\n` : `${comment}\n${fix}\n`;
    })
    .join('\n');
}
