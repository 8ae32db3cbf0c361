import { endingHint } from '../../../adapters/postgres/locks/blocker.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { parseStatements } from '../../../adapters/sql-parser/statements.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { sectionOf, type ApplyOptions } from '../apply/apply.js';
import { migrationFailure, placeOfError } from '../apply/failure.js';
import { enterSection } from '../apply/rehearse.js';
import type { MigrationFile } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import { placeInSection } from '../files/place.js';
import type { Effects, EffectsObserver, NewLock } from './effects.js';
import { conflictingUsers, describeUser, lockUsers, type LockUser } from './lock-users.js';
import { waits } from './lock-modes.js';

export interface ExplainedLock {
  readonly relation: string;
  /** As in pg_locks: `AccessExclusiveLock`. */
  readonly mode: string;
  /** In a transaction every lock is held until its end. */
  readonly heldUntil: 'commit';
  /** What other sessions cannot do with the relation meanwhile; null: they can read and write. */
  readonly blocks: 'reads and writes' | 'writes' | null;
}

export interface TouchedTable {
  readonly relation: string;
  /** Estimated; null: never counted. */
  readonly rows: number | null;
  /** With TOAST, without indexes. */
  readonly sizeBytes: number;
}

/** What one statement did to what was there before. */
export interface ExplainedStatement {
  /** Of the file, from 1. */
  readonly line: number;
  /** On one line, cut after 200 characters. */
  readonly text: string;
  readonly durationMs: number;
  /** Written to the log of the server meanwhile, by other sessions, too. */
  readonly walBytes: number;
  readonly locks: readonly ExplainedLock[];
  /** Written anew, with their indexes. */
  readonly rewritten: readonly TouchedTable[];
  /** Read from the first to the last row, and not written anew. */
  readonly scanned: readonly TouchedTable[];
  /** Sessions that had a lock which conflicts, before the run: it would wait for them, and what comes after it, too. */
  readonly inUseBy: readonly LockUser[];
  /** Sessions that waited for this run after the statement. */
  readonly keptWaiting: readonly LockUser[];
}

const MOST_CHARACTERS = 200;

async function touched(session: Session, relations: readonly string[]): Promise<readonly TouchedTable[]> {
  if (relations.length === 0) return [];
  const { rows } = await session.query<{ relation: string; rows: number; size_bytes: number }>(
    sqlFile('migrate/relation-sizes'),
    [relations],
  );
  return rows.map(({ relation, rows: count, size_bytes: sizeBytes }) => ({
    relation,
    rows: count < 0 ? null : Math.round(count),
    sizeBytes,
  }));
}

async function walPosition(session: Session): Promise<number> {
  const { rows } = await session.query<{ position: number }>(
    `select pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::float8 as position`,
  );
  return rows[0]?.position ?? 0;
}

function explainedLock({ relation, mode }: NewLock): ExplainedLock {
  return { relation, mode, heldUntil: 'commit', blocks: waits(mode) ?? null };
}

function isQuiet({ locks, rewritten, scanned }: Effects): boolean {
  return locks.length === 0 && rewritten.length === 0 && scanned.length === 0;
}

/** Other sessions read and write as before beside the weakest lock; an index is locked with its table. */
const isReported = ({ mode, kind }: NewLock): boolean => mode !== 'AccessShareLock' && kind !== 'i' && kind !== 'I';

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

/**
 * Runs one Up section statement by statement in the transaction that is open, which the caller rolls back, and reports
 * those that touch what was there before.
 *
 * @param holders who had locks before the run.
 * @throws AisecError as the real run.
 */
export async function explainSection(
  session: Session,
  file: MigrationFile,
  options: ApplyOptions,
  observer: EffectsObserver,
  holders: readonly LockUser[],
): Promise<readonly ExplainedStatement[]> {
  const section = sectionOf(file, 'up');
  await enterSection(session, options);
  const parsed = await parseStatements(section.sql);
  const statements = 'error' in parsed ? [{ text: section.sql, offset: 0 }] : parsed.statements;
  const explained: ExplainedStatement[] = [];
  for (const { text, offset } of statements) {
    const before = await walPosition(session);
    const startedMs = performance.now();
    try {
      await session.query(text);
    } catch (error) {
      if (isAisecError(error, 'LOCK_TIMEOUT')) throw lockFailure(error, file, text, holders);
      // The server counts characters from the start of what it was sent, which is this statement.
      const sentBefore = -Array.from(section.sql.slice(0, offset)).length;
      const place = isAisecError(error)
        ? (placeOfError(error, file, section, sentBefore) ?? placeInSection(file, section, offset))
        : undefined;
      throw migrationFailure(error, file, 'up', place);
    }
    const durationMs = Math.round(performance.now() - startedMs);
    const effects = await observer.next();
    const locks = effects.locks.filter(isReported);
    if (isQuiet({ ...effects, locks })) continue;
    explained.push({
      line: placeInSection(file, section, offset).line,
      text: text.replaceAll(/\s+/g, ' ').slice(0, MOST_CHARACTERS),
      durationMs,
      walBytes: (await walPosition(session)) - before,
      locks: locks.map(explainedLock),
      rewritten: await touched(session, effects.rewritten),
      scanned: await touched(
        session,
        effects.scanned.filter((relation) => !effects.rewritten.includes(relation)),
      ),
      inUseBy: conflictingUsers(holders, locks),
      keptWaiting: (await lockUsers(session)).waiters,
    });
  }
  return explained;
}
