import { isPassingProblem } from '../../../adapters/postgres/error.js';
import { isAisecError } from '../../../base/errors.js';
import type { Month } from '../../../base/month.js';
import type { PlannedMonth } from './plan.js';

export interface EnsuredMonth {
  readonly month: Month;
  readonly partition: string;
  /** `planned` only in a dry run; `exists`: another session made it meanwhile. */
  readonly state: 'planned' | 'made' | 'exists' | 'failed';
  /** Moved out of the default partition, or to be moved. */
  readonly rows: number;
  readonly problem: string | null;
  /** True when a lock could not be acquired: a later run will do. */
  readonly isLockProblem: boolean;
  readonly fix: string | null;
}

/** What came of a month that was not only planned. */
export interface MonthOutcome extends Omit<EnsuredMonth, 'month'> {
  readonly state: 'made' | 'exists' | 'failed';
}

export type MonthOutcomes = ReadonlyMap<Month, MonthOutcome>;

export function failed(planned: PlannedMonth, problem: string, isLockProblem: boolean): MonthOutcome {
  const fix = isLockProblem ? 'run `aisec partitions ensure` again when that session has ended' : null;
  return { partition: planned.partition, state: 'failed', rows: planned.rows, problem, isLockProblem, fix };
}

export function made(partition: string, rows: number, state: 'made' | 'exists' = 'made'): MonthOutcome {
  return { partition, state, rows, problem: null, isLockProblem: false, fix: null };
}

/**
 * Makes months together; a failure that is theirs alone becomes their outcome.
 *
 * @throws AisecError PRIVILEGE_MISSING, CONNECTION_LOST, DISK_FULL, INTERRUPTED, TERMINATED.
 */
export async function makeTogether(
  months: readonly PlannedMonth[],
  make: () => Promise<MonthOutcomes>,
): Promise<MonthOutcomes> {
  try {
    return await make();
  } catch (error) {
    // Anything else would hit every other month as well.
    if (!isAisecError(error, 'LOCK_TIMEOUT', 'DATABASE_FAILED')) throw error;
    const { message, detail, code, sqlState } = error;
    const isLockProblem = code === 'LOCK_TIMEOUT' || isPassingProblem(sqlState);
    const problem = detail === undefined ? message : `${message}: ${detail.replace(/\.$/, '')}`;
    return new Map(months.map((planned) => [planned.month, failed(planned, problem, isLockProblem)]));
  }
}
