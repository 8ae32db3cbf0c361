import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { firstDay, type Month } from '../../../base/month.js';
import type { MonthOutcomes } from './outcome.js';
import type { PlannedMonth } from './plan.js';

/** One step, in a transaction of its own: what it has committed the next one builds on. */
async function step(session: Session, schema: string, call: string, values: readonly unknown[] = []): Promise<number> {
  const { rows } = await withTransaction(session, () =>
    session.query<{ result: string | null }>(`select ${quoteIdentifier(schema)}.${call} as result`, values),
  );
  return Number(rows[0]?.result ?? 0);
}

/**
 * Drops what a drain left that did not end: its copies, its notes, its trigger. A look at the catalog when there is none.
 * They harm nobody, so when another session has them locked the next run drops them.
 *
 * @throws AisecError PRIVILEGE_MISSING, CONNECTION_LOST.
 */
export async function abandonDrain(session: Session, schema: string): Promise<void> {
  try {
    await step(session, schema, 'abandon_default_drain()::integer');
  } catch (error) {
    if (!isAisecError(error, 'LOCK_TIMEOUT')) throw error;
  }
}

/**
 * Drains months out of the default partition by copying them beside and putting the copies in its place, so that no
 * writer waits longer than for a lock, however many rows there are. Needs as much space again as the default partition.
 *
 * @throws AisecError LOCK_TIMEOUT, PRIVILEGE_MISSING, CONNECTION_LOST, DISK_FULL, DATABASE_FAILED, INTERRUPTED,
 *   TERMINATED; then every row is where it was, and abandonDrain drops what is left.
 */
export async function drainMonths(
  session: Session,
  schema: string,
  months: readonly PlannedMonth[],
  onProgress: (text: string) => void,
): Promise<MonthOutcomes> {
  const rows = new Map<Month, number>();
  await step(session, schema, 'begin_default_drain()::text');
  for (const { month, rows: count } of months) {
    onProgress(`copying ${count} rows of ${month} out of the default partition (${rows.size + 1} of ${months.length})`);
    rows.set(month, await step(session, schema, 'copy_default_month($1)', [firstDay(month)]));
  }
  await step(session, schema, 'protect_default_drain()::text');
  for (const { month } of months) {
    onProgress(`checking what the messages of ${month} refer to`);
    await step(session, schema, 'validate_default_month($1)::text', [firstDay(month)]);
  }
  onProgress('putting the months in the place of the default partition');
  await step(session, schema, 'finish_default_drain()::text');
  const made = { state: 'made', problem: null, isLockProblem: false, mend: null } as const;
  return new Map(
    months.map(({ month, partition, rows: planned }) => [
      month,
      { partition, rows: rows.get(month) ?? planned, ...made },
    ]),
  );
}
