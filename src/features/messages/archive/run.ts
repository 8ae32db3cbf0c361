import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import { searchPath } from '../../../adapters/postgres/session-settings.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { subtractAge, type Age } from '../../../base/age.js';
import { AisecError } from '../../../base/errors.js';
import { analyzeRoots } from './analyze.js';
import { archiveMonth, type MonthOutcome } from './archive-month.js';
import { readFacts, type ArchiveFacts } from './facts.js';
import { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { lockTimeoutBelowDeadlockMs } from '../lock-retries.js';
import { planArchive, type ArchivePlan } from './plan.js';
import { readWaitingRows, withRowCounts } from './row-counts.js';
import type { Reporting } from '../../../base/reporting.js';

export interface ArchiveOptions {
  readonly schema: string;
  readonly extensionSchema: string;
  readonly olderThan: Age;
  /** Whether the older rows of the boundary month go, too. */
  readonly isExact: boolean;
  readonly isDryRun: boolean;
  readonly batchRows: number;
  /** How long rows may be moved one by one; undefined: no limit. */
  readonly maxMoveMs: number | undefined;
  /** How long the whole run may wait for locks in all. */
  readonly maxWaitMs: number;
  /** How long to wait for another run. */
  readonly waitMs: number;
  readonly analyzes: boolean;
}

export interface ArchiveResult {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** RFC 3339: nothing younger is moved. */
  readonly cutoff: string;
  readonly months: readonly MonthOutcome[];
  /** True when `maxMoveMs` stopped the moving of rows. */
  readonly isStopped: boolean;
}

function refuseShortAge({ months, days }: Age): void {
  if (months > 0 || days > 0) return;
  throw new AisecError('USAGE', 'the age is less than a day', { hint: 'Give --older-than 6mo, 1y or 90d.' });
}

async function makePlan(
  session: Session,
  options: ArchiveOptions,
): Promise<{ readonly facts: ArchiveFacts; readonly plan: ArchivePlan }> {
  const facts = await readFacts(session);
  const cutoffMs = subtractAge(facts.surroundings.now, options.olderThan).getTime();
  const waiting = await readWaitingRows(session, facts.surroundings.defaultPartition, cutoffMs);
  const plan = await withRowCounts(session, planArchive(facts, waiting, cutoffMs, options.isExact));
  const months = plan.months.filter(({ action, rows }) => action !== 'move older rows' || rows !== 0);
  return { facts, plan: { ...plan, months } };
}

/**
 * Moves the months of messages that are wholly older than the age to messages_archive, each in a short transaction of its
 * own, and with `isExact` the older rows of the month the cutoff lies in. A month that cannot be moved does not stop the
 * others. The age counts back in UTC from the server's clock.
 *
 * @throws AisecError USAGE, MIGRATION_PENDING, RUN_LOCKED, CONNECTION_LOST, INTERRUPTED, TERMINATED.
 */
export async function archiveMessages(
  session: Session,
  options: ArchiveOptions,
  reporting: Reporting,
): Promise<ArchiveResult> {
  refuseShortAge(options.olderThan);
  const result = (plan: ArchivePlan, months: readonly MonthOutcome[]): ArchiveResult => ({
    database: session.info.label,
    schema: options.schema,
    isDryRun: options.isDryRun,
    cutoff: new Date(plan.cutoffMs).toISOString(),
    months,
    isStopped: months.some(({ outcome }) => outcome === 'stopped'),
  });
  if (options.isDryRun) {
    const { plan } = await makePlan(session, options);
    const months = plan.months.map((month): MonthOutcome => ({
      ...month,
      outcome: month.findings.length > 0 ? 'blocked' : 'planned',
      attempts: null,
      lockWaitMs: null,
      durationMs: null,
      error: null,
    }));
    return result(plan, months);
  }
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, async () => {
    const { facts, plan } = await makePlan(session, options);
    const lockTimeoutMs = lockTimeoutBelowDeadlockMs(facts.surroundings.deadlockTimeoutMs);
    await session.query(`set lock_timeout = ${lockTimeoutMs}`);
    const deadlineMs =
      options.maxMoveMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.maxMoveMs;
    const budget = new LockBudget(options.maxWaitMs);
    const months: MonthOutcome[] = [];
    for (const [index, month] of plan.months.entries()) {
      const position = `${month.month.slice(0, 7)} (${index + 1} of ${plan.months.length})`;
      reporting.onProgress(`archiving ${position}`);
      months.push(
        await archiveMonth(session, month, {
          partition: facts.partitions.find(({ relation }) => relation === month.partition),
          cutoffMs: plan.cutoffMs,
          batchRows: options.batchRows,
          budget,
          deadlineMs,
          lockTimeoutMs,
          onProgress: (text) => reporting.onProgress(`archiving ${position}: ${text}`),
        }),
      );
    }
    const isChanged = months.some(({ outcome }) => outcome === 'archived');
    if (isChanged && options.analyzes) {
      await analyzeRoots(session, searchPath(options.schema, options.extensionSchema), reporting);
    }
    return result(plan, months);
  });
}
