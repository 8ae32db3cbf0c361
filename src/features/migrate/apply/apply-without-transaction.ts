import type { Direction } from '../../../adapters/migration-engine/engine.js';
import { retryForLocks } from '../../../adapters/postgres/locks/lock-budget.js';
import { Observer } from '../../../adapters/postgres/locks/observer.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { createdIndex, isConcurrent } from '../../../adapters/sql-parser/concurrent.js';
import { all, statementOf } from '../../../adapters/sql-parser/nodes.js';
import { parseStatements, type Statement } from '../../../adapters/sql-parser/statements.js';
import { AisecError, endsRun, isAisecError } from '../../../base/errors.js';
import type { RunOptions } from './apply.js';
import { isKeptWithItsJournal } from './kept-with-journal.js';
import { sectionOf } from './section.js';
import { verificationFailure, verificationSql } from './verification.js';
import type { HistoryEntry } from '../history/history.js';
import {
  beginJournal,
  completeJournal,
  forgetApplied,
  historyTables,
  journalDone,
  journalFailed,
  journalStarted,
  resumeJournal,
} from '../history/history-sql.js';
import { statementsAtBuild } from '../files/examined-at-build.js';
import { dropInvalidIndex } from './invalid-indexes.js';
import { parseMigrationFile, placeInSection, type MigrationFile } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import type { Reporting } from '../../../base/reporting.js';

/** "It exists already" and "it does not exist": what a statement says that was done before its journal entry was. */
const EXISTS: readonly unknown[] = ['42P07', '42710', '42701', '42P06', '42723'];
const IS_MISSING: readonly unknown[] = ['42P01', '42704', '42703'];
/** What they name is gone once they are done; any other may name what was never there. */
const REMOVING: readonly string[] = ['DropStmt', 'RenameStmt', 'AlterObjectSchemaStmt'];
const REMOVING_COMMAND = /^AT_(?:Drop|Detach)/;

/** A migration that is to run, with what the history has of it. */
export interface Target {
  readonly file: MigrationFile;
  readonly entry: HistoryEntry | undefined;
}

interface Resume {
  readonly done: number;
  /** A statement that was started and whose end is unknown. */
  readonly unknown: number | undefined;
}

async function statementsOf(file: MigrationFile, direction: Direction): Promise<readonly Statement[]> {
  const known = statementsAtBuild(file, direction);
  if (known !== undefined) return known;
  const parsed = await parseStatements(sectionOf(file, direction).sql);
  if (!('error' in parsed)) return parsed.statements;
  throw new AisecError('MIGRATION_FILE_INVALID', `invalid migration file: ${parsed.error.message}`, {
    position: placeInSection(file, sectionOf(file, direction), parsed.error.offset),
  });
}

/** What is done stays done: its text must not have changed since. @throws AisecError MIGRATION_HISTORY. */
async function resumeFrom(
  { file, entry }: Target,
  direction: Direction,
  statements: readonly Statement[],
): Promise<Resume> {
  const wanted = direction === 'up' ? 'applying' : 'reverting';
  if (entry === undefined || entry.state === 'applied') return { done: 0, unknown: undefined };
  if (entry.state !== wanted) {
    const other = wanted === 'applying' ? 'reverted' : 'applied';
    throw new AisecError('MIGRATION_INCOMPLETE', `migration ${labelOf(file)} is half ${other}`, {
      hint: `Finish that first: aisec migrate ${wanted === 'applying' ? 'down' : 'up'}`,
    });
  }
  const done = entry.statementsDone ?? 0;
  const recorded = parseMigrationFile(file.path, file.name, entry.content ?? '', file.source).file;
  const before = recorded === undefined ? [] : await statementsOf(recorded, direction);
  for (const [index, statement] of before.slice(0, done).entries()) {
    if (statements[index]?.text === statement.text) continue;
    throw new AisecError(
      'MIGRATION_HISTORY',
      `migration ${labelOf(file)} was edited in statement ${index + 1}, which is already done`,
      {
        position: placeInSection(file, sectionOf(file, direction), statements[index]?.offset ?? 0),
        hint: `Put the first ${done} statements back as they were; the others may be changed.`,
      },
    );
  }
  return { done, unknown: (entry.statementsStarted ?? 0) > done ? done : undefined };
}

/** Whether the error says of a statement, whose end is not known, that it was done. */
function saysAlreadyDone(statement: Statement, { sqlState }: AisecError): boolean {
  if (EXISTS.includes(sqlState)) return true;
  const commands = all('AlterTableCmd', statementOf('AlterTableStmt', statement)?.cmds);
  const removes =
    REMOVING.includes(statement.node) || commands.some(({ subtype = '' }) => REMOVING_COMMAND.test(subtype));
  return removes && IS_MISSING.includes(sqlState);
}

/**
 * CREATE INDEX CONCURRENTLY and its kin wait for every older transaction, also unrelated ones, so a lock timeout would
 * only leave an INVALID index behind; they block no other session while they wait. Everything else gets the usual timeout.
 * https://www.postgresql.org/docs/16/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
 */
async function runStatement(
  session: Session,
  statement: Statement,
  isUnknown: boolean,
  options: RunOptions,
  observer: Observer,
  journal: () => Promise<void>,
): Promise<void> {
  const index = createdIndex(statement);
  if (index !== undefined) await dropInvalidIndex(session, options.schema, index);
  const runAlone = async (): Promise<void> => {
    await session.query(statement.text);
  };
  const runWithJournal = (): Promise<void> =>
    withTransaction(session, async () => {
      await runAlone();
      await journal();
    });
  const run = isKeptWithItsJournal(statement) ? runWithJournal : runAlone;
  try {
    await session.query(`set lock_timeout = ${isConcurrent(statement) ? 0 : options.lockTimeoutMs}`);
    await retryForLocks({ budget: options.lockBudget, signal: session.signal }, () => observer.during(run));
  } catch (error) {
    if (isUnknown && isAisecError(error) && saysAlreadyDone(statement, error)) return;
    throw error;
  }
}

function incomplete(
  error: AisecError,
  file: MigrationFile,
  direction: Direction,
  statement: Statement,
  number: number,
  total: number,
  blockers: readonly string[],
): AisecError {
  const command = direction === 'up' ? 'aisec migrate up' : 'aisec migrate down';
  const isInterruption = endsRun(error);
  const code = isInterruption || error.code === 'LOCK_TIMEOUT' ? error.code : 'MIGRATION_INCOMPLETE';
  return new AisecError(
    code,
    `migration ${labelOf(file)} stopped at statement ${number} of ${total}: ${error.message}`,
    {
      position: placeInSection(file, sectionOf(file, direction), statement.offset),
      detail:
        [error.detail, blockers.length === 0 ? undefined : `Blocked by ${blockers.join('; ')}.`]
          .filter((part) => part !== undefined)
          .join(' ') || undefined,
      hint: `${number === 1 ? '' : `Statements 1 to ${number - 1} are done and stay. `}${isInterruption ? 'Run' : `Fix statement ${number} and run`} \`${command}\` to continue from there.`,
      sqlState: error.sqlState,
      cause: error.cause,
    },
  );
}

/** That a statement, of which it is not known whether it was carried out, is sent again. */
function againText(statements: readonly Statement[], unknown: number | undefined): string {
  const statement = unknown === undefined ? undefined : statements[unknown];
  if (statement === undefined || isKeptWithItsJournal(statement)) return '';
  return ', which the last run may have carried out before it was stopped: it runs again';
}

/** The statements stay whatever the checks say; the next run asks them again. @throws AisecError MIGRATION_UNVERIFIED. */
async function verifyDone(session: Session, file: MigrationFile, schema: string, total: number): Promise<void> {
  if (file.verification === undefined) return;
  try {
    await session.query(await verificationSql(file.verification));
  } catch (error) {
    const done = total === 1 ? 'Its statement is done and stays' : `Its ${total} statements are done and stay`;
    const hint = `${done}. Make the check true, or change it, and run \`aisec migrate up\` again.`;
    const failure = verificationFailure(error, file, hint);
    if (failure === undefined) throw error;
    await session.query(journalFailed(schema, file, total + 1, failure.message));
    throw failure;
  }
}

/** What goes round each statement, such as a measurement; it has to run it. */
export type AroundStatement = (statement: Statement, run: () => Promise<void>) => Promise<void>;

/**
 * Runs a `-- aisec: no-transaction` migration statement by statement, with a journal: stopped anywhere, the next run
 * continues with the first statement that is not done.
 *
 * @throws AisecError MIGRATION_INCOMPLETE, MIGRATION_HISTORY when a finished statement was edited, LOCK_TIMEOUT.
 */
export async function applyWithoutTransaction(
  session: Session,
  target: Target,
  direction: Direction,
  options: RunOptions,
  reporting: Reporting,
  around: AroundStatement = (_, run) => run(),
): Promise<void> {
  const { runThroughEngine } = await import('../../../adapters/migration-engine/engine.js');
  const { file } = target;
  const { schema } = options;
  const statements = await statementsOf(file, direction);
  const total = statements.length;
  const { done, unknown } = await resumeFrom(target, direction, statements);
  const state = direction === 'up' ? 'applying' : 'reverting';
  const isResumed = target.entry?.state === state;
  const rest = done === total ? 'with its last step' : `at statement ${done + 1} of ${total}`;
  if (isResumed) reporting.onWarning(`migration ${labelOf(file)}: continuing ${rest}${againText(statements, unknown)}`);
  await session.query(isResumed ? resumeJournal(schema, file, total) : beginJournal(schema, file, state, total));
  const observer = new Observer(session, options.lockTimeoutMs, (text) =>
    reporting.onProgress(`${labelOf(file)}: ${text}`),
  );
  let number = 0;
  try {
    const run = {
      name: file.name,
      direction,
      schema,
      statements: statements.map((statement) => statement.text),
      historyTable: historyTables(file.source).engine,
      isTransactional: false,
    };
    await runThroughEngine(run, async (sql) => {
      number += 1;
      const statement = statements[number - 1];
      if (statement === undefined) {
        if (direction === 'up') await verifyDone(session, file, schema, total);
        // The engine's own row comes last; in one query with the journal's end it is one transaction.
        await session.query(
          `${sql} ${direction === 'up' ? completeJournal(schema, file) : forgetApplied(schema, file)}`,
        );
        return;
      }
      if (number <= done) return;
      reporting.onProgress(`${labelOf(file)}: statement ${number} of ${total}`);
      await session.query(journalStarted(schema, file, number));
      const startedMs = performance.now();
      const journal = async (): Promise<void> => {
        await session.query(journalDone(schema, file, number, performance.now() - startedMs));
      };
      const isKept = isKeptWithItsJournal(statement);
      const isUnknown = unknown === number - 1 && !isKept;
      try {
        await around(statement, () => runStatement(session, statement, isUnknown, options, observer, journal));
      } catch (error) {
        if (!isAisecError(error)) throw error;
        // Otherwise nothing is wrong with the statement, and whether the server has done it is not known.
        if (!endsRun(error)) await session.query(journalFailed(schema, file, number, error.message));
        throw incomplete(error, file, direction, statement, number, total, observer.blockers);
      }
      if (!isKept) await journal();
    });
  } finally {
    await observer.close();
    await session.cleanUp(`set lock_timeout = ${options.lockTimeoutMs}`).catch(() => undefined);
  }
}
