import { refuseWithoutTables } from '../../adapters/catalog/refuse-without-tables.js';
import { readReportHeader } from './inspection/report-header.js';
import type { Session } from '../../adapters/postgres/session.js';
import type { Report } from './report.js';
import { readTableSizes, type LogicalTable } from './table-sizes.js';

export interface MonitoredTable extends LogicalTable {
  /** Of all the schema's tables, 0 to 1; null when they are empty. */
  readonly share: number | null;
  /** How many partitions were never counted, so that `rows` leaves theirs out. */
  readonly uncountedPartitions: number;
}

export interface TablesReport extends Report {
  readonly totalBytes: number;
  /** Largest first. */
  readonly tables: readonly MonitoredTable[];
}

/**
 * How large the tables of a schema are, partitions rolled up into the table they belong to.
 *
 * @throws AisecError MIGRATION_PENDING when the schema has no table.
 */
export async function monitorTables(session: Session, schema: string): Promise<TablesReport> {
  const header = await readReportHeader(session, schema);
  const tables = await readTableSizes(session, schema);
  if (tables.length === 0) await refuseWithoutTables(session, schema);
  const totalBytes = tables.reduce((sum, table) => sum + table.totalBytes, 0);
  return {
    ...header,
    skipped: [],
    totalBytes,
    tables: tables
      .map((table) => ({
        ...table,
        share: totalBytes === 0 ? null : table.totalBytes / totalBytes,
        uncountedPartitions: table.partitions.filter(({ rows }) => rows === null).length,
      }))
      .toSorted((one, other) => other.totalBytes - one.totalBytes || (one.table < other.table ? -1 : 1)),
  };
}
