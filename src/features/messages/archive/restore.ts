import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import type { Month } from '../../../base/month.js';
import { refuseFindings } from '../../../base/refuse-findings.js';
import type { Reporting } from '../../../base/reporting.js';
import { generalFindings, partitionFindings } from './findings.js';
import { holdsSomeOf, readFacts, type ArchiveFacts, type PartitionFacts } from './facts.js';
import { readUnfinishedPrunes } from './journal.js';
import { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { lockTimeoutBelowDeadlockMs } from '../lock-retries.js';
import { locksOfRestore, type LockWish } from './locks.js';
import { moveBack } from './move-back.js';

export interface RestoreOptions {
  readonly schema: string;
  readonly month: Month;
  readonly isDryRun: boolean;
  readonly maxWaitMs: number;
  readonly waitMs: number;
}

export interface RestoreResult {
  readonly database: string;
  readonly schema: string;
  readonly month: Month;
  readonly isDryRun: boolean;
  /** `live`: it was in messages already. */
  readonly outcome: 'planned' | 'restored' | 'live';
  /** Name of its partition, after the move when there was one. */
  readonly partition: string;
  readonly rows: number | null;
  readonly sizeBytes: number;
  readonly locks: readonly LockWish[];
  /** Messages that had been written for the month meanwhile and are restored with it. */
  readonly lateRows: number | null;
  readonly attempts: number | null;
  readonly lockWaitMs: number | null;
}

interface Found {
  readonly archived: PartitionFacts | undefined;
  readonly live: PartitionFacts | undefined;
}

async function findMonth(session: Session, facts: ArchiveFacts, month: Month): Promise<Found> {
  const holders = facts.partitions.filter((partition) => holdsSomeOf(partition, month));
  const archived = holders.find(({ root }) => root === 'messages_archive');
  const live = holders.find(({ root }) => root === 'messages');
  if (archived === undefined && live === undefined)
    throw new AisecError('MONTH_UNKNOWN', `the archive has no month ${month}`, {
      hint: 'See: aisec archive list',
    });
  if (archived !== undefined && archived.month !== month)
    throw new AisecError('ARCHIVE_MONTH', `${archived.relation} holds more or less than the month ${month}`, {
      detail: `Its bounds are ${archived.lowerBound ?? ''} to ${archived.upperBound ?? ''}.`,
      hint: 'Only whole calendar months in UTC come back.',
    });
  if (archived !== undefined && live !== undefined)
    throw new AisecError('ARCHIVE_MONTH', `month ${month} is only partly archived`, {
      detail: `${live.relation} holds rows of it, and so does ${archived.relation}.`,
      hint: 'Archive the rest first, with an --older-than that covers the month, then restore the whole.',
    });
  const pruned = archived === undefined ? undefined : (await readUnfinishedPrunes(session)).get(month);
  if (pruned !== undefined)
    throw new AisecError('ARCHIVE_MONTH', `month ${month} is being pruned`, {
      detail: 'A prune was stopped in the middle: replies and files do not refer to all of its messages any more.',
      hint: 'Finish it with aisec archive prune, then load the month from its export: aisec archive import FILE --into messages',
    });
  return { archived, live };
}

function planResult(
  session: Session,
  options: RestoreOptions,
  facts: ArchiveFacts,
  { archived, live }: Found,
): RestoreResult {
  const partition = archived ?? live;
  return {
    database: session.info.label,
    schema: options.schema,
    month: options.month,
    isDryRun: options.isDryRun,
    outcome: archived === undefined ? 'live' : 'planned',
    partition: partition?.name ?? '',
    rows: partition?.rowEstimate ?? null,
    sizeBytes: partition?.sizeBytes ?? 0,
    locks: archived === undefined ? [] : locksOfRestore(facts.surroundings, archived.relation),
    lateRows: null,
    attempts: null,
    lockWaitMs: null,
  };
}

/**
 * Moves a month back to messages. Messages that were written for it meanwhile are moved to the archive first, in batches,
 * and the foreign keys of messages are added and checked; then the partition itself changes its root in one short
 * transaction that reads none of its rows. Interrupted anywhere and run again, it continues.
 *
 * @throws AisecError MONTH_UNKNOWN; ARCHIVE_MONTH when the archive does not have the whole month, ARCHIVE_BLOCKED, LOCK_TIMEOUT naming
 *   the holder, RUN_LOCKED, MIGRATION_PENDING, PRIVILEGE_MISSING.
 */
export async function restoreMonth(
  session: Session,
  options: RestoreOptions,
  reporting: Reporting,
): Promise<RestoreResult> {
  const { month } = options;
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  const work = async (): Promise<RestoreResult> => {
    const facts = await readFacts(session);
    const found = await findMonth(session, facts, month);
    const plan = planResult(session, options, facts, found);
    const { archived } = found;
    if (archived === undefined) return plan;
    const findings = [
      ...generalFindings(facts.surroundings),
      ...partitionFindings(archived, 'messages', facts.surroundings),
    ];
    refuseFindings('ARCHIVE_BLOCKED', `month ${month} cannot be restored`, findings);
    if (options.isDryRun) return plan;
    await session.query(`set lock_timeout = ${lockTimeoutBelowDeadlockMs(facts.surroundings.deadlockTimeoutMs)}`);
    reporting.onProgress(`restoring ${month}`);
    const moved = await moveBack(session, archived, facts.surroundings, {
      month,
      retries: {
        budget: new LockBudget(options.maxWaitMs),
        onRetry: (reason) => reporting.onProgress(`restoring ${month}: waiting for a lock: ${reason}`),
      },
      onProgress: (text) => reporting.onProgress(`restoring ${month}: ${text}`),
    });
    return { ...plan, outcome: 'restored', ...moved };
  };
  return options.isDryRun ? work() : withRunLock(session, lock, work);
}
