import type { Severity } from '../../../../base/finding.js';
import type { LintFinding } from '../lint-finding.js';

const COMMAND: Readonly<Record<Severity, string>> = { critical: 'error', warning: 'warning', notice: 'notice' };

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function annotation({
  severity,
  rule,
  file,
  line,
  column,
  endLine,
  endColumn,
  message,
  impact,
  fix,
}: LintFinding): string {
  // GitHub takes columns only where the place ends in the line that it begins in.
  const columns = line === endLine ? `,col=${column},endColumn=${endColumn}` : '';
  const place = `file=${property(file)},line=${line},endLine=${endLine}${columns}`;
  const text = [message, impact, ...(fix === null ? [] : [`Fix:\n${fix}`])].join('\n');
  return `::${COMMAND[severity]} ${place},title=${property(rule)}::${data(text)}`;
}

/** Workflow commands, a line each, which GitHub Actions shows beside the lines of a pull request. */
export function githubAnnotations(findings: readonly LintFinding[]): string {
  return findings.map(annotation).join('\n');
}
