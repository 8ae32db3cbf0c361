import { blockedBy } from '../../../adapters/postgres/locks/blocker.js';
import { Observer } from '../../../adapters/postgres/locks/observer.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { firstDay, monthEndMs, monthStartMs, type Month } from '../../../base/month.js';
import { aisecVersion } from '../../../base/package/version.js';
import { nextJournalId } from './journal.js';
import { withLockRetries, type RetryOptions } from '../lock-retries.js';

export interface RowMove {
  readonly month: Month;
  /** Quoted names of the tables the rows are in. */
  readonly sources: readonly string[];
  /** Epoch milliseconds: only older rows go. */
  readonly beforeMs: number;
  readonly cutoffMs: number;
  readonly batchRows: number;
  /** `performance.now()` after which no further batch begins. */
  readonly deadlineMs: number;
  readonly lockTimeoutMs: number;
  readonly onMoved: (movedRows: number) => void;
  readonly retries: RetryOptions;
}

export interface RowMoveResult {
  readonly movedRows: number;
  /** False when the deadline came first. */
  readonly isComplete: boolean;
}

interface BatchRow {
  readonly moved_rows: number;
  readonly last_created_at: string | null;
}

/** New rows and rows that were being changed are looked for again this often. */
const MOST_FINAL_ROUNDS = 20;

class Mover {
  movedRows = 0;
  readonly #session: Session;
  readonly #move: RowMove;
  readonly #journalId: string;
  readonly #startedAt = new Date().toISOString();

  constructor(session: Session, move: RowMove, journalId: string) {
    this.#session = session;
    this.#move = move;
    this.#journalId = journalId;
  }

  get isLate(): boolean {
    return performance.now() >= this.#move.deadlineMs;
  }

  /** Moves rows of one source, oldest first, one batch a transaction, until none is found or it is late. */
  async pass(source: string, skipsLocked: boolean): Promise<void> {
    let after = '-infinity';
    while (!this.isLate) {
      const { moved_rows: moved, last_created_at: last } = await this.#batch(source, after, skipsLocked);
      this.movedRows += moved;
      if (moved > 0) this.#move.onMoved(this.movedRows);
      if (moved < this.#move.batchRows || last === null) return;
      after = last;
    }
  }

  async isEmpty(source: string): Promise<boolean> {
    const { month, beforeMs } = this.#move;
    const { rows } = await this.#session.query<{ is_empty: boolean }>(
      `select not exists (select from only ${source} where created_at >= $1 and created_at < $2) as is_empty`,
      [new Date(monthStartMs(month)).toISOString(), new Date(Math.min(beforeMs, monthEndMs(month))).toISOString()],
    );
    return rows[0]?.is_empty === true;
  }

  async #batch(source: string, after: string, skipsLocked: boolean): Promise<BatchRow> {
    const { month, beforeMs, cutoffMs, batchRows, retries } = this.#move;
    const values = [
      source,
      firstDay(month),
      after,
      new Date(beforeMs).toISOString(),
      batchRows,
      skipsLocked,
      this.#journalId,
      new Date(cutoffMs).toISOString(),
      this.#startedAt,
      aisecVersion(),
    ];
    const { rows } = await withLockRetries(this.#session, retries, () =>
      this.#session.query<BatchRow>(sqlFile('archive/move-batch'), values),
    );
    return rows[0] ?? { moved_rows: 0, last_created_at: null };
  }
}

async function finalPasses(mover: Mover, source: string): Promise<boolean> {
  for (let round = 0; round < MOST_FINAL_ROUNDS && !mover.isLate; round += 1) {
    if (await mover.isEmpty(source)) return true;
    await mover.pass(source, false);
  }
  return mover.isEmpty(source);
}

function lockFailure(error: AisecError, move: RowMove, movedRows: number, blockers: readonly string[]): AisecError {
  return new AisecError('LOCK_TIMEOUT', `rows of ${move.month} are locked by another session`, {
    detail: `${blockedBy(blockers)} ${movedRows} rows were moved and stay moved; every message is in exactly one of the two tables.`,
    hint: 'Run it again when that session has ended: it continues with the rest.',
    sqlState: error.sqlState,
    cause: error.cause,
  });
}

/**
 * Moves single rows of a month to its partition of the archive, which must exist, in committed batches: first around the
 * rows that others have locked, then a final pass that waits for those. Stopped at any moment, it continues when run again.
 *
 * @throws AisecError LOCK_TIMEOUT naming the blocker when rows stay locked for longer than the budget allows.
 */
export async function moveRows(session: Session, move: RowMove): Promise<RowMoveResult> {
  const mover = new Mover(session, move, await nextJournalId(session));
  const observer = new Observer(session, move.lockTimeoutMs, move.retries.onRetry);
  let isComplete = true;
  try {
    await observer.during(async () => {
      for (const source of move.sources) {
        await mover.pass(source, true);
        if (!(await finalPasses(mover, source))) isComplete = false;
      }
    });
  } catch (error) {
    if (isAisecError(error, 'LOCK_TIMEOUT')) throw lockFailure(error, move, mover.movedRows, observer.blockers);
    throw error;
  } finally {
    await observer.close();
  }
  return { movedRows: mover.movedRows, isComplete };
}
