import type { Direction } from '../../../adapters/migration-engine/engine.js';
import { endingHint, blockedBy } from '../../../adapters/postgres/locks/blocker.js';
import { retryForLocks, type LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { Observer } from '../../../adapters/postgres/locks/observer.js';
import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { searchPath } from '../../../adapters/postgres/session-settings.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { migrationFailure, placeOfError, placeOfStatement } from './failure.js';
import { isInTheWay, replaceWithDependants } from './repeatable/replace.js';
import { forgetApplied, historyTables, recordApplied } from '../history/history-sql.js';
import type { MigrationFile, MigrationSection } from '../files/migration-file.js';
import { isRepeatable, labelOf } from '../files/source.js';
import type { Reporting } from '../../../base/reporting.js';

export interface ApplyOptions {
  readonly schema: string;
  readonly extensionSchema: string;
  /** All that there are: a repeatable one may have to bring others along. */
  readonly files?: readonly MigrationFile[];
  /** How long a statement may wait for a table lock; every query that comes after it waits as long. */
  readonly lockTimeoutMs: number;
  /** A later commit is flushed, and this one with it. */
  readonly isFlushedLater?: boolean;
}

/** Those of one run: what it may still wait for locks is shared by its migrations. */
export interface RunOptions extends ApplyOptions {
  readonly lockBudget: LockBudget;
}

/** BEGIN and the two settings stand before a section in the text that is sent. */
const PREFIX_STATEMENTS = 3;

export function sectionOf(file: MigrationFile, direction: Direction): MigrationSection {
  const section = direction === 'up' ? file.up : file.down;
  if (section !== undefined) return section;
  throw new AisecError('MIGRATION_IRREVERSIBLE', `migration ${labelOf(file)} cannot be reverted`, {
    detail: `It says: ${file.irreversibleReason ?? ''}.`,
    hint: 'Write a new migration that undoes what can be undone, or restore a backup.',
  });
}

/** For the transaction only; what a migration sets beyond it is taken back before the next one. */
export function transactionSettings(options: ApplyOptions): string {
  const path = searchPath(options.schema, options.extensionSchema);
  return `set local search_path to ${path}; set local lock_timeout = ${quoteLiteral(`${options.lockTimeoutMs}ms`)};`;
}

/** A migration may take another role, for its own statements only: the history belongs to the role that runs it. */
const OWN_ROLE = 'reset session authorization; reset role;';

/** The statements of one migration in its transaction, the history row included. */
export function transactionStatements(
  file: MigrationFile,
  direction: Direction,
  options: ApplyOptions,
): readonly string[] {
  const record = direction === 'up' ? recordApplied(options.schema, file) : forgetApplied(options.schema, file);
  return [transactionSettings(options), sectionOf(file, direction).sql, `${OWN_ROLE} ${record}`];
}

/**
 * What is sent for one migration in its transaction, BEGIN and COMMIT included. The engine writes its history; a repeatable
 * migration, which has no number that it could order, is not in it.
 */
export async function transactionTexts(
  file: MigrationFile,
  direction: Direction,
  options: ApplyOptions,
): Promise<readonly string[]> {
  const statements = transactionStatements(file, direction, options);
  if (isRepeatable(file)) return ['BEGIN;', ...statements, 'COMMIT;'];
  const { runThroughEngine } = await import('../../../adapters/migration-engine/engine.js');
  const texts: string[] = [];
  const run = {
    name: file.name,
    direction,
    schema: options.schema,
    historyTable: historyTables(file.source).engine,
    statements,
    isTransactional: true,
  };
  await runThroughEngine(run, (sql) => Promise.resolve(void texts.push(sql)));
  return texts;
}

/**
 * Sends what stands before a section together with it, and what comes after it in one go, too: two round trips a
 * migration instead of six.
 */
async function sendInTwo(session: Session, section: MigrationSection, texts: readonly string[]): Promise<void> {
  const position = texts.findIndex((text) => text.startsWith(section.sql));
  const before = texts.slice(0, position).join(' ');
  try {
    await session.query(`${before} ${texts[position] ?? ''}`);
  } catch (error) {
    throw new SectionError(error, before.length + 1);
  }
  await session.query(texts.slice(position + 1).join('\n'));
}

/** A failure of the section itself; the server counts positions and statements from the start of what it was sent. */
class SectionError extends Error {
  constructor(
    override readonly cause: unknown,
    /** How many characters were sent before the section. */
    readonly prefixLength: number,
  ) {
    super('a section failed');
  }
}

async function failureOf(
  { cause, prefixLength }: SectionError,
  session: Session,
  file: MigrationFile,
  direction: Direction,
): Promise<unknown> {
  if (!isAisecError(cause) || cause.code === 'LOCK_TIMEOUT') return cause;
  const section = sectionOf(file, direction);
  const completed = session.completedStatements - PREFIX_STATEMENTS;
  const place = placeOfError(cause, file, section, prefixLength) ?? (await placeOfStatement(completed, file, section));
  return migrationFailure(cause, file, direction, place);
}

/** The same transaction, in which what stands in the way of a repeatable migration is replaced with it. */
async function replaceInTransaction(
  session: Session,
  file: MigrationFile,
  texts: readonly string[],
  options: ApplyOptions,
  failure: unknown,
): Promise<void> {
  const section = sectionOf(file, 'up');
  const position = texts.findIndex((text) => text.startsWith(section.sql));
  try {
    await session.query(texts.slice(0, position).join(' '));
    await replaceWithDependants(session, file, options.files ?? [], failure);
    await session.query(texts.slice(position + 1).join('\n'));
  } catch (error) {
    await rollBack(session);
    if (isAisecError(error, 'MIGRATION_FAILED')) throw error;
    throw migrationFailure(error, file, 'up', isAisecError(error) ? placeOfError(error, file, section) : undefined);
  }
}

async function tryOnce(
  session: Session,
  file: MigrationFile,
  direction: Direction,
  options: ApplyOptions,
): Promise<void> {
  const texts = await transactionTexts(file, direction, options);
  try {
    await sendInTwo(session, sectionOf(file, direction), texts);
  } catch (error) {
    const isReplaced = direction === 'up' && error instanceof SectionError && isInTheWay(file, error.cause);
    const failure =
      error instanceof SectionError
        ? await failureOf(error, session, file, direction)
        : migrationFailure(error, file, direction, undefined);
    await rollBack(session);
    if (!isReplaced) throw failure;
    await replaceInTransaction(session, file, texts, options, failure);
  }
}

function lockFailure(
  error: AisecError,
  file: MigrationFile,
  blockers: readonly string[],
  attempts: number,
): AisecError {
  return new AisecError(
    'LOCK_TIMEOUT',
    `migration ${labelOf(file)} could not acquire its table locks in ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}; no changes were made`,
    {
      detail: blockedBy(blockers),
      hint: endingHint(blockers),
      sqlState: error.sqlState,
      cause: error.cause,
    },
  );
}

/**
 * Runs one migration in one transaction, with its history row. A lock that times out rolls everything back,
 * and it is tried again after a pause: no session ever queues behind it for longer than `lockTimeoutMs`.
 *
 * @throws AisecError MIGRATION_FAILED with the place, LOCK_TIMEOUT naming the blocker, CONNECTION_LOST, INTERRUPTED.
 */
export async function applyInTransaction(
  session: Session,
  file: MigrationFile,
  direction: Direction,
  options: RunOptions,
  reporting: Reporting,
): Promise<void> {
  const { lockTimeoutMs, lockBudget: budget } = options;
  const observer = new Observer(session, lockTimeoutMs, (text) => reporting.onProgress(`${labelOf(file)}: ${text}`));
  let attempts = 1;
  try {
    const run = (): Promise<void> => observer.during(() => tryOnce(session, file, direction, options));
    const onRetry = (_error: AisecError, attempt: number): void =>
      reporting.onProgress(`${labelOf(file)}: no lock after ${lockTimeoutMs} ms, attempt ${attempt}`);
    await retryForLocks({ budget, signal: session.signal, onRetry }, (attempt) => {
      attempts = attempt;
      return run();
    });
  } catch (error) {
    throw isAisecError(error, 'LOCK_TIMEOUT') ? lockFailure(error, file, observer.blockers, attempts) : error;
  } finally {
    await observer.close();
  }
}
