import { isPassingProblem } from '../../../adapters/postgres/error.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { firstDay, monthEndMs } from '../../../base/month.js';
import { ensureBoundCheck } from './bound-check.js';
import type { PartitionFacts } from './facts.js';
import { withLockRetries, type RetryOptions } from './lock-retries.js';
import { archivedName, liveName } from './partition-names.js';
import { moveRows, type RowMoveResult } from './move-rows.js';
import { isOfMonth, type MonthPlan, type WholeMonthPlan } from './plan.js';
import { swapMonth, type SwapResult } from './swap.js';

/** What became of a month. `moved`: some of its rows went; `stopped`: --max-seconds came first; `blocked`: see faults. */
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
  readonly maxWaitMs: number;
  readonly deadlineMs: number;
  readonly lockTimeoutMs: number;
  readonly onProgress: (text: string) => void;
}

type Done = Pick<MonthOutcome, 'outcome' | 'rows' | 'rowsAreExact' | 'partition'> & Partial<SwapResult>;

/** An emptied table above this size is vacuumed before it is looked through for rows under ACCESS EXCLUSIVE. */
const VACUUMED_BYTES = 4 * 1024 * 1024;
/** A row may arrive between the last batch and the locks. */
const FINISH_ROUNDS = 5;

const retriesOf = ({ maxWaitMs, onProgress }: MonthRun): RetryOptions => ({
  maxWaitMs,
  onRetry: (reason) => onProgress(`waiting for a lock: ${reason}`),
});

async function swap(session: Session, plan: WholeMonthPlan, run: MonthRun): Promise<Done> {
  const cutoff = new Date(run.cutoffMs).toISOString();
  const { month, rows, rowsAreExact } = plan;
  const done = await swapMonth(session, { month, action: 'archive', rows, rowsAreExact, cutoff }, retriesOf(run));
  return { outcome: 'archived', rows, rowsAreExact, ...done };
}

interface MadeRow {
  readonly rows_moved: number;
  readonly problem: string | null;
  readonly problem_code: string | null;
}

/** Makes the partition of a month whose rows wait in the default partition; tells how many these were. */
async function makePartition(session: Session, { month }: WholeMonthPlan, run: MonthRun): Promise<number> {
  return withLockRetries(session, retriesOf(run), async () => {
    const { rows } = await session.query<MadeRow>(
      'select rows_moved::float8 as rows_moved, problem, problem_code from ensure_message_partition($1)',
      [firstDay(month)],
    );
    const [made] = rows;
    if (made?.problem === null) return made.rows_moved;
    const code = isPassingProblem(made?.problem_code) ? 'LOCK_TIMEOUT' : 'DATABASE_FAILED';
    throw new AisecError(code, made?.problem ?? 'the server told nothing about the partition');
  });
}

async function makeAndSwap(session: Session, plan: WholeMonthPlan, run: MonthRun): Promise<Done> {
  const rows = await makePartition(session, plan, run);
  return swap(session, { ...plan, rows, rowsAreExact: true }, run);
}

async function move(session: Session, plan: WholeMonthPlan, run: MonthRun): Promise<RowMoveResult> {
  const { month, sources } = plan;
  await withLockRetries(session, retriesOf(run), () =>
    session.query('select ensure_archive_partition($1)', [firstDay(month)]),
  );
  const startedMs = performance.now();
  return moveRows(session, {
    ...run,
    month,
    sources,
    beforeMs: Math.min(monthEndMs(month), run.cutoffMs),
    onRetry: retriesOf(run).onRetry,
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
  const partition = archivedName(plan.month);
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
      return { outcome: 'stopped', rows: total, rowsAreExact: true, partition: archivedName(plan.month) };
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
    case 'make and swap':
      return makeAndSwap(session, plan, run);
    case 'finish':
      return finish(session, plan, run);
    case 'make and move older rows':
      await makePartition(session, plan, run);
      return moveOnly(session, { ...plan, sources: [liveName(plan.month), ...plan.sources] }, run);
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
 * Archives one month and tells what became of it; a month that cannot be moved is an outcome, no exception.
 *
 * @throws AisecError CONNECTION_LOST, INTERRUPTED, TERMINATED: what stops the whole run.
 */
export async function archiveMonth(session: Session, plan: MonthPlan, run: MonthRun): Promise<MonthOutcome> {
  const startedMs = performance.now();
  const base = { ...plan, attempts: null, lockWaitMs: null, durationMs: null, error: null };
  if (plan.faults.length > 0 || !isOfMonth(plan)) return { ...base, outcome: 'blocked' };
  try {
    const done = await perform(session, plan, run);
    return { ...base, ...done, durationMs: Math.round(performance.now() - startedMs) };
  } catch (error) {
    if (!isAisecError(error) || isAisecError(error, 'CONNECTION_LOST', 'INTERRUPTED', 'TERMINATED')) throw error;
    return {
      ...base,
      outcome: 'failed',
      durationMs: Math.round(performance.now() - startedMs),
      error: monthError(error),
    };
  }
}
