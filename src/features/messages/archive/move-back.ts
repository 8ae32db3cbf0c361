import type { Session } from '../../../adapters/postgres/session.js';
import { isAisecError } from '../../../base/errors.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { addMonths, firstDay, monthEndMs, monthStart, type Month } from '../../../base/month.js';
import { ensureBoundCheck } from './swap/bound-check.js';
import { addForeignKeys } from './swap/foreign-keys.js';
import type { PartitionFacts, Surroundings } from './facts.js';
import { swapRow, type SwapEntry } from './journal.js';
import { lockTimeoutBelowDeadlockMs, type RetryOptions } from '../lock-retries.js';
import { moveRows } from './move-rows.js';
import { nameIn } from '../partition.js';
import { swapMonth, type SwapResult } from './swap/swap.js';

export interface MoveBack {
  readonly month: Month;
  readonly retries: RetryOptions;
  readonly onProgress: (text: string) => void;
}

export interface MovedBack extends SwapResult {
  readonly lateRows: number;
}

const BATCH_ROWS = 1000;
/** More messages than a batch may be written for the month between the last batch and the locks. */
const ROUNDS = 5;
const CHECK_VIOLATION = '23514';

/** One block, since the partition's new name is known to the server only: it may be in another schema. */
function swapBack(
  { relation }: PartitionFacts,
  { referenceTables }: Surroundings,
  entry: SwapEntry,
): readonly string[] {
  const { month } = entry;
  const tables = ['messages', 'messages_archive', ...referenceTables, relation];
  const list = tables.map((table) => quoteLiteral(table).trim()).join(', ');
  return [
    'select aisec_begin_message_move()',
    `do $move$
declare
  partition constant regclass := ${quoteLiteral(relation)};
begin
  perform aisec_lock_maintenance(array[${list}]::regclass[]);
  perform aisec_lock_message_swap(array[partition]);
  -- Messages that were written for the month since the last batch.
  if aisec_message_default_partition() is not null then
    perform aisec_move_messages_to_archive(
      aisec_message_default_partition(), '${firstDay(month)}', '-infinity', 'infinity', ${BATCH_ROWS}, false
    );
  end if;
  perform aisec_settle_message_checks(partition);
  execute pg_catalog.format('alter table messages_archive detach partition %s', partition);
  execute pg_catalog.format('alter table %s rename to %I', partition, ${quoteLiteral(nameIn('messages', month))});
  execute pg_catalog.format(
    'alter table messages attach partition %s for values from (%L) to (%L)',
    partition, ${quoteLiteral(monthStart(month))}, ${quoteLiteral(monthStart(addMonths(month, 1)))}
  );
end
$move$`,
    swapRow(entry, quoteLiteral(nameIn('messages', month))),
  ];
}

async function moveLateRows(
  session: Session,
  { defaultPartition, deadlockTimeoutMs }: Surroundings,
  { month, retries, onProgress }: MoveBack,
): Promise<number> {
  if (defaultPartition === null) return 0;
  const { movedRows } = await moveRows(session, {
    month,
    sources: [defaultPartition],
    beforeMs: monthEndMs(month),
    cutoffMs: monthEndMs(month),
    batchRows: BATCH_ROWS,
    deadlineMs: Number.POSITIVE_INFINITY,
    lockTimeoutMs: lockTimeoutBelowDeadlockMs(deadlockTimeoutMs),
    retries,
    onMoved: (moved) => onProgress(`${moved} messages that were written for it meanwhile`),
  });
  return movedRows;
}

/**
 * Moves a partition of the archive that is a whole month to messages, with the messages of the default partition.
 *
 * @throws AisecError LOCK_TIMEOUT naming the holder; DATABASE_FAILED.
 */
export async function moveBack(
  session: Session,
  partition: PartitionFacts,
  surroundings: Surroundings,
  move: MoveBack,
): Promise<MovedBack> {
  await ensureBoundCheck(session, partition, move.retries);
  await addForeignKeys(session, partition, surroundings, move.retries);
  const swap = {
    month: move.month,
    action: 'restore',
    rows: partition.rowEstimate,
    rowsAreExact: false,
    cutoff: null,
  } as const;
  let lateRows = 0;
  for (let round = 1; ; round += 1) {
    lateRows += await moveLateRows(session, surroundings, move);
    try {
      const swapped = await swapMonth(session, swap, move.retries, (entry) => swapBack(partition, surroundings, entry));
      return { ...swapped, lateRows };
    } catch (error) {
      // The default partition still has rows of the month.
      if (!isAisecError(error) || error.sqlState !== CHECK_VIOLATION || round >= ROUNDS) throw error;
    }
  }
}
