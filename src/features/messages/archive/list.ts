import { existsSync } from 'node:fs';

import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Month } from '../../../base/month.js';
import { verifyExport } from './exports/verify.js';
import { COUNTED_BYTES, countRows, readFacts, type PartitionFacts } from './facts.js';
import { readExports, readUnfinishedPrunes, type RecordedExport } from './journal.js';

/** `partly live`: the rest of the month is still in messages. `being pruned`: a prune was begun and stopped. */
export type MonthState = 'archived' | 'partly live' | 'being pruned';

/**
 * `stale`: the month has changed since. `unverified`: as many messages as the month, not compared. Only with `verifies`:
 * `complete`: exactly the messages of the month; `damaged`; `missing`: no such file on this machine.
 */
export type ExportState = 'unverified' | 'stale' | 'complete' | 'damaged' | 'missing';

export interface ListedExport {
  readonly file: string;
  readonly rows: number;
  readonly exportedAt: string;
  readonly state: ExportState;
  /** Why it is stale or damaged. */
  readonly reason: string | null;
}

export interface ListedMonth {
  /** `2024-01`; null for a partition that is not a calendar month. */
  readonly month: string | null;
  readonly partition: string;
  readonly state: MonthState;
  /** Counted for a month with exports or without statistics, else the planner's estimate; null when unknown. */
  readonly rows: number | null;
  readonly rowsAreExact: boolean;
  readonly sizeBytes: number;
  /** RFC 3339; null when the journal does not have it. */
  readonly archivedAt: string | null;
  /** Newest first, each file once. */
  readonly exports: readonly ListedExport[];
}

export interface ArchiveListing {
  readonly database: string;
  readonly schema: string;
  readonly months: readonly ListedMonth[];
}

export interface ListOptions {
  readonly schema: string;
  /** Whether every export is read and compared with its month. */
  readonly verifies: boolean;
  readonly onProgress: (text: string) => void;
}

async function rowsOf(
  session: Session,
  partition: PartitionFacts,
  isExported: boolean,
): Promise<Pick<ListedMonth, 'rows' | 'rowsAreExact'>> {
  const { rowEstimate, sizeBytes } = partition;
  const isCounted = isExported || ((rowEstimate ?? 0) === 0 && sizeBytes <= COUNTED_BYTES);
  return isCounted
    ? { rows: await countRows(session, partition.relation), rowsAreExact: true }
    : { rows: rowEstimate, rowsAreExact: false };
}

async function verifiedState(
  session: Session,
  partition: PartitionFacts,
  { month, file }: RecordedExport,
): Promise<Pick<ListedExport, 'state' | 'reason'>> {
  if (!existsSync(file)) return { state: 'missing', reason: null };
  const found = await verifyExport(session, file, month, partition.relation);
  if (!found.isVerified) {
    const isStale = /not in the file as it is now|columns of messages have changed/.test(found.reason);
    return { state: isStale ? 'stale' : 'damaged', reason: found.reason };
  }
  return found.changedSince === 0
    ? { state: 'complete', reason: null }
    : { state: 'stale', reason: `${found.changedSince} of its messages were deleted or changed since` };
}

async function listExports(
  session: Session,
  partition: PartitionFacts,
  exports: readonly RecordedExport[],
  monthRows: number,
  { verifies, onProgress }: ListOptions,
): Promise<readonly ListedExport[]> {
  const listed: ListedExport[] = [];
  for (const recorded of exports) {
    const { file, rows, exportedAt } = recorded;
    if (listed.some((known) => known.file === file)) continue;
    if (verifies) onProgress(`reading ${file}`);
    const judged = verifies
      ? await verifiedState(session, partition, recorded)
      : rows === monthRows
        ? { state: 'unverified' as const, reason: null }
        : { state: 'stale' as const, reason: `it has ${rows} messages, and the month ${monthRows}` };
    listed.push({ file, rows, exportedAt: exportedAt.toISOString(), ...judged });
  }
  return listed;
}

/**
 * The months in messages_archive, oldest first. Reads only. A role that may not count the rows of a month sees estimates.
 *
 * @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING.
 */
export async function listArchive(session: Session, options: ListOptions): Promise<ArchiveListing> {
  const { partitions } = await readFacts(session);
  const { rows: moves } = await session.query<{ month: string; archived_at: Date }>(sqlFile('archive/last-moves'));
  const movedAt = new Map(moves.map((row) => [row.month, row.archived_at]));
  const exports = await readExports(session);
  const pruned = await readUnfinishedPrunes(session);
  const live = new Set(partitions.flatMap(({ root, month }) => (root === 'messages' && month !== null ? [month] : [])));
  const stateOf = (month: Month | null): MonthState => {
    if (month !== null && pruned.has(month)) return 'being pruned';
    return month !== null && live.has(month) ? 'partly live' : 'archived';
  };
  const months: ListedMonth[] = [];
  for (const partition of partitions) {
    const { root, month, name, sizeBytes } = partition;
    if (root !== 'messages_archive') continue;
    const own = exports.filter((recorded) => recorded.month === month);
    const counted = await rowsOf(session, partition, own.length > 0);
    months.push({
      month,
      partition: name,
      state: stateOf(month),
      ...counted,
      sizeBytes,
      archivedAt: movedAt.get(month ?? '')?.toISOString() ?? null,
      exports: await listExports(session, partition, own, counted.rows ?? 0, options),
    });
  }
  return { database: session.info.label, schema: options.schema, months };
}
