import { didYouMean } from '../../../base/did-you-mean.js';
import { commentLinesAbove, readIgnores, type LintIgnore } from './ignores.js';
import { lintFinding, reportPath, type LintFinding } from './lint-finding.js';
import type { ReadFile } from './read-statements.js';
import { statementRule, type Rule } from './rule.js';

/** Found here, when all other findings are known. */
export const UNUSED_IGNORE = statementRule({
  id: 'unused-ignore',
  severity: 'warning',
  title: 'an aisec-ignore comment that does nothing',
  impact:
    'It names a rule that there is not, has no reason, has expired, or stands where its rule finds nothing: the next reader takes the statement for a known exception.',
  example: {
    bad: '-- aisec-ignore drop: the old table\ncreate table invoices (id bigint primary key);',
    good: 'create table invoices (id bigint primary key);',
  },
  check: () => [],
});

interface Wanted {
  readonly rules: readonly Rule[];
  readonly knownRules: ReadonlySet<string>;
  readonly now: Date;
}

interface Outcome {
  readonly findings: readonly LintFinding[];
  readonly ignored: readonly LintFinding[];
}

/** Why an ignore does nothing, whatever there is to find; undefined for one that works. */
function defectOf({ rule, reason, until }: LintIgnore, { knownRules, now }: Wanted): string | undefined {
  if (!knownRules.has(rule)) {
    const near = didYouMean(rule, [...knownRules]);
    return `there is no rule "${rule}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
  }
  if (reason === '') return `the ignore of ${rule} has no reason, so it ignores nothing`;
  if (until !== undefined && until < now.toISOString().slice(0, 10))
    return `the ignore of ${rule} has expired: it was valid until ${until} (${reason})`;
  return undefined;
}

/** The lines of comments that belong to a finding: those above its statement, and above the DO block around it. */
function linesFor({ file, statements }: ReadFile, { line }: LintFinding): ReadonlySet<number> {
  const lines = new Set(commentLinesAbove(file.content, line));
  for (const { statement } of statements) {
    if (statement.region.line > line || statement.region.endLine < line) continue;
    for (const above of commentLinesAbove(file.content, statement.region.line)) lines.add(above);
  }
  return lines;
}

/** Takes the ignored findings out, and adds one for each ignore that does nothing. */
export function applyLintIgnores(found: readonly LintFinding[], files: readonly ReadFile[], wanted: Wanted): Outcome {
  const findings: LintFinding[] = [];
  const ignored: LintFinding[] = [];
  for (const read of files) {
    const own = found.filter(({ file }) => file === reportPath(read.file.path));
    const ignores = readIgnores(read.file);
    const working = ignores.filter((ignore) => defectOf(ignore, wanted) === undefined);
    const used = new Set<LintIgnore>();
    for (const finding of own) {
      const lines = linesFor(read, finding);
      const by = working.find((ignore) => ignore.rule === finding.rule && (ignore.isForFile || lines.has(ignore.line)));
      if (by !== undefined) used.add(by);
      (by === undefined ? findings : ignored).push(finding);
    }
    findings.push(...ignores.flatMap((ignore) => ignoreFinding(ignore, used, read, wanted)));
  }
  return { findings, ignored };
}

function ignoreFinding(
  ignore: LintIgnore,
  used: ReadonlySet<LintIgnore>,
  { file }: ReadFile,
  wanted: Wanted,
): readonly LintFinding[] {
  if (!wanted.rules.includes(UNUSED_IGNORE)) return [];
  const hasRun = wanted.rules.some(({ id }) => id === ignore.rule);
  const unused =
    hasRun && !used.has(ignore) ? `there is nothing here that ${ignore.rule} finds; delete the comment` : undefined;
  const message = defectOf(ignore, wanted) ?? unused;
  if (message === undefined) return [];
  const text = file.content.split('\n')[ignore.line - 1] ?? '';
  const column = text.length - text.trimStart().length + 1;
  const region = { line: ignore.line, column, endLine: ignore.line, endColumn: Array.from(text.trimEnd()).length + 1 };
  return [lintFinding(UNUSED_IGNORE, { object: ignore.rule, message, fix: null }, { file, region })];
}
