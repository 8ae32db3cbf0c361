import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Month } from '../../../base/month.js';
import { readFacts } from './facts.js';
import { readExports, readUnfinishedPrunes } from './journal.js';

/** `partly live`: the rest of the month is still in messages. `being pruned`: a prune was begun and stopped. */
export type MonthState = 'archived' | 'partly live' | 'being pruned';

export interface ListedMonth {
  /** `2024-01`; null for a partition that is no calendar month. */
  readonly month: string | null;
  readonly partition: string;
  readonly state: MonthState;
  /** The planner's estimate; null when the partition was never analyzed. */
  readonly rowEstimate: number | null;
  readonly sizeBytes: number;
  /** RFC 3339; null when the journal does not know. */
  readonly archivedAt: string | null;
  readonly exports: readonly { readonly file: string; readonly rows: number; readonly exportedAt: string }[];
}

export interface ArchiveListing {
  readonly database: string;
  readonly schema: string;
  readonly months: readonly ListedMonth[];
}

/** The months in messages_archive, oldest first. Reads only. @throws AisecError MIGRATION_PENDING. */
export async function listArchive(session: Session, schema: string): Promise<ArchiveListing> {
  const { partitions } = await readFacts(session);
  const { rows } = await session.query<{ month: string; archived_at: Date }>(sqlFile('archive/last-moves'));
  const movedAt = new Map(rows.map((row) => [row.month, row.archived_at]));
  const exports = await readExports(session);
  const pruned = await readUnfinishedPrunes(session);
  const live = new Set(partitions.flatMap(({ root, month }) => (root === 'messages' && month !== null ? [month] : [])));
  const stateOf = (month: Month | null): MonthState => {
    if (month !== null && pruned.has(month)) return 'being pruned';
    return month !== null && live.has(month) ? 'partly live' : 'archived';
  };
  const months = partitions
    .filter(({ root }) => root === 'messages_archive')
    .map(({ month, name, rowEstimate, sizeBytes }) => ({
      month,
      partition: name,
      state: stateOf(month),
      rowEstimate,
      sizeBytes,
      archivedAt: movedAt.get(month ?? '')?.toISOString() ?? null,
      exports: exports
        .filter((found) => found.month === month)
        .map(({ file, rows: exported, exportedAt }) => ({
          file,
          rows: exported,
          exportedAt: exportedAt.toISOString(),
        })),
    }));
  return { database: session.info.label, schema, months };
}
