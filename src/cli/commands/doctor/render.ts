import type { Severity } from '../../../features/doctor/check.js';
import type { Finding, SkippedCheck } from '../../../features/doctor/finding.js';
import type { Diagnosis } from '../../../features/doctor/run.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';

interface SkippedGroup {
  readonly checks: readonly string[];
  readonly reason: string;
  readonly grant: string | null;
}

/** Checks that are skipped for the same reason are told together. */
function groupSkipped(skipped: readonly SkippedCheck[]): readonly SkippedGroup[] {
  const groups = new Map<string, SkippedGroup>();
  for (const { check, reason, grant } of skipped) {
    const key = `${reason}\n${grant ?? ''}`;
    groups.set(key, { checks: [...(groups.get(key)?.checks ?? []), check], reason, grant });
  }
  return [...groups.values()];
}

/** Under the text that stands beside the severity. */
const INDENT = ' '.repeat(11);

function paintSeverity(severity: Severity, paint: Paint): string {
  const padded = severity.padEnd(INDENT.length - 2);
  if (severity === 'critical') return paint.red(padded);
  return severity === 'warning' ? paint.yellow(padded) : paint.dim(padded);
}

function mendLines(label: string, text: string): readonly string[] {
  const [first = '', ...others] = text.split('\n');
  return [`${INDENT}${label}${first}`, ...others.map((line) => `${INDENT}${' '.repeat(label.length)}${line}`)];
}

function findingLines({ id, severity, what, why, evidence, mend }: Finding, paint: Paint): readonly string[] {
  return [
    `  ${paintSeverity(severity, paint)}${what}  ${paint.dim(`[${id}]`)}`,
    `${INDENT}${why}`,
    ...(evidence === null ? [] : [`${INDENT}timed: ${evidence}`]),
    ...mendLines('mend: ', mend),
  ];
}

function renderForEyes({ findings, skipped }: Diagnosis, paint: Paint): string {
  const lines: string[] = [];
  let area = '';
  for (const finding of findings) {
    if (finding.area !== area) lines.push(...(area === '' ? [] : ['']), paint.bold(finding.area));
    area = finding.area;
    lines.push(...findingLines(finding, paint));
  }
  if (skipped.length === 0) return lines.join('\n');
  lines.push(...(lines.length === 0 ? [] : ['']), paint.bold('skipped'));
  for (const { checks, reason, grant } of groupSkipped(skipped)) {
    lines.push(`  ${checks.join(', ')}`, `${INDENT}${reason}`);
    if (grant !== null) lines.push(...mendLines('allow: ', grant));
  }
  return lines.join('\n');
}

/** Findings by area and worst first, then what was skipped; a row each in a pipe. */
export function renderDiagnosis(diagnosis: Diagnosis, { table, paint, isTTY }: Renderer): string {
  if (diagnosis.findings.length === 0 && diagnosis.skipped.length === 0) return '';
  if (isTTY) return renderForEyes(diagnosis, paint);
  const rows = [
    ...diagnosis.findings.map((finding) => ({
      ...finding,
      why: finding.evidence === null ? finding.why : `${finding.why}; timed: ${finding.evidence}`,
    })),
    ...diagnosis.skipped.map(({ check, area, reason, grant }) => ({
      severity: 'skipped',
      area,
      id: check,
      what: reason,
      why: '',
      mend: grant ?? '',
    })),
  ];
  return table(rows, [
    { title: 'severity', value: (row) => row.severity },
    { title: 'area', value: (row) => row.area },
    { title: 'id', value: (row) => row.id },
    { title: 'what', value: (row) => row.what },
    { title: 'why', value: (row) => row.why },
    { title: 'mend', value: (row) => row.mend },
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
    ...(counts.notApplicable > 0 ? [`${counts.notApplicable} not for this server`] : []),
  ];
  return `${where}: ${counts.checks} ${counts.checks === 1 ? 'check' : 'checks'}, ${countsText(counts)}; ${others.join(', ')}.`;
}
