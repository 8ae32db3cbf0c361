import { formatCount, listed } from '../../base/count.js';
import { groupBy } from '../../base/group-by.js';
import { quoteLiteral } from '../../base/identifier.js';
import type { Finding } from './finding.js';

/** More of one check are one finding with a count: two thousand are not read, and a page of them opens slowly. */
const MOST_ALONE = 10;
const EXAMPLES = 3;
/** Statements that a person still reads before pasting them. */
const MOST_LINES = 20;

function commonStart(texts: readonly string[]): string {
  const [first = ''] = texts;
  let length = first.length;
  for (const text of texts) while (!text.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}

function commonEnd(texts: readonly string[]): string {
  const [first = ''] = texts;
  let start = 0;
  for (const text of texts) while (!text.endsWith(first.slice(start))) start += 1;
  return first.slice(start);
}

/**
 * One statement for psql that runs them all, where they differ in one name only. `\gexec` runs each by itself, so that
 * VACUUM and CONCURRENTLY work, and 2,000 names are short.
 */
function asGexec(statements: readonly string[]): string | undefined {
  if (statements.some((text) => text.includes('\n') || !text.endsWith(';') || /^(?:aisec|redis-cli|\\|--)/.test(text)))
    return undefined;
  const start = commonStart(statements);
  const rests = statements.map((text) => text.slice(start.length));
  const end = commonEnd(rests);
  // A name that begins or ends like the others is cut within it; the pieces are put together again all the same.
  const names = rests.map((rest) => rest.slice(0, rest.length - end.length));
  const list = names.map((name) => quoteLiteral(name).trim()).join(', ');
  return `select ${quoteLiteral(start).trim()} || name || ${quoteLiteral(end.replace(/;$/, '')).trim()} from unnest(array[${list}]::text[]) as name \\gexec`;
}

function fixOfAll(findings: readonly Finding[]): string | null {
  const fixes = findings.flatMap(({ fix }) => (fix === null ? [] : [fix]));
  if (fixes.length === 0) return null;
  if (fixes.join('\n').split('\n').length <= MOST_LINES) return fixes.join('\n');
  const some = fixes.slice(0, MOST_ALONE);
  return asGexec(fixes) ?? [...some, `-- ${some.length} of ${fixes.length}; then run aisec doctor again`].join('\n');
}

function groupOf(findings: readonly Finding[]): readonly Finding[] {
  const [first] = findings;
  if (first === undefined || findings.length <= MOST_ALONE) return findings;
  const others = findings.slice(1).map(({ object }) => object);
  return [
    {
      ...first,
      id: `${first.check}:*/${first.severity}`,
      object: `${formatCount(findings.length)} objects`,
      message: `${first.message}; the same for ${listed(others, EXAMPLES)}`,
      fix: fixOfAll(findings),
    },
  ];
}

/** Many findings of one check and severity as one, with a count, the first few and what fixes all of them. */
export function groupFindings(findings: readonly Finding[]): readonly Finding[] {
  const groups = groupBy(findings, ({ check, severity }) => `${check}/${severity}`);
  return [...groups.values()].flatMap(groupOf);
}
