import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { subtractAge, type Age } from '../../../base/age.js';
import { AisecError, endsRun, isAisecError } from '../../../base/errors.js';
import type { Finding } from '../../../base/finding.js';
import type { Month } from '../../../base/month.js';
import { refuseFindings } from '../../../base/refuse-findings.js';
import type { Reporting } from '../../../base/reporting.js';
import { monthError, type MonthError } from './archive-month.js';
import { waitForOlderSnapshots } from '../older-snapshots.js';
import { generalFindings, prunePublicationFindings } from './findings.js';
import { readFacts, type ArchiveFacts, type PartitionFacts } from './facts.js';
import { readExports, readUnfinishedPrunes, type RecordedExport } from './journal.js';
import { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { lockTimeoutBelowDeadlockMs } from '../lock-retries.js';
import { locksOfDrop, type LockWish } from './locks.js';
import { exportsIn } from './exports/manifest.js';
import { verifyExport } from './exports/verify.js';
import { deleteMonthKeys, dropMonth, type PruneEntry } from './prune-month.js';

export interface PruneOptions {
  readonly schema: string;
  readonly olderThan: Age;
  /** Absolute path of a directory with exports; undefined: where the journal says. */
  readonly exportsDirectory: string | undefined;
  /** Whether months are deleted that no verified export holds. */
  readonly withoutExport: boolean;
  readonly isDryRun: boolean;
  readonly batchRows: number;
  readonly maxWaitMs: number;
  readonly waitMs: number;
}

/** `kept`: no verified export holds it; `planned`: it would be deleted. */
export interface PrunedMonth {
  readonly month: Month;
  readonly partition: string;
  readonly outcome: 'planned' | 'pruned' | 'kept' | 'failed';
  readonly rowEstimate: number | null;
  readonly sizeBytes: number;
  readonly export: { readonly file: string; readonly sha256: string; readonly rows: number } | null;
  /** Why it is kept. */
  readonly reason: string | null;
  /** Keys of messages that this run deleted. */
  readonly deletedKeys: number | null;
  readonly locks: readonly LockWish[];
  readonly error: MonthError | null;
}

export interface PruneResult {
  /** What prevents the deletion of any month. */
  readonly findings: readonly Finding[];
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  readonly cutoff: string;
  readonly months: readonly PrunedMonth[];
}

interface Candidate {
  readonly partition: PartitionFacts;
  readonly month: PrunedMonth;
}

function candidateFiles(options: PruneOptions, month: string, exports: readonly RecordedExport[]): readonly string[] {
  if (options.exportsDirectory !== undefined) return exportsIn(options.exportsDirectory, month);
  return [...new Set(exports.filter((known) => known.month === month).map(({ file }) => file))];
}

async function judge(
  session: Session,
  facts: ArchiveFacts,
  partition: PartitionFacts,
  month: Month,
  options: PruneOptions,
  exports: readonly RecordedExport[],
): Promise<Candidate> {
  const base = {
    month,
    partition: partition.name,
    rowEstimate: partition.rowEstimate,
    sizeBytes: partition.sizeBytes,
    export: null,
    reason: null,
    deletedKeys: null,
    locks: locksOfDrop(partition, facts.surroundings),
    error: null,
  };
  const isPartlyLive = facts.partitions.some(({ root, month: own }) => root === 'messages' && own === month);
  if (isPartlyLive) return { partition, month: { ...base, outcome: 'kept', reason: 'the rest of it is in messages' } };
  if (options.withoutExport) return { partition, month: { ...base, outcome: 'planned' } };
  const reasons: string[] = [];
  for (const file of candidateFiles(options, month, exports)) {
    const found = await verifyExport(session, file, month, partition.relation);
    if (found.isVerified) {
      const { sha256, rows } = found.manifest;
      return { partition, month: { ...base, outcome: 'planned', export: { file, sha256, rows } } };
    }
    reasons.push(`${file}: ${found.reason}`);
  }
  const reason = reasons.length === 0 ? 'there is no export of it' : reasons.join('; ');
  return { partition, month: { ...base, outcome: 'kept', reason } };
}

/** What fails for one month is an outcome; what ends the whole run is thrown. */
async function errorOf(run: () => Promise<void>): Promise<MonthError | null> {
  try {
    await run();
    return null;
  } catch (error) {
    if (!isAisecError(error) || endsRun(error)) throw error;
    return monthError(error);
  }
}

const pruned = (month: PrunedMonth, error: MonthError | null): PrunedMonth =>
  error === null ? { ...month, outcome: 'pruned' } : { ...month, outcome: 'failed', error };

/**
 * Deletes the archived months that are wholly older than the age, each only when a verified export holds it or
 * `withoutExport` says so. `confirm` is asked once, after everything was checked and before anything is changed.
 *
 * @throws AisecError USAGE, REFUSED from `confirm`, ARCHIVE_BLOCKED, RUN_LOCKED, MIGRATION_PENDING.
 */
export async function pruneArchive(
  session: Session,
  options: PruneOptions,
  confirm: (months: readonly PrunedMonth[]) => Promise<void>,
  reporting: Reporting,
): Promise<PruneResult> {
  if (options.olderThan.months === 0 && options.olderThan.days === 0)
    throw new AisecError('USAGE', 'the age is less than a day', { hint: 'Give --older-than 3y.' });
  const work = async (): Promise<PruneResult> => {
    const facts = await readFacts(session);
    const cutoffMs = subtractAge(facts.surroundings.now, options.olderThan).getTime();
    const unfinished = await readUnfinishedPrunes(session);
    const exports = await readExports(session);
    const candidates: Candidate[] = [];
    for (const partition of facts.partitions) {
      const { root, month, upperMs } = partition;
      if (root !== 'messages_archive' || month === null || upperMs > cutoffMs) continue;
      reporting.onProgress(`checking the export of ${month}`);
      candidates.push(await judge(session, facts, partition, month, options, exports));
    }
    const findings = [
      ...generalFindings(facts.surroundings),
      ...prunePublicationFindings(facts.surroundings.publications),
    ];
    const result = (months: readonly PrunedMonth[]): PruneResult => ({
      findings,
      database: session.info.label,
      schema: options.schema,
      isDryRun: options.isDryRun,
      cutoff: new Date(cutoffMs).toISOString(),
      months,
    });
    const planned = candidates.filter(({ month }) => month.outcome === 'planned').map(({ month }) => month);
    if (planned.length === 0 || options.isDryRun) return result(candidates.map(({ month }) => month));
    refuseFindings('ARCHIVE_BLOCKED', 'no month can be pruned', findings);
    await confirm(planned);
    await session.query(`set lock_timeout = ${lockTimeoutBelowDeadlockMs(facts.surroundings.deadlockTimeoutMs)}`);
    const budget = new LockBudget(options.maxWaitMs);
    const outcomes = new Map<Month, PrunedMonth>();
    const emptied: { readonly entry: PruneEntry; readonly month: PrunedMonth; readonly journalId: string }[] = [];
    for (const { partition, month } of candidates) {
      if (month.outcome !== 'planned') continue;
      const entry = {
        month: month.month,
        partition,
        cutoffMs,
        export: month.export,
        unfinishedId: unfinished.get(month.month),
        batchRows: options.batchRows,
        retries: {
          budget,
          onRetry: (reason: string) => reporting.onProgress(`pruning ${month.month}: waiting for a lock: ${reason}`),
        },
        onKeys: (count: number) => reporting.onProgress(`pruning ${month.month}: ${count} keys deleted`),
      };
      const error = await errorOf(async () => {
        const { journalId, deletedKeys } = await deleteMonthKeys(session, entry);
        emptied.push({ entry, month: { ...month, deletedKeys }, journalId });
      });
      if (error !== null) outcomes.set(month.month, pruned(month, error));
    }
    // A REPEATABLE READ transaction that began before still has to read the months, or to fail.
    const waited = await errorOf(() => waitForOlderSnapshots(session, budget, reporting.onProgress));
    for (const { entry, month, journalId } of emptied) {
      const error = waited ?? (await errorOf(() => dropMonth(session, facts.surroundings, entry, journalId)));
      outcomes.set(month.month, pruned(month, error));
    }
    return result(candidates.map(({ month }) => outcomes.get(month.month) ?? month));
  };
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return options.isDryRun ? work() : withRunLock(session, lock, work);
}
