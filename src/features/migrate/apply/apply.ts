import type { Direction } from '../../../adapters/migration-engine/engine.js';
import { endingHint, blockedBy } from '../../../adapters/postgres/locks/blocker.js';
import { retryForLocks, type LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { Observer } from '../../../adapters/postgres/locks/observer.js';
import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { searchPath } from '../../../adapters/postgres/session-settings.js';
import { afterStartAgain, startAgain, startAgainSql } from '../../../adapters/postgres/start-again.js';
import { PIECE_CHARACTERS, piecesOf, type Piece } from '../../../adapters/sql-parser/pieces.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { charactersBefore } from '../../../base/text-place.js';
import { runEachStatement } from './each-statement.js';
import { sectionOf } from './section.js';
import { verificationSql } from './verification.js';
import { migrationFailure, placeOfError, placeOfStatement } from './failure.js';
import { mayLeave } from './left-behind.js';
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
  /** The schema lies on a node of Citus: each statement is a message. */
  readonly isDistributed?: boolean;
}

/** Those of one run: what it may still wait for locks is shared by its migrations. */
export interface RunOptions extends ApplyOptions {
  readonly lockBudget: LockBudget;
}

/** For the transaction only; what a migration sets beyond it is taken back before the next one. */
function settingStatements(options: ApplyOptions): readonly string[] {
  const path = searchPath(options.schema, options.extensionSchema);
  const settings = [`search_path to ${path}`, `lock_timeout = ${quoteLiteral(`${options.lockTimeoutMs}ms`)}`];
  if (options.isFlushedLater === true) settings.push('synchronous_commit = off');
  return settings.map((setting) => `set local ${setting};`);
}

export function transactionSettings(options: ApplyOptions): string {
  return settingStatements(options).join(' ');
}

/** BEGIN and the settings stand before a section in the text that is sent. */
function statementsBefore(options: ApplyOptions): number {
  return 1 + settingStatements(options).length;
}

/** What comes behind it begins a statement of its own, also when its last line has no semicolon, or one in a comment. */
function ended(sql: string): string {
  const lastLine = sql.slice(sql.lastIndexOf('\n') + 1);
  return lastLine.endsWith(';') && !lastLine.includes('--') ? sql : `${sql}\n;`;
}

/** A migration may take another role, for its own statements only: the history belongs to the role that runs it. */
const OWN_ROLE = 'reset session authorization; reset role;';

/** The statements of one migration in its transaction, the history row included. */
async function transactionStatements(
  file: MigrationFile,
  direction: Direction,
  options: ApplyOptions,
): Promise<readonly string[]> {
  const record = direction === 'up' ? recordApplied(options.schema, file) : forgetApplied(options.schema, file);
  const statements = [transactionSettings(options), ended(sectionOf(file, direction).sql), `${OWN_ROLE} ${record}`];
  if (direction === 'down' || file.verification === undefined) return statements;
  return [...statements, await verificationSql(file.verification)];
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
  const statements = await transactionStatements(file, direction, options);
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

interface Parts {
  /** BEGIN and the settings. */
  readonly before: string;
  readonly section: string;
  /** The history. */
  readonly record: string;
  readonly commit: string;
}

function partsOf(texts: readonly string[], section: MigrationSection): Parts {
  const position = texts.findIndex((text) => text.startsWith(section.sql));
  return {
    before: `${texts.slice(0, position).join(' ')} `,
    section: texts[position] ?? '',
    record: texts.slice(position + 1, -1).join('\n'),
    commit: texts.at(-1) ?? '',
  };
}

/** With COMMIT goes what the next migration needs: one round trip a migration. What has to be looked at first waits. */
async function commitAndStartAgain(
  session: Session,
  text: string,
  file: MigrationFile,
  direction: Direction,
): Promise<void> {
  if (mayLeave(file, direction)) await session.query(text);
  else await afterStartAgain(session, await session.query(`${text}\n${startAgainSql(session)}`));
}

/** What the server was sent last: a piece of a large section, or the whole one with what stands before it. */
type Sent = { readonly piece: Piece } | { readonly before: string; readonly statementsBefore: number };

async function failureOf(
  error: unknown,
  session: Session,
  file: MigrationFile,
  direction: Direction,
  sent: Sent,
): Promise<unknown> {
  if (!isAisecError(error) || error.code === 'LOCK_TIMEOUT') return error;
  const section = sectionOf(file, direction);
  // The server counts positions and statements from the start of what it was sent.
  const isPiece = 'piece' in sent;
  const before = isPiece ? -charactersBefore(section.sql, sent.piece.offset) : sent.before.length;
  const completed = session.completedStatements - (isPiece ? 0 : sent.statementsBefore);
  const place =
    placeOfError(error, file, section, before) ??
    (await placeOfStatement(completed, file, section, isPiece ? sent.piece : undefined));
  return migrationFailure(error, file, direction, place);
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
  const { before, record, commit } = partsOf(texts, section);
  try {
    await session.query(before);
    await replaceWithDependants(session, file, options.files ?? [], failure);
    await commitAndStartAgain(session, `${record}\n${commit}`, file, 'up');
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
  const section = sectionOf(file, direction);
  const { before, section: sql, record, commit } = partsOf(texts, section);
  if (options.isDistributed === true) {
    await runEachStatement(session, file, direction, { before, record, commit }).catch(async (error: unknown) => {
      await rollBack(session);
      throw error;
    });
    await startAgain(session);
    return;
  }
  let sent: Sent = { before, statementsBefore: statementsBefore(options) };
  try {
    // One message costs one round trip; a large one would cost the driver and the server a multiple of its size.
    const isLarge = section.sql.length > PIECE_CHARACTERS;
    if (isLarge) await session.query(before);
    for (const piece of isLarge ? piecesOf(section.sql) : []) {
      sent = { piece };
      await session.query(piece.text);
    }
    const last = isLarge ? record : `${before}${sql}\n${record}`;
    await commitAndStartAgain(session, `${last}\n${commit}`, file, direction);
  } catch (error) {
    // What came behind the COMMIT is no failure of the migration.
    if (session.hasCommitted) throw error;
    const failure = await failureOf(error, session, file, direction, sent);
    await rollBack(session);
    if (direction !== 'up' || !isInTheWay(file, error)) throw failure;
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
 * and it is tried again after a pause: no session ever queues behind it for longer than `lockTimeoutMs`. The session is as
 * it was opened afterwards, unless the migration may have left something there that has to be looked at.
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
    const onRetry = (_error: AisecError, attempt: number): void =>
      reporting.onProgress(`${labelOf(file)}: no lock after ${lockTimeoutMs} ms, attempt ${attempt}`);
    await retryForLocks({ budget, signal: session.signal, onRetry }, (attempt) => {
      attempts = attempt;
      return observer.during(() => tryOnce(session, file, direction, options));
    });
  } catch (error) {
    throw isAisecError(error, 'LOCK_TIMEOUT') ? lockFailure(error, file, observer.blockers, attempts) : error;
  } finally {
    await observer.close();
  }
}
