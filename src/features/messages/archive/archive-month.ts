import type { Session } from '../../../adapters/postgres/session.js';
import { type AisecError, endsRun, isAisecError } from '../../../base/errors.js';
import { firstDay, monthEndMs } from '../../../base/month.js';
import { ensureBoundCheck } from './swap/bound-check.js';
import type { PartitionFacts } from './facts.js';
import { swapRow } from './journal.js';
import type { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { withLockRetries, type RetryOptions } from '../lock-retries.js';
import { nameIn } from '../partition.js';
import { moveRows, type RowMoveResult } from './move-rows.js';
import { waitForOlderSnapshots } from '../older-snapshots.js';
import { isOfMonth, type MonthPlan, type WholeMonthPlan } from './plan.js';
import { swapMonth, type SwapResult } from './swap/swap.js';

/** What became of a month. `moved`: some of its rows went; `stopped`: --max-time came first; `blocked`: see findings. */
export type Outcome = 'planned' | 'archived' | 'moved' | 'stopped' | 'blocked' | 'failed';

export interface MonthError {
  readonly code: AisecError['code'];
  readonly message: string;
  readonly detail: string | null;
  readonly hint: string | null;
  readonly sqlState: string | null;
}

export interface MonthOutcome extends MonthPlan {
  readonly outcome: Outcome;
  readonly attempts: number | null;
  /** From the first attempt to the end of the move. */
  readonly lockWaitMs: number | null;
  readonly durationMs: number | null;
  readonly error: MonthError | null;
}

export interface MonthRun {
  readonly partition: PartitionFacts | undefined;
  readonly cutoffMs: number;
  readonly batchRows: number;
  readonly budget: LockBudget;
  readonly deadlineMs: number;
  readonly lockTimeoutMs: number;
  readonly onProgress: (text: string) => void;
}

type Done = Pick<MonthOutcome, 'outcome' | 'rows' | 'rowsAreExact' | 'partition'> & Partial<SwapResult>;

/** An emptied table above this size is vacuumed before it is looked through for rows under ACCESS EXCLUSIVE. */
const VACUUMED_BYTES = 4 * 1024 * 1024;
/** A row may arrive between the last batch and the locks. */
const FINISH_ROUNDS = 5;

const retriesOf = ({ budget, onProgress }: MonthRun): RetryOptions => ({
  budget,
  onRetry: (reason) => onProgress(`waiting for a lock: ${reason}`),
});

async function swap(session: Session, plan: WholeMonthPlan, run: MonthRun): Promise<Done> {
  const cutoff = new Date(run.cutoffMs).toISOString();
  const { month, rows, rowsAreExact } = plan;
  const archive = { month, action: 'archive', rows, rowsAreExact, cutoff } as const;
  const done = await swapMonth(session, archive, retriesOf(run), (entry) => [
    swapRow(entry, `aisec_archive_month('${firstDay(month)}')`),
  ]);
  return { outcome: 'archived', rows, rowsAreExact, ...done };
}

async function move(session: Session, plan: WholeMonthPlan, run: MonthRun): Promise<RowMoveResult> {
  const { month, sources } = plan;
  await withLockRetries(session, retriesOf(run), () =>
    session.query('select aisec_ensure_archive_month($1)', [firstDay(month)]),
  );
  const startedMs = performance.now();
  return moveRows(session, {
    ...run,
    month,
    sources,
    beforeMs: Math.min(monthEndMs(month), run.cutoffMs),
    retries: retriesOf(run),
    onMoved: (movedRows) => {
      const rate = Math.round((movedRows / Math.max(1, performance.now() - startedMs)) * 1000);
      const left =
        plan.rows === null || rate === 0 ? '' : `, ${Math.ceil(Math.max(0, plan.rows - movedRows) / rate)} s left`;
      run.onProgress(`${movedRows}${plan.rows === null ? '' : ` of ${plan.rows}`} rows, ${rate} rows/s${left}`);
    },
  });
}

async function moveOnly(session: Session, plan: WholeMonthPlan, run: MonthRun): Promise<Done> {
  const { movedRows, isComplete } = await move(session, plan, run);
  const partition = nameIn('messages_archive', plan.month);
  return { outcome: isComplete ? 'moved' : 'stopped', rows: movedRows, rowsAreExact: true, partition };
}

async function vacuumEmptied(session: Session, plan: WholeMonthPlan): Promise<void> {
  if (plan.partition === null || plan.sizeBytes < VACUUMED_BYTES) return;
  try {
    await session.query(`vacuum ${plan.partition}`);
  } catch (error) {
    if (!isAisecError(error, 'LOCK_TIMEOUT')) throw error;
  }
}

/** Moves the rest of a month that the archive has a part of, then drops the emptied partition. */
async function finish(session: Session, plan: WholeMonthPlan, run: MonthRun): Promise<Done> {
  let total = 0;
  for (let round = 1; ; round += 1) {
    const { movedRows, isComplete } = await move(session, plan, run);
    total += movedRows;
    if (!isComplete)
      return { outcome: 'stopped', rows: total, rowsAreExact: true, partition: nameIn('messages_archive', plan.month) };
    // A REPEATABLE READ transaction that began before still finds the moved rows here, and nowhere else.
    await waitForOlderSnapshots(session, run.budget, run.onProgress);
    await vacuumEmptied(session, plan);
    try {
      return await swap(session, { ...plan, rows: total, rowsAreExact: true }, run);
    } catch (error) {
      const isStillFilled = isAisecError(error, 'DATABASE_FAILED') && error.message.includes('partly archived');
      if (!isStillFilled || round >= FINISH_ROUNDS) throw error;
    }
  }
}

async function perform(session: Session, plan: WholeMonthPlan, run: MonthRun): Promise<Done> {
  switch (plan.action) {
    case 'swap':
      if (run.partition !== undefined && plan.boundCheck !== 'present') {
        run.onProgress('checking the bounds of every row, outside of any lock that stops writers');
        await ensureBoundCheck(session, run.partition, retriesOf(run));
      }
      return swap(session, plan, run);
    case 'finish':
      return finish(session, plan, run);
    case 'move late rows':
    case 'move older rows':
      return moveOnly(session, plan, run);
  }
}

export function monthError(error: AisecError): MonthError {
  const { code, message, detail, hint, sqlState } = error;
  return { code, message, detail: detail ?? null, hint: hint ?? null, sqlState: sqlState ?? null };
}

/**
 * Archives one month and returns what became of it; a month that cannot be moved is an outcome, no exception.
 *
 * @throws AisecError CONNECTION_LOST, NODE_UNREACHABLE, INTERRUPTED, TERMINATED: what stops the whole run.
 */
export async function archiveMonth(session: Session, plan: MonthPlan, run: MonthRun): Promise<MonthOutcome> {
  const startedMs = performance.now();
  const base = { ...plan, attempts: null, lockWaitMs: null, durationMs: null, error: null };
  if (plan.findings.length > 0 || !isOfMonth(plan)) return { ...base, outcome: 'blocked' };
  try {
    const done = await perform(session, plan, run);
    return { ...base, ...done, durationMs: Math.round(performance.now() - startedMs) };
  } catch (error) {
    if (!isAisecError(error) || endsRun(error)) throw error;
    return {
      ...base,
      outcome: 'failed',
      durationMs: Math.round(performance.now() - startedMs),
      error: monthError(error),
    };
  }
}
