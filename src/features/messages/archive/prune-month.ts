import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { firstDay, type Month } from '../../../base/month.js';
import { aisecVersion } from '../../../base/version.js';
import type { PartitionFacts, Surroundings } from './facts.js';
import { withLockRetries, type RetryOptions } from './lock-retries.js';

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

interface KeyBatch {
  readonly seen: number;
  readonly deleted: number;
  readonly last_created_at: string | null;
  readonly last_id: string | null;
}

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

/** Deletes the keys of the next messages: their files and replies lose the reference by the foreign keys. */
function keyBatch(relation: string): string {
  return `with doomed as materialized (
  select id, created_at
  from only ${relation}
  where (created_at, id) > ($1::timestamptz, $2::uuid)
  order by created_at, id
  limit $3
), gone as (
  delete from message_keys k
  using doomed d
  where k.id = d.id and k.created_at = d.created_at
  returning 1
)
select
  (select count(*)::float8 from doomed) as seen,
  (select count(*)::float8 from gone) as deleted,
  (select created_at::text from doomed order by created_at desc, id desc limit 1) as last_created_at,
  (select id::text from doomed order by created_at desc, id desc limit 1) as last_id`;
}

async function deleteKeys(session: Session, entry: PruneEntry): Promise<number> {
  let after = '-infinity';
  let id = '00000000-0000-0000-0000-000000000000';
  let deletedKeys = 0;
  for (;;) {
    const values = [after, id, entry.batchRows];
    const { rows } = await withLockRetries(session, entry.retries, () =>
      session.query<KeyBatch>(keyBatch(entry.partition.relation), values),
    );
    const [batch] = rows;
    deletedKeys += batch?.deleted ?? 0;
    entry.onKeys(deletedKeys);
    if (batch === undefined || batch.last_created_at === null || batch.last_id === null || batch.seen < entry.batchRows)
      return deletedKeys;
    after = batch.last_created_at;
    id = batch.last_id;
  }
}

/**
 * Deletes the keys of an archived month in committed batches: the first half of a prune. Killed at any moment and run
 * again, it goes on. Returns the row of the journal and how many keys this run deleted.
 *
 * @throws AisecError LOCK_TIMEOUT.
 */
export async function deleteMonthKeys(
  session: Session,
  entry: PruneEntry,
): Promise<{ readonly journalId: string; readonly deletedKeys: number }> {
  const journalId = await beginPrune(session, entry);
  return { journalId, deletedKeys: await deleteKeys(session, entry) };
}

/**
 * One text, so that no lock is held over a round trip. A move into the archive is kept out by the SHARE UPDATE EXCLUSIVE
 * locks while messages are looked for that came since the export was proven: they still have their keys. The strong locks
 * come last, for the drop alone.
 */
function dropText({ month, partition }: PruneEntry, surroundings: Surroundings, journalId: string): string {
  const { relation } = partition;
  const tables = [...surroundings.referenceTables, 'messages_archive', relation];
  const list = (texts: readonly string[]): string => texts.map((text) => quoteLiteral(text).trim()).join(', ');
  return [
    'begin',
    `select lock_message_maintenance(array[${list(['messages_archive', relation])}]::regclass[])`,
    `do $look$
begin
  if exists (select from only ${relation} p join message_keys k on k.id = p.id and k.created_at = p.created_at) then
    raise exception 'messages came into ${month} while it was pruned'
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = 'They are kept. Export the month anew to another file, then prune again.';
  end if;
end
$look$`,
    `select lock_message_tables(array[${list(tables)}]::regclass[], array_fill('access exclusive'::text, array[${tables.length}]))`,
    `drop table ${relation}`,
    `update archive_journal set finished_at = pg_catalog.clock_timestamp() where id = ${journalId}`,
    'commit',
  ].join('; ');
}

/**
 * Drops the partition of a month whose keys are gone, in one short transaction with its row of the journal.
 *
 * @throws AisecError LOCK_TIMEOUT naming the holder; DATABASE_FAILED when messages came into it meanwhile.
 */
export async function dropMonth(
  session: Session,
  surroundings: Surroundings,
  entry: PruneEntry,
  journalId: string,
): Promise<void> {
  await withLockRetries(session, entry.retries, async () => {
    try {
      await session.query(dropText(entry, surroundings, journalId));
    } catch (error) {
      await rollBack(session);
      throw error;
    }
  });
}
