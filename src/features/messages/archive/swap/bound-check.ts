import type { Session } from '../../../../adapters/postgres/session.js';
import { quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';
import type { PartitionFacts } from '../facts.js';
import { inShortTransaction, type RetryOptions } from '../../lock-retries.js';

const NAME = 'message_month_bounds';
/** For SHARE UPDATE EXCLUSIVE, which stops no reader and no writer: VALIDATE takes it. */
const LONG_LOCK_TIMEOUT = '5s';
/** For ACCESS EXCLUSIVE on the partition: ADD CONSTRAINT takes it, for an instant. */
const SHORT_LOCK_TIMEOUT = '100ms';

function freeName(taken: readonly string[]): string {
  let name = NAME;
  for (let number = 2; taken.includes(name); number += 1) name = `${NAME}_${number}`;
  return name;
}

/**
 * Gives a partition a validated CHECK equal to its bounds, so that attaching it elsewhere scans nothing under a lock. The
 * scan of VALIDATE stops no reader and no writer. Killed between the two, the next run validates.
 *
 * @throws AisecError LOCK_TIMEOUT.
 */
export async function ensureBoundCheck(
  session: Session,
  partition: PartitionFacts,
  retries: RetryOptions,
): Promise<void> {
  const { relation, boundCheck, lowerBound, upperBound, constraintNames } = partition;
  if (boundCheck?.isValid === true || lowerBound === null || upperBound === null) return;
  const name = boundCheck?.name ?? freeName(constraintNames);
  if (boundCheck === null) {
    const bounds = `created_at >= ${quoteLiteral(lowerBound)}::timestamptz and created_at < ${quoteLiteral(upperBound)}::timestamptz`;
    await inShortTransaction(session, retries, [
      // Sends a worker of autovacuum away first, which gives way only to one who waits for deadlock_timeout.
      `set local lock_timeout = '${LONG_LOCK_TIMEOUT}'`,
      `lock table only ${relation} in share update exclusive mode`,
      `set local lock_timeout = '${SHORT_LOCK_TIMEOUT}'`,
      `alter table ${relation} add constraint ${quoteIdentifier(name)} check (${bounds}) not valid`,
    ]);
  }
  await inShortTransaction(session, retries, [
    `set local lock_timeout = '${LONG_LOCK_TIMEOUT}'`,
    `alter table ${relation} validate constraint ${quoteIdentifier(name)}`,
  ]);
}
