import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { firstDay, type Month } from '../../../base/month.js';
import { aisecVersion } from '../../../base/package/version.js';

/** An id for a row that is written later, in the transaction of the action. */
export async function nextJournalId(session: Session): Promise<string> {
  const { rows } = await session.query<{ id: string }>(
    `select pg_catalog.nextval(pg_catalog.pg_get_serial_sequence('archive_journal', 'id'))::text as id`,
  );
  return rows[0]?.id ?? '';
}

export interface SwapEntry {
  readonly id: string;
  readonly month: Month;
  readonly action: 'archive' | 'restore';
  readonly rows: number | null;
  readonly rowsAreExact: boolean;
  /** ISO; null for a restore. */
  readonly cutoff: string | null;
  /** Time of the first attempt, RFC 3339. */
  readonly startedAt: string;
  readonly attempts: number;
}

/** The row of a move; `partition` is an expression that returns the new name, and may make the move. */
export function swapRow(entry: SwapEntry, partition: string): string {
  const startedAt = `${quoteLiteral(entry.startedAt)}::timestamptz`;
  return `insert into archive_journal
  (id, month, action, partition_name, row_count, row_count_is_exact, cutoff,
   started_at, finished_at, lock_wait_ms, attempts, tool_version)
select ${entry.id}, '${firstDay(entry.month)}', '${entry.action}', moved.name,
  ${entry.rows ?? 'null'}, ${entry.rowsAreExact}, ${entry.cutoff === null ? 'null' : quoteLiteral(entry.cutoff)},
  ${startedAt}, moved.at, extract(epoch from moved.at - ${startedAt}) * 1000, ${entry.attempts},
  ${quoteLiteral(aisecVersion())}
from (
  select swapped.name, pg_catalog.clock_timestamp() as at
  from (select ${partition} as name offset 0) as swapped
  where swapped.name is not null
  offset 0
) as moved`;
}

/** The time by the server's clock, as RFC 3339. */
export async function serverTime(session: Session): Promise<string> {
  const { rows } = await session.query<{ at: string }>(
    `select pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  );
  return rows[0]?.at ?? '';
}

export interface JournalRow {
  readonly id: string;
  readonly partition_name: string;
  readonly lock_wait_ms: number | null;
  readonly row_count: number | null;
}

export async function readJournalRow(session: Session, id: string): Promise<JournalRow | undefined> {
  const { rows } = await session.query<JournalRow>(sqlFile('archive/journal-row'), [id]);
  return rows[0];
}

export interface RecordedExport {
  readonly month: Month;
  readonly file: string;
  readonly sha256: string;
  readonly rows: number;
  readonly exportedAt: Date;
}

/** The exports on record, newest first. */
export async function readExports(session: Session): Promise<readonly RecordedExport[]> {
  const { rows } = await session.query<RecordedExport>(sqlFile('archive/exports'));
  return rows;
}

/** Months whose prune was begun and not finished, with the id of its row. */
export async function readUnfinishedPrunes(session: Session): Promise<ReadonlyMap<Month, string>> {
  const { rows } = await session.query<{ month: Month; id: string }>(sqlFile('archive/unfinished-prunes'));
  return new Map(rows.map(({ month, id }) => [month, id]));
}

export interface ExportEntry {
  readonly month: Month;
  readonly partition: string;
  readonly file: string;
  readonly manifest: { readonly rows: number; readonly sha256: string; readonly exportedAt: string };
}

export async function recordExport(session: Session, { month, partition, file, manifest }: ExportEntry): Promise<void> {
  await session.query(sqlFile('archive/record-export'), [
    firstDay(month),
    partition,
    manifest.rows,
    file,
    manifest.sha256,
    manifest.exportedAt,
    aisecVersion(),
  ]);
}
