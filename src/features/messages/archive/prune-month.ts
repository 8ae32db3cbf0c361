import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { addMonths, firstDay, monthStart, type Month } from '../../../base/month.js';
import { aisecVersion } from '../../../base/package/version.js';
import { readExportIds } from './exports/export-ids.js';
import type { PartitionFacts, Surroundings } from './facts.js';
import { inShortTransaction, withLockRetries, type RetryOptions } from '../lock-retries.js';
import { locksOfDrop } from './locks.js';

export interface PruneEntry {
  readonly month: Month;
  readonly partition: PartitionFacts;
  readonly cutoffMs: number;
  readonly export: { readonly file: string; readonly sha256: string } | null;
  /** The row of a prune that was begun and stopped. */
  readonly unfinishedId: string | undefined;
  readonly batchRows: number;
  readonly retries: RetryOptions;
  readonly onKeys: (deletedKeys: number) => void;
}

const FIRST_BATCH = 500;
/** How long one batch should hold the locks of its rows: a reply to one of them waits for that. */
const BATCH_MS = 100;

async function beginPrune(session: Session, entry: PruneEntry): Promise<string> {
  if (entry.unfinishedId !== undefined) return entry.unfinishedId;
  const { partition } = entry;
  const { rows } = await session.query<{ id: string }>(sqlFile('archive/begin-prune'), [
    firstDay(entry.month),
    partition.name,
    partition.rowEstimate,
    false,
    new Date(entry.cutoffMs).toISOString(),
    entry.export?.file ?? null,
    entry.export?.sha256 ?? null,
    aisecVersion(),
  ]);
  return rows[0]?.id ?? '';
}

/** The messages to delete, newest first: batch by batch, until there are none. */
type NextBatch = (size: number) => Promise<readonly string[]>;

/** Of a verified export: what came into the month since is not in it, and keeps its key. */
async function idsOfExport(session: Session, { file, sha256 }: NonNullable<PruneEntry['export']>): Promise<NextBatch> {
  const ids = await readExportIds(file, sha256, session.signal);
  let end = ids.count;
  return (size) => {
    const start = Math.max(0, end - size);
    const batch = ids.slice(start, end);
    end = start;
    return Promise.resolve(batch);
  };
}

function idsOfPartition(session: Session, relation: string): NextBatch {
  let before = 'infinity';
  let beforeId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  return async (size) => {
    const { rows } = await session.query<{ id: string; created_at: string }>(
      // By the columns, not by their texts, which a collation sorts otherwise: ORDER BY takes a bare name for that of the
      // output.
      `select month.id::text as id, month.created_at::text as created_at
       from only ${relation} as month
       where (month.created_at, month.id) < ($1::timestamptz, $2::uuid)
       order by month.created_at desc, month.id desc
       limit $3`,
      [before, beforeId, size],
    );
    const last = rows.at(-1);
    if (last !== undefined) [before, beforeId] = [last.created_at, last.id];
    return rows.map(({ id }) => id);
  };
}

/**
 * Newest first: a reply loses its key before the message it answers does, so that no reply of the month is updated. The
 * references of files and of replies in live months are set to null by their foreign keys, those in other archived months
 * by a trigger.
 */
async function deleteKeys(session: Session, entry: PruneEntry): Promise<number> {
  const { month, partition, batchRows, retries, onKeys } = entry;
  const next =
    entry.export === null ? idsOfPartition(session, partition.relation) : await idsOfExport(session, entry.export);
  let deletedKeys = 0;
  let size = Math.min(FIRST_BATCH, batchRows);
  for (let ids = await next(size); ids.length > 0; ids = await next(size)) {
    const startedMs = performance.now();
    const values = [ids, monthStart(month), monthStart(addMonths(month, 1))];
    const { rowCount } = await withLockRetries(session, retries, () =>
      session.query(sqlFile('archive/delete-keys'), values),
    );
    deletedKeys += rowCount;
    onKeys(deletedKeys);
    const factor = Math.min(2, Math.max(0.25, BATCH_MS / (performance.now() - startedMs)));
    size = Math.max(1, Math.min(batchRows, Math.round(size * factor)));
  }
  return deletedKeys;
}

/**
 * Deletes the keys of an archived month in committed batches: the first half of a prune. Stopped at any moment and run
 * again, it continues. Returns the row of the journal and how many keys this run deleted.
 *
 * @throws AisecError LOCK_TIMEOUT.
 */
export async function deleteMonthKeys(
  session: Session,
  entry: PruneEntry,
): Promise<{ readonly journalId: string; readonly deletedKeys: number }> {
  const journalId = await beginPrune(session, entry);
  // A plan that reads all keys for a batch would be the cheaper one by the planner's estimate.
  await session.query('set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off');
  try {
    return { journalId, deletedKeys: await deleteKeys(session, entry) };
  } finally {
    await session.cleanUp('reset enable_seqscan; reset enable_hashjoin; reset enable_mergejoin');
  }
}

/**
 * Drops the partition of a month whose keys are deleted, in one short transaction with its row of the journal, which is one
 * text, so that no lock is held over a round trip. The strong locks come last, for the drop alone. Messages that were
 * inserted by hand since the export was verified still have their keys.
 *
 * @throws AisecError LOCK_TIMEOUT naming the holder; DATABASE_FAILED when messages were added to it meanwhile.
 */
export async function dropMonth(
  session: Session,
  surroundings: Surroundings,
  { month, partition, retries }: PruneEntry,
  journalId: string,
): Promise<void> {
  const { relation } = partition;
  const tables = locksOfDrop(partition, surroundings).map((lock) => lock.relation);
  const list = (texts: readonly string[]): string => texts.map((text) => quoteLiteral(text).trim()).join(', ');
  await inShortTransaction(session, retries, [
    'select aisec_begin_message_maintenance()',
    `select aisec_lock_maintenance(array[${list(['messages_archive', relation])}]::regclass[])`,
    `do $look$
begin
  if exists (select from only ${relation} p join message_keys k on k.id = p.id and k.created_at = p.created_at) then
    raise exception 'messages were added to ${month} while it was pruned'
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = 'They are kept. Export the month again to another file, then prune again.';
  end if;
end
$look$`,
    `select aisec_lock_tables(array[${list(tables)}]::regclass[], array_fill('access exclusive'::text, array[${tables.length}]))`,
    `drop table ${relation}`,
    `update archive_journal set finished_at = pg_catalog.clock_timestamp() where id = ${journalId}`,
  ]);
}
