import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { groupBy } from '../../../base/group-by.js';
import { inPlace } from './fix.js';
import { lintFinding, type LintFinding } from './lint-finding.js';
import type { ReadFile } from './read-statements.js';
import { isBundled } from '../files/source.js';
import type { ChangeRule, LintedStatement, StateFact, StateFault, StateRule } from './rule.js';

/** The faults of each rule that looks at the catalog as it is now. */
export type StateFaults = ReadonlyMap<StateRule, readonly StateFault[]>;

/** Whether nothing was made in the database yet, so that no rule finds anything in its catalog. */
export async function isEmptyDatabase(session: Session): Promise<boolean> {
  const { rows } = await session.query<{ is_empty: boolean }>(sqlFile('lint/is-empty'));
  return rows[0]?.is_empty === true;
}

export async function stateFaults(session: Session, rules: readonly StateRule[], schema: string): Promise<StateFaults> {
  const faults = new Map<StateRule, readonly StateFault[]>();
  for (const rule of rules) {
    const { rows } = await session.query<StateFault>(sqlFile(`lint/state/${rule.query}`), [schema]);
    faults.set(
      rule,
      rows.filter(({ object }) => rule.onPurpose?.includes(object) !== true),
    );
  }
  return faults;
}

function mentions(statement: LintedStatement, name: string): boolean {
  const quoted = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`(?<![\\w$])${quoted}(?![\\w$])`, 'i').test(statement.text);
}

/** The statement that a fault of the end is shown at: the last that names the object, else the first that names its table. */
function placeOf(
  { name, table_name: table }: StateFault,
  statements: readonly LintedStatement[],
): LintedStatement | undefined {
  const isComment = ({ node }: LintedStatement): boolean => node === 'CommentStmt';
  const candidates = statements.filter((statement) => !isComment(statement));
  return (
    candidates.findLast((statement) => name !== table && mentions(statement, name)) ??
    candidates.find((statement) => mentions(statement, table)) ??
    statements.at(-1)
  );
}

/** Several of one table at one statement are one finding. */
function merged(rule: StateRule, faults: readonly StateFault[]): StateFault {
  const [first] = faults;
  if (first === undefined) throw new Error(`no fault of ${rule.id}`);
  if (faults.length === 1) return first;
  const fixes = faults.flatMap(({ fix }) => fix ?? []);
  return {
    ...first,
    message: `${first.message}, nor have ${faults.length - 1} more of ${first.table_name}`,
    fix: fixes.length < faults.length ? null : fixes.join('\n'),
  };
}

/** What is wrong after the files and was not before them. */
export function stateFindings(
  rules: readonly StateRule[],
  before: StateFaults,
  after: StateFaults,
  files: readonly ReadFile[],
): readonly LintFinding[] {
  const statements = files.flatMap((file) => file.statements.map(({ statement }) => statement));
  return rules.flatMap((rule) => {
    const old = new Set((before.get(rule) ?? []).map(({ object, message }) => `${object}\n${message}`));
    const fresh = (after.get(rule) ?? []).filter(({ object, message }) => !old.has(`${object}\n${message}`));
    const groups = groupBy(fresh, ({ table_name: table, object }) => (rule.isOnePerTable === true ? table : object));
    return [...groups.values()].flatMap((faults) => {
      const { object, message, fix, ...names } = merged(rule, faults);
      const place = placeOf({ object, message, fix, ...names }, statements);
      if (place === undefined || (rule.isForOwn === true && isBundled(place.file))) return [];
      return [lintFinding(rule, { object, message, fix: fix === null ? null : inPlace(fix) }, place)];
    });
  });
}

/** What each rule that compares knows of the catalog. */
export type ChangeFacts = ReadonlyMap<ChangeRule, readonly StateFact[]>;

export async function changeFacts(
  session: Session,
  rules: readonly ChangeRule[],
  schema: string,
): Promise<ChangeFacts> {
  const facts = new Map<ChangeRule, readonly StateFact[]>();
  for (const rule of rules) {
    const { rows } = await session.query<StateFact>(sqlFile(`lint/state/${rule.query}`), [schema]);
    facts.set(rule, rows);
  }
  return facts;
}

/** What the files changed. */
export function changeFindings(
  before: ChangeFacts,
  after: ChangeFacts,
  files: readonly ReadFile[],
): readonly LintFinding[] {
  const statements = files.flatMap((file) => file.statements.map(({ statement }) => statement));
  return [...before].flatMap(([rule, facts]) =>
    rule.compare(facts, after.get(rule) ?? []).flatMap((fault) => {
      const place = placeOf(fault, statements);
      if (place === undefined) return [];
      const { object, message, fix } = fault;
      return [lintFinding(rule, { object, message, fix: fix === null ? null : inPlace(fix) }, place)];
    }),
  );
}
