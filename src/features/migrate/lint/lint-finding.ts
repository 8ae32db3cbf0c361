import type { Finding } from '../../../base/finding.js';
import { fixText } from './fix.js';
import type { Fault, LintedStatement, Region, Rule } from './rule.js';

/** A finding with its place; lines and columns count from 1. */
export interface LintFinding extends Finding, Region {
  readonly rule: string;
  /** As the user gave the directory, with forward slashes. */
  readonly file: string;
}

/** Paths in reports have forward slashes on every system. */
export function reportPath(path: string): string {
  return path.replaceAll('\\', '/');
}

export function lintFinding(
  rule: Rule,
  fault: Fault,
  { file, region }: Pick<LintedStatement, 'file' | 'region'>,
): LintFinding {
  return {
    id: `${rule.id}:${fault.object}`,
    severity: fault.severity ?? rule.severity,
    object: fault.object,
    message: fault.message,
    impact: rule.impact,
    fix: fixText(fault.fix),
    rule: rule.id,
    file: reportPath(file.path),
    ...region,
  };
}
