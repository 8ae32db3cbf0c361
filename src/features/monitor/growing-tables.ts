import { DAY_MS } from '../../base/duration.js';
import type { Session } from '../../adapters/postgres/session.js';
import { readRecords, RECORDS_DAYS } from './growth/records.js';
import { tableGrowth } from './growth/table-growth.js';
import { monitorTables, type MonitoredTable, type TablesReport } from './tables.js';

export interface GrowingTable extends MonitoredTable {
  /** As the records have it, in a month of 365.25 / 12 days; null for less than three records or seven days. */
  readonly bytesPerMonth: number | null;
  /** Since the last record; null when there is none with this table, or its size is estimated now. */
  readonly grownBytes: number | null;
}

export interface GrowingTablesReport extends TablesReport {
  /** When the last record was made, RFC 3339; null when there is none that could be read. */
  readonly recordedAt: string | null;
  readonly tables: readonly GrowingTable[];
}

const DAYS_PER_MONTH = 365.25 / 12;

/**
 * The sizes of the tables, and how they grow by the records of `monitor record`. Without records growth is not known: what
 * counters say of rows since an unknown time says nothing of bytes.
 *
 * @throws AisecError MIGRATION_PENDING when the schema has no table.
 */
export async function monitorGrowingTables(session: Session, schema: string): Promise<GrowingTablesReport> {
  const report = await monitorTables(session, schema);
  const since = new Date(Date.parse(report.takenAt) - RECORDS_DAYS * DAY_MS);
  const { records, skip } = await readRecords(session, schema, since);
  const last = records.at(-1);
  return {
    ...report,
    skipped: [...report.skipped, ...(skip === null ? [] : [skip])],
    recordedAt: last?.measuredAt ?? null,
    tables: report.tables.map((table) => {
      const perDay = tableGrowth(records, table.table)?.bytesPerDay?.expected;
      const recorded = last?.tableBytes[table.table];
      return {
        ...table,
        bytesPerMonth: perDay === undefined ? null : Math.round(perDay * DAYS_PER_MONTH),
        grownBytes: recorded === undefined || table.isEstimated ? null : table.totalBytes - recorded,
      };
    }),
  };
}
