import { endingHint } from '../../../adapters/postgres/locks/blocker.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { piecesOf } from '../../../adapters/sql-parser/pieces.js';
import { parseStatements } from '../../../adapters/sql-parser/statements.js';
import { AisecError, isAisecError, type FilePosition } from '../../../base/errors.js';
import { charactersBefore } from '../../../base/text-place.js';
import type { ApplyOptions } from '../apply/apply.js';
import { sectionOf } from '../apply/section.js';
import { migrationFailure, placeOfError, placeOfStatement } from '../apply/failure.js';
import { enterSection, verifyRehearsed } from '../apply/rehearse.js';
import { placeInSection, type MigrationFile } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import type { Effects, EffectsObserver, NewLock } from './effects.js';
import { shownText, touchedTables, walPosition, type TouchedTable } from './measures.js';
import { describeUser } from './describe-user.js';
import { conflictingUsers, lockUsers, type LockUser } from './lock-users.js';
import { waits } from './lock-modes.js';

export interface ExplainedLock {
  readonly relation: string;
  /** The partitioned table that it is a part of, else itself. */
  readonly root: string;
  /** As in pg_locks: `AccessExclusiveLock`. */
  readonly mode: string;
  /** In a transaction every lock is held until its end; outside of one the statement gives it back. */
  readonly heldUntil: 'commit' | 'end of statement';
  /** How long it was held; null where it was not measured. */
  readonly heldMs: number | null;
  /** What other sessions cannot do with the relation meanwhile; null: they can read and write. */
  readonly blocks: 'reads and writes' | 'writes' | null;
}

export type { TouchedTable };

/** What one statement did to what was there before. */
export interface ExplainedStatement {
  /** Of the file, from 1. */
  readonly line: number;
  /** On one line, cut after 200 characters. */
  readonly text: string;
  /** False: it cannot be rolled back, so locks and tables are those that its kind takes. */
  readonly isExecuted: boolean;
  /** Null when it was not executed. */
  readonly durationMs: number | null;
  /** Written to the log of the server meanwhile, by other sessions, too; null when it was not executed. */
  readonly walBytes: number | null;
  readonly locks: readonly ExplainedLock[];
  /** Rewritten, with their indexes. */
  readonly rewritten: readonly TouchedTable[];
  /** Read from the first to the last row, and not rewritten. */
  readonly scanned: readonly TouchedTable[];
  /** Sessions that had a lock which conflicts, before the run: it would wait for them, and what comes after it, too. */
  readonly inUseBy: readonly LockUser[];
  /** Sessions that waited for this run after the statement. */
  readonly keptWaiting: readonly LockUser[];
}

/** What touches nothing that was there before is reported when it takes longer. */
const LONG_MS = 1000;

/** A lock that was not measured. */
export function explainedLock({ relation, root, mode }: NewLock, heldUntil: ExplainedLock['heldUntil']): ExplainedLock {
  return { relation, root, mode, heldUntil, heldMs: null, blocks: waits(mode) ?? null };
}

function isQuiet({ locks, rewritten, scanned }: Effects, durationMs: number): boolean {
  return locks.length === 0 && rewritten.length === 0 && scanned.length === 0 && durationMs < LONG_MS;
}

/** Other sessions read and write as before beside the weakest lock; an index is locked with its table. */
export const isReported = ({ mode, kind }: NewLock): boolean =>
  mode !== 'AccessShareLock' && kind !== 'i' && kind !== 'I';

/** Who had a lock on a table that the statement names: this session cannot ask any more who it waited for. */
function lockFailure(error: AisecError, file: MigrationFile, text: string, holders: readonly LockUser[]): AisecError {
  const users = holders.filter(({ relation }) => text.toLowerCase().includes(relation.toLowerCase()));
  const blockers = [...new Set(users.map(describeUser))];
  return new AisecError('LOCK_TIMEOUT', `migration ${labelOf(file)} could not acquire a lock in time in this dry run`, {
    detail: blockers.length === 0 ? `It waited at: ${text}` : `Blocked by ${blockers.join('; ')}.`,
    hint: endingHint(blockers),
    sqlState: error.sqlState,
    cause: error.cause,
  });
}

/** What one section did, statement by statement. */
export interface ExplainedSection {
  readonly statements: readonly ExplainedStatement[];
  /** Of all statements and what ended the transaction; what the reports took in between is not counted. */
  readonly durationMs: number;
}

interface Timed {
  readonly statement: ExplainedStatement;
  /** When its time began, in the time of the section. */
  readonly startedMs: number;
}

/** A lock is held from the start of the statement that took it, which includes how long that waited for it. */
function withHeldTimes(timed: readonly Timed[], endedMs: number): readonly ExplainedStatement[] {
  return timed.map(({ statement, startedMs }) => ({
    ...statement,
    locks: statement.locks.map((lock) => ({ ...lock, heldMs: Math.round(endedMs - startedMs) })),
  }));
}

interface Sent {
  readonly text: string;
  readonly offset: number;
  /** As a report shows it. */
  readonly shown: string;
}

/** Statement by statement; of a large file the INSERTs between two other statements go at once, up to a megabyte of them. */
async function* statementsToSend(sql: string): AsyncGenerator<Sent> {
  for (const piece of piecesOf(sql)) {
    const parsed = piece.inserts === undefined ? await parseStatements(piece.text, piece.offset) : undefined;
    if (parsed === undefined || 'error' in parsed) {
      const text = piece.text.trimStart();
      const more = piece.inserts === undefined || piece.inserts === 1 ? '' : `${piece.inserts} statements: `;
      yield { text, offset: piece.offset + piece.text.length - text.length, shown: shownText(`${more}${text}`) };
    } else for (const { text, offset } of parsed.statements) yield { text, offset, shown: shownText(text) };
  }
}

/** Where a statement failed: the server counts characters from the start of what it was sent. */
async function placeOfFailure(
  error: unknown,
  session: Session,
  file: MigrationFile,
  { text, offset }: Sent,
): Promise<FilePosition | undefined> {
  if (!isAisecError(error)) return undefined;
  const section = sectionOf(file, 'up');
  return (
    placeOfError(error, file, section, -charactersBefore(section.sql, offset)) ??
    (await placeOfStatement(session.completedStatements, file, section, { text, offset })) ??
    placeInSection(file, section, offset)
  );
}

/** One after the other: all on the session that they report on. */
export interface Watch {
  readonly observer: EffectsObserver;
  /** Who had locks before the run. */
  readonly holders: readonly LockUser[];
}

/**
 * Runs one Up section statement by statement in the transaction that is open, and reports those that touch what was there
 * before.
 *
 * @param end ends the transaction where the caller does not roll it back; its time counts.
 * @throws AisecError as the real run.
 */
export async function explainSection(
  session: Session,
  file: MigrationFile,
  options: ApplyOptions,
  { observer, holders }: Watch,
  end?: () => Promise<void>,
): Promise<ExplainedSection> {
  const section = sectionOf(file, 'up');
  await enterSection(session, options);
  const explained: Timed[] = [];
  let elapsedMs = 0;
  for await (const sent of statementsToSend(section.sql)) {
    const { text, offset, shown } = sent;
    const before = await walPosition(session);
    const startedMs = performance.now();
    try {
      await session.query(text);
    } catch (error) {
      if (isAisecError(error, 'LOCK_TIMEOUT')) throw lockFailure(error, file, text, holders);
      throw migrationFailure(error, file, 'up', await placeOfFailure(error, session, file, sent), true);
    }
    const durationMs = performance.now() - startedMs;
    const effects = await observer.next();
    const locks = effects.locks.filter(isReported);
    elapsedMs += durationMs;
    if (isQuiet({ ...effects, locks }, durationMs)) continue;
    const statement: ExplainedStatement = {
      line: placeInSection(file, section, offset).line,
      text: shown,
      isExecuted: true,
      durationMs: Math.round(durationMs),
      walBytes: (await walPosition(session)) - before,
      locks: locks.map((lock) => explainedLock(lock, 'commit')),
      rewritten: await touchedTables(session, effects.rewritten, observer.rowsBefore),
      scanned: await touchedTables(
        session,
        effects.scanned.filter((relation) => !effects.rewritten.includes(relation)),
      ),
      inUseBy: conflictingUsers(holders, locks),
      keptWaiting: (await lockUsers(session)).waiters,
    };
    explained.push({ statement, startedMs: elapsedMs - durationMs });
  }
  const endingMs = performance.now();
  if (end === undefined) await verifyRehearsed(session, file);
  await end?.();
  if (end !== undefined) elapsedMs += performance.now() - endingMs;
  return { statements: withHeldTimes(explained, elapsedMs), durationMs: Math.round(elapsedMs) };
}
