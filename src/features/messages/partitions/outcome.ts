import { isPassingProblem } from '../../../adapters/postgres/error.js';
import { isAisecError, type AisecError } from '../../../base/errors.js';
import type { Month } from '../../../base/month.js';
import type { PlannedMonth } from './plan.js';

export interface MonthOutcome {
  readonly partition: string;
  readonly state: 'made' | 'exists' | 'failed';
  readonly rows: number;
  readonly problem: string | null;
  readonly isLockProblem: boolean;
  readonly fix: string | null;
}

export type MonthOutcomes = ReadonlyMap<Month, MonthOutcome>;

export function failed(planned: PlannedMonth, problem: string, isLockProblem: boolean): MonthOutcome {
  const fix = isLockProblem ? 'run `aisec partitions ensure` again when that session has ended' : null;
  return { partition: planned.partition, state: 'failed', rows: planned.rows, problem, isLockProblem, fix };
}

export function made(partition: string, rows: number): MonthOutcome {
  return { partition, state: 'made', rows, problem: null, isLockProblem: false, fix: null };
}

/** What one transaction fails with is a problem of its months only, unless it would hit every other one as well. */
function asProblem(error: unknown): AisecError {
  if (isAisecError(error, 'LOCK_TIMEOUT', 'DATABASE_FAILED')) return error;
  throw error;
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
    const { message, detail, code, sqlState } = asProblem(error);
    const isLockProblem = code === 'LOCK_TIMEOUT' || isPassingProblem(sqlState);
    const problem = detail === undefined ? message : `${message}: ${detail.replace(/\.$/, '')}`;
    return new Map(months.map((planned) => [planned.month, failed(planned, problem, isLockProblem)]));
  }
}
