import type { Session } from '../../../adapters/postgres/session.js';
import type { MigrationFile } from '../files/migration-file.js';
import { applyLintIgnores } from './apply-ignores.js';
import type { Rule } from './rule.js';
import type { FileContext } from './file-context.js';
import { lintFile } from './lint-file.js';
import { readStatements, type NotAnalysed, type ReadFile } from './read-statements.js';
import { WrittenTables } from './server/written-tables.js';
import { StatementRunner } from './run-statements.js';
import { knownRelations, type KnownRelation } from '../effects/effects.js';
import type { LintFinding } from './lint-finding.js';
import type { Live } from './server/live-facts.js';
import {
  isEmptyDatabase,
  changeFacts,
  changeFindings,
  stateFaults,
  stateFindings,
  type ChangeFacts,
  type StateFaults,
} from './state-findings.js';

export interface FileToRead {
  readonly file: MigrationFile;
  /** False: it is only run, for what the ones after it need. */
  readonly isLinted: boolean;
}

export interface LintOptions {
  readonly schema: string;
  readonly extensionSchema: string;
  /** In the order in which they run. */
  readonly files: readonly FileToRead[];
  /** Whether the files reach a database together: then what one of them makes is new for those after it, too. */
  readonly isOneBatch: boolean;
  readonly rules: readonly Rule[];
  /** All rules there are: an ignore may name one that does not run today. */
  readonly knownRules: ReadonlySet<string>;
  /** The lowest major version that the files may meet. */
  readonly serverMajor: number;
  readonly live: Live | undefined;
  /** Found in another way; ignore comments hold for them, too. */
  readonly further?: readonly LintFinding[];
  readonly now: Date;
  readonly onProgress: (text: string) => void;
}

export interface LintResult {
  readonly files: number;
  /** Statements that the rules looked at, those in DO blocks included. */
  readonly statements: number;
  readonly findings: readonly LintFinding[];
  /** What an ignore comment keeps silent. */
  readonly ignored: readonly LintFinding[];
  readonly notAnalysed: readonly NotAnalysed[];
}

function byPlace(one: LintFinding, other: LintFinding): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line || one.column - other.column || (one.rule < other.rule ? -1 : 1);
}

/**
 * Looks at migrations with every rule. Each file also runs, on a database that only the caller uses and that has
 * the schema which the files meet: so it is known what is new, and PostgreSQL itself says what locks, scans and rewrites.
 *
 * @param session on that database; what the files do stays in it.
 */
export async function lintMigrations(session: Session, options: LintOptions): Promise<LintResult> {
  const runner = new StatementRunner(session, options);
  const stateRules = options.rules.filter((rule) => rule.kind === 'state');
  const changeRules = options.rules.filter((rule) => rule.kind === 'change');
  let before: StateFaults | undefined;
  let factsBefore: ChangeFacts | undefined;
  let known: ReadonlyMap<number, KnownRelation> = await knownRelations(session);
  // The queries of the rules would be a third of the time, and find nothing.
  if (options.files[0]?.isLinted === true && (await isEmptyDatabase(session)))
    [before, factsBefore] = [new Map(), new Map(changeRules.map((rule) => [rule, []]))];
  const read: ReadFile[] = [];
  const findings: LintFinding[] = [...(options.further ?? [])];
  const notAnalysed: NotAnalysed[] = [];
  const made = new Set<string>();
  const written = new WrittenTables();
  for (const [index, { file, isLinted }] of options.files.entries()) {
    options.onProgress(`reading ${file.name} (${index + 1} of ${options.files.length})`);
    if (index > 0 && (!options.isOneBatch || read.length === 0)) {
      known = await knownRelations(session);
      made.clear();
    }
    if (isLinted) before ??= await stateFaults(session, stateRules, options.schema);
    if (isLinted) factsBefore ??= await changeFacts(session, changeRules, options.schema);
    const statements = await readStatements(file);
    const context: FileContext = { session, runner, known, made, written, options };
    const result = await lintFile(statements, isLinted ? options.rules : [], context);
    if (!isLinted) continue;
    read.push(statements);
    findings.push(...result.findings);
    notAnalysed.push(...statements.notAnalysed, ...result.notAnalysed);
  }
  const after = await stateFaults(session, stateRules, options.schema);
  findings.push(...stateFindings(stateRules, before ?? after, after, read));
  if (factsBefore !== undefined)
    findings.push(...changeFindings(factsBefore, await changeFacts(session, changeRules, options.schema), read));
  const outcome = applyLintIgnores(findings, read, options);
  return {
    files: read.length,
    statements: read.flatMap((one) => one.statements).reduce((sum, { nested }) => sum + 1 + nested.length, 0),
    findings: outcome.findings.toSorted(byPlace),
    ignored: outcome.ignored.toSorted(byPlace),
    notAnalysed,
  };
}
