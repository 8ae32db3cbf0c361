import wrapAnsi from 'wrap-ansi';

import { countText } from '../../../base/count.js';
import type { Severity } from '../../../features/doctor/check.js';
import type { Finding, SkippedCheck } from '../../../features/doctor/finding.js';
import type { Diagnosis } from '../../../features/doctor/run.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';

interface SkippedGroup {
  readonly checks: readonly string[];
  readonly message: string;
  readonly fix: string | null;
}

/** Checks that are skipped for the same reason are printed together. */
function groupSkipped(skipped: readonly SkippedCheck[]): readonly SkippedGroup[] {
  const groups = new Map<string, SkippedGroup>();
  for (const { check, message, fix } of skipped) {
    const key = `${message}\n${fix ?? ''}`;
    groups.set(key, { checks: [...(groups.get(key)?.checks ?? []), check], message, fix });
  }
  return [...groups.values()];
}

/** Under the text that stands beside the severity. */
const INDENT = ' '.repeat(11);
const LEAST_ROOM = 24;

function paintSeverity(severity: Severity, paint: Paint): string {
  const padded = severity.padEnd(INDENT.length - 2);
  if (severity === 'critical') return paint.red(padded);
  return severity === 'warning' ? paint.yellow(padded) : paint.dim(padded);
}

function fixLines(label: string, text: string): readonly string[] {
  const [first = '', ...others] = text.split('\n');
  return [`${INDENT}${label}${first}`, ...others.map((line) => `${INDENT}${' '.repeat(label.length)}${line}`)];
}

/** Indented below each other. A narrow terminal breaks the lines itself: there would be a word a line. */
function wrapped(text: string, width: number): readonly string[] {
  const room = width - INDENT.length;
  const lines = room < LEAST_ROOM || room === Infinity ? [text] : wrapAnsi(text, room, { trim: true }).split('\n');
  return lines.map((line) => `${INDENT}${line}`);
}

function findingLines(
  { id, severity, message, impact, evidence, fix }: Finding,
  { paint, width }: Renderer,
): readonly string[] {
  const [first = '', ...others] = wrapped(`${message}  ${paint.dim(`[${id}]`)}`, width);
  return [
    `  ${paintSeverity(severity, paint)}${first.slice(INDENT.length)}`,
    ...others,
    ...wrapped(impact, width),
    ...(evidence === null ? [] : wrapped(`timed: ${evidence}`, width)),
    ...(fix === null ? [] : fixLines('fix: ', fix)),
  ];
}

function renderForEyes({ findings, skipped }: Diagnosis, renderer: Renderer): string {
  const { paint, width } = renderer;
  const lines: string[] = [];
  let area = '';
  for (const finding of findings) {
    if (finding.area !== area) lines.push(...(area === '' ? [] : ['']), paint.bold(finding.area));
    area = finding.area;
    lines.push(...findingLines(finding, renderer));
  }
  if (skipped.length === 0) return lines.join('\n');
  lines.push(...(lines.length === 0 ? [] : ['']), paint.bold('skipped'));
  for (const { checks, message, fix } of groupSkipped(skipped)) {
    lines.push(`  ${checks.join(', ')}`, ...wrapped(message, width));
    if (fix !== null) lines.push(...fixLines('fix: ', fix));
  }
  return lines.join('\n');
}

/** Findings by area and worst first, then what was skipped; a row each in a pipe. */
export function renderDiagnosis(diagnosis: Diagnosis, renderer: Renderer): string {
  const { table, isTTY } = renderer;
  if (diagnosis.findings.length === 0 && diagnosis.skipped.length === 0) return '';
  if (isTTY) return renderForEyes(diagnosis, renderer);
  const rows = [
    ...diagnosis.findings.map((finding) => ({
      ...finding,
      impact: finding.evidence === null ? finding.impact : `${finding.impact}; timed: ${finding.evidence}`,
    })),
    ...diagnosis.skipped.map((skip) => ({ ...skip, severity: 'skipped', id: skip.check, impact: '' })),
  ];
  return table(rows, [
    { title: 'severity', value: (row) => row.severity },
    { title: 'area', value: (row) => row.area },
    { title: 'id', value: (row) => row.id },
    { title: 'message', value: (row) => row.message },
    { title: 'impact', value: (row) => row.impact },
    { title: 'fix', value: (row) => row.fix ?? '', hasLines: true },
  ]);
}

/** `2 critical, 1 warning, 8 notices`; `no findings`. */
export function countsText({ critical, warning, notice }: Diagnosis['counts']): string {
  const parts = [
    [critical, 'critical', 'critical'],
    [warning, 'warning', 'warnings'],
    [notice, 'notice', 'notices'],
  ] as const;
  const found = parts.filter(([count]) => count > 0);
  return found.length === 0
    ? 'no findings'
    : found.map(([count, one, many]) => `${count} ${count === 1 ? one : many}`).join(', ');
}

/** The closing line. */
export function summary({ database, schema, counts }: Diagnosis): string {
  const where = schema === 'public' ? database : `${database}, schema ${schema}`;
  const others = [
    `${counts.skipped} skipped`,
    `${counts.ignored} ignored`,
    ...(counts.notApplicable > 0 ? [`${counts.notApplicable} not applicable`] : []),
  ];
  return `${where}: ${countText(counts.checks, 'check')}, ${countsText(counts)}; ${others.join(', ')}.`;
}
