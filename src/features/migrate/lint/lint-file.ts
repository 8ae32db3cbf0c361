import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { EffectsObserver, type Effects } from '../effects/effects.js';
import { lintFinding, reportPath, type LintFinding } from './lint-finding.js';
import { withLiveFacts } from './server/live-facts.js';
import type { FileContext } from './file-context.js';
import { findViolations } from './server/probes.js';
import type { NotAnalysed, ReadFile, TopStatement } from './read-statements.js';
import { keyOfRelation, madeRelations, namedRelations } from './relation-names.js';
import {
  isDecidedBySchema,
  type LintedStatement,
  type RelationFacts,
  type Rule,
  type StatementRule,
  type Surroundings,
} from './rule.js';
import type { StatementRunner } from './run-statements.js';

interface FileResult {
  readonly findings: readonly LintFinding[];
  readonly notAnalysed: readonly NotAnalysed[];
}

/** They name relations, and make no session wait. */
const HARMLESS = new Set(['CommentStmt', 'GrantStmt', 'CreateFunctionStmt', 'InsertStmt', 'CreatePolicyStmt']);
/** What they do is seen only when they run. */
const OPAQUE = new Set(['DoStmt', 'SelectStmt', 'CallStmt']);

type Facts = ReadonlyMap<string, RelationFacts>;

/** The relation of this name as it is now. @param name as SQL takes it. */
async function relationFacts(session: Session, name: string): Promise<RelationFacts | undefined> {
  const { rows } = await session.query<Omit<RelationFacts, 'rows'>>(sqlFile('lint/relation'), [name]);
  return rows[0] && { ...rows[0], rows: undefined };
}

async function factsFor(statements: readonly LintedStatement[], context: FileContext): Promise<Facts> {
  const facts = new Map<string, RelationFacts>();
  if (context.known.size === 0) return facts;
  for (const statement of statements) {
    if (HARMLESS.has(statement.node)) continue;
    for (const name of namedRelations(statement)) {
      const key = keyOfRelation(name);
      if (facts.has(key) || context.made.has(key)) continue;
      await context.runner.flush();
      const found = await relationFacts(context.session, key);
      if (found !== undefined && context.known.has(found.oid))
        facts.set(key, withLiveFacts(found, context.options.live?.relations));
    }
  }
  return facts;
}

/** Looks at the statements of one file in order, each with what was there before it, and runs them. */
export async function lintFile(
  { file, statements }: Pick<ReadFile, 'file' | 'statements'>,
  rules: readonly Rule[],
  context: FileContext,
): Promise<FileResult> {
  const { runner, known } = context;
  const statementRules = rules.filter((rule) => rule.kind === 'statement');
  await runner.begin(file);
  const observer = file.isTransactional ? new EffectsObserver(context.session, known) : undefined;
  const all = statements.flatMap(({ statement, nested }) => [statement, ...nested]);
  const effectsBefore: Effects[] = [];
  const looks: (() => readonly LintFinding[])[] = [];
  const uncounted: NotAnalysed[] = [];
  const explained = new Set<LintedStatement>();
  const observe = async (): Promise<Effects | undefined> => {
    await runner.flush();
    return observer?.next();
  };
  for (const top of statements) {
    const { statement, nested } = top;
    const facts = await factsFor([statement, ...nested], context);
    const existing: Surroundings['existing'] = (name) =>
      name === undefined ? undefined : facts.get(keyOfRelation(name));
    const probed = facts.size === 0 ? [] : await findViolations(statement, existing, context);
    for (const found of probed) {
      if ('reason' in found) uncounted.push(notAnalysed(statement, found.reason));
      else explained.add(statement);
    }
    context.written.add([statement, ...nested]);
    const isWatched = known.size > 0 && (facts.size > 0 || OPAQUE.has(statement.node));
    if (isWatched) effectsBefore.push(...[(await observe()) ?? []].flat());
    runner.add(statement);
    const effects = isWatched ? await observe() : undefined;
    for (const name of [statement, ...nested].flatMap(madeRelations)) context.made.add(keyOfRelation(name));
    const surroundings = {
      file,
      statements: all,
      serverMajor: context.options.serverMajor,
      existing,
      server: context.options.live?.server,
      violations: probed.flatMap((found) => ('count' in found ? [found] : [])),
      effects,
      effectsBefore: [...effectsBefore],
    } satisfies Omit<Surroundings, 'failure'>;
    if (effects !== undefined) effectsBefore.push(effects);
    looks.push(() => look(top, statementRules, { ...surroundings, failure: runner.failureOf(statement) }));
  }
  await runner.end();
  return {
    findings: looks.flatMap((run) => run()),
    notAnalysed: [...uncounted, ...notRun(statements, runner, explained)],
  };
}

function look(
  { statement, nested }: TopStatement,
  rules: readonly StatementRule[],
  surroundings: Surroundings,
): readonly LintFinding[] {
  return [statement, ...nested].flatMap((one) =>
    rules.flatMap((rule) => [rule.check(one, surroundings)].flat().map((fault) => lintFinding(rule, fault, one))),
  );
}

function notAnalysed({ file, region: { line, column } }: LintedStatement, reason: string): NotAnalysed {
  return { file: reportPath(file.path), line, column, reason };
}

/** @param explained those of which a finding says why they fail */
function notRun(
  statements: readonly TopStatement[],
  runner: StatementRunner,
  explained: ReadonlySet<LintedStatement>,
): readonly NotAnalysed[] {
  return statements.flatMap(({ statement }) => {
    const failure = runner.failureOf(statement);
    if (failure === undefined || explained.has(statement)) return [];
    if (isDecidedBySchema(statement, failure.sqlState)) return [];
    return [notAnalysed(statement, `it did not run on the replay: ${failure.message}`)];
  });
}
