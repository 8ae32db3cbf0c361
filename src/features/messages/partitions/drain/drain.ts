import type { Session } from '../../../../adapters/postgres/session.js';
import { AisecError } from '../../../../base/errors.js';
import type { Month } from '../../../../base/month.js';
import type { LockBudget } from '../../../../adapters/postgres/locks/lock-budget.js';
import { withLockRetries } from '../../lock-retries.js';
import { waitForOlderSnapshots } from '../../older-snapshots.js';
import type { Partition } from '../../partition.js';
import { createCopies, type DrainSet } from './copies.js';
import { noteDifferences, settleDifferences } from './differences.js';
import { dropLeftovers } from './leftovers.js';
import { indexCopies, loadCopies } from './load.js';
import { beginMirror } from './mirror.js';
import { addReferences } from './references.js';
import { boundRest } from './rest-bounds.js';
import { NotSettled, swapCopies } from './swap.js';

export interface DrainRequest {
  readonly schema: string;
  readonly source: Partition;
  readonly partitions: readonly Partition[];
  /** Those that get a partition; all other rows stay in the default partition. */
  readonly months: readonly Month[];
  readonly budget: LockBudget;
  readonly onProgress: (text: string) => void;
}

export interface DrainResult {
  /** Rows that each month has got. */
  readonly rows: ReadonlyMap<Month, number>;
  /** Name of the table that the default partition was. */
  readonly drained: string;
}

const ROUNDS = 5;
const MOST_SETTLE_ROUNDS = 50;

type Retry = <Result>(run: () => Promise<Result>) => Promise<Result>;

function changedTooFast(): AisecError {
  return new AisecError('LOCK_TIMEOUT', 'messages of the default partition are changed faster than they are copied', {
    detail: 'No changes were made.',
    hint: 'Run it again when it is quieter.',
  });
}

/**
 * A REPEATABLE READ writer whose snapshot is older than a row that was copied again misses that copy and notes the row. So
 * each round waits for such writers, and the last is one without notes. Returns how many rows were copied again.
 */
async function settleAll(session: Session, set: DrainSet, wait: () => Promise<void>, retry: Retry): Promise<number> {
  let changed = 0;
  for (let round = 1; round <= MOST_SETTLE_ROUNDS; round += 1) {
    const settled = await settleDifferences(session, set, retry);
    if (settled === 0) return changed;
    changed += settled;
    await wait();
  }
  throw changedTooFast();
}

/** Copies and default partition are equal in every MVCC snapshot that a session can still have, and were compared. */
async function equalize(session: Session, set: DrainSet, request: DrainRequest, retry: Retry): Promise<void> {
  const wait = (): Promise<void> => waitForOlderSnapshots(session, request.budget, request.onProgress);
  // From here on each change finds the copy of its row.
  await wait();
  request.onProgress('comparing the copies with the default partition');
  await noteDifferences(session, set);
  const changed = await settleAll(session, set, wait, retry);
  request.onProgress('checking what the messages refer to');
  await addReferences(session, set, retry);
  if (changed === 0) return;
  request.onProgress('comparing the copies with the default partition');
  const differing = await noteDifferences(session, set);
  if (differing > 0)
    throw new AisecError('DATABASE_FAILED', `${differing} rows of the default partition and their copies differ`, {
      detail:
        'Something changed the default partition past its triggers. The copies are dropped; no changes were made.',
      hint: 'Run it again; if it happens again, report it.',
    });
}

async function swapWhenSettled(
  session: Session,
  set: DrainSet,
  mirrored: { readonly identity: string; readonly bounds: readonly string[] },
  request: DrainRequest,
  retry: Retry,
): Promise<string> {
  for (let round = 1; ; round += 1) {
    try {
      return await retry(() => swapCopies(session, set, mirrored));
    } catch (error) {
      if (!(error instanceof NotSettled)) throw error;
      if (round === ROUNDS) throw changedTooFast();
      await settleAll(session, set, () => waitForOlderSnapshots(session, request.budget, request.onProgress), retry);
    }
  }
}

async function countRows(session: Session, { copies }: DrainSet): Promise<ReadonlyMap<Month, number>> {
  const months = copies.flatMap(({ month, table }) => (month === null ? [] : [{ month, table }]));
  if (months.length === 0) return new Map();
  const { rows } = await session.query<{ month: Month; rows: number }>(
    months
      .map(({ month, table }) => `select '${month}' as month, count(*)::float8 as rows from only ${table}`)
      .join('\nunion all '),
  );
  return new Map(rows.map(({ month, rows: count }) => [month, count]));
}

async function drain(session: Session, request: DrainRequest): Promise<DrainResult> {
  const { schema, source, months, budget, onProgress } = request;
  const retry: Retry = (run) =>
    withLockRetries(session, { budget, onRetry: (reason) => onProgress(`waiting for a lock: ${reason}`) }, run);
  await retry(() => dropLeftovers(session, schema));
  const set = await createCopies(session, schema, source, months);
  await loadCopies(session, set, (share) =>
    onProgress(`copying the default partition beside, ${Math.floor(share * 100)} %`),
  );
  onProgress('building the indexes of the copies');
  await indexCopies(session, set);
  const identity = await retry(() => beginMirror(session, set));
  await equalize(session, set, request, retry);
  const bounds = await boundRest(session, set, request.partitions);
  const rows = await countRows(session, set);
  onProgress('putting the copies in the place of the default partition');
  const drained = await swapWhenSettled(session, set, { identity, bounds }, request, retry);
  return { rows, drained };
}

/**
 * Gives months that have rows in the default partition partitions of their own. The rows are copied beside, kept equal by
 * triggers and compared, then the copies take the place of the default partition by changes of the catalog alone; so no
 * writer waits for rows, however many there are, and nothing is ever in two places or in none (docs/adr/0019).
 *
 * @throws AisecError LOCK_TIMEOUT, PRIVILEGE_MISSING, CONNECTION_LOST, DISK_FULL, DATABASE_FAILED, INTERRUPTED,
 *   TERMINATED; then every row is where it was.
 */
export async function drainMonths(session: Session, request: DrainRequest): Promise<DrainResult> {
  try {
    return await drain(session, request);
  } catch (error) {
    // Where there is no connection any more, or a table is locked, the next run drops them.
    await dropLeftovers(session, request.schema).catch(() => undefined);
    throw error;
  }
}
