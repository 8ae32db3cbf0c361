import type { Severity } from '../../../../base/finding.js';
import type { LintFinding } from '../../../../features/migrate/lint/lint-finding.js';
import type { LintResult } from '../../../../features/migrate/lint/lint.js';
import type { Renderer } from '../../../terminal/output.js';
import type { Paint } from '../../../terminal/streams.js';

const INDENT = '    ';
const WIDTH = 80;

function paintSeverity(severity: Severity, paint: Paint): string {
  if (severity === 'critical') return paint.red(severity);
  return severity === 'warning' ? paint.yellow(severity) : paint.dim(severity);
}

/** Words in lines that fit a terminal. */
function wrapped(text: string): readonly string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && INDENT.length + line.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

function findingLines(finding: LintFinding, paint: Paint): string {
  const { file, line, column, severity, rule, message, impact, fix } = finding;
  const lines = [...wrapped(`${message}.`), ...wrapped(impact)];
  if (fix !== null) lines.push('fix:', ...fix.split('\n').map((text) => `  ${text}`));
  const head = `${file}:${line}:${column}: ${paintSeverity(severity, paint)} ${paint.bold(rule)}`;
  return [head, ...lines.map((text) => `${INDENT}${text}`)].join('\n');
}

/** For eyes: what, why and the fix, below the place. In a pipe: a row each. */
export function renderLint(result: LintResult, { table, paint, isTTY }: Renderer): string {
  if (result.findings.length === 0) return '';
  if (isTTY) return result.findings.map((finding) => findingLines(finding, paint)).join('\n\n');
  return table(result.findings, [
    { title: 'place', value: ({ file, line, column }) => `${file}:${line}:${column}` },
    { title: 'severity', value: (finding) => finding.severity },
    { title: 'rule', value: (finding) => finding.rule },
    { title: 'message', value: (finding) => finding.message },
    { title: 'impact', value: (finding) => finding.impact },
    { title: 'fix', value: (finding) => finding.fix ?? '', hasLines: true },
  ]);
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The closing lines: what was found, and how much was looked at. */
export function summary({ files, statements, findings, ignored, notAnalysed }: LintResult): readonly string[] {
  const of = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  const found = [
    ...(of('critical') > 0 ? [`${of('critical')} critical`] : []),
    ...(of('warning') > 0 ? [counted(of('warning'), 'warning')] : []),
    ...(of('notice') > 0 ? [counted(of('notice'), 'notice')] : []),
  ];
  const all = statements + notAnalysed.length;
  const share = all === 0 ? 100 : Math.floor((100 * statements) / all);
  return [
    ...notAnalysed.map(({ file, line, column, reason }) => `not analysed: ${file}:${line}:${column}: ${reason}`),
    `${counted(files, 'file')}, ${counted(statements, 'statement')} analysed, ${notAnalysed.length} not (${share}%): ` +
      `${found.length === 0 ? 'no findings' : found.join(', ')}; ${ignored.length} ignored.`,
  ];
}
