import type { Severity } from '../../../../base/finding.js';
import type { LintFinding } from '../lint-finding.js';
import { fingerprints } from './fingerprint.js';

const SEVERITY: Readonly<Record<Severity, string>> = { critical: 'critical', warning: 'major', notice: 'info' };

/** GitLab's Code Quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format. */
export function gitlabReport(findings: readonly LintFinding[]): string {
  const names = fingerprints(findings);
  const report = findings.map(({ rule, severity, file, line, endLine, message, impact }, index) => ({
    description: `${message}. ${impact}`,
    check_name: rule,
    fingerprint: names[index] ?? '',
    severity: SEVERITY[severity],
    location: { path: file, lines: { begin: line, end: endLine } },
  }));
  return JSON.stringify(report, null, 2);
}
