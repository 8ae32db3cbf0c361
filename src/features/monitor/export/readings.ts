import type { Session } from '../../../adapters/postgres/session.js';
import { readLive, type LiveReadings } from '../live/live.js';
import type { Thresholds } from '../live/thresholds.js';
import { monitorGrowth, type GrowthReport } from '../growth/growth.js';
import { monitorPartitions, type PartitionsReport } from '../partitions.js';
import { monitorTables, type TablesReport } from '../tables.js';

/** What an export is made of. */
export interface Readings {
  readonly databaseName: string;
  readonly tables: TablesReport;
  readonly partitions: PartitionsReport;
  readonly growth: GrowthReport;
  /** What stops the server now; nothing of it on the embedded database. */
  readonly live: LiveReadings;
  readonly durationMs: number;
}

export interface ReadingOptions {
  readonly schema: string;
  readonly limitBytes: number | null;
  readonly thresholds: Thresholds;
}

/** @throws AisecError MIGRATION_PENDING when there are no tables of messages. */
export async function takeReadings(
  session: Session,
  { schema, limitBytes, thresholds }: ReadingOptions,
): Promise<Readings> {
  const startedMs = performance.now();
  const tables = await monitorTables(session, schema);
  const partitions = await monitorPartitions(session, schema, tables.tables);
  const growth = await monitorGrowth(session, { schema, ahead: 1, limitBytes }, { partitions, tables: tables.tables });
  const live = await readLive(session, { schema, role: tables.role, thresholds });
  const durationMs = performance.now() - startedMs;
  return { databaseName: session.info.databaseName, tables, partitions, growth, live, durationMs };
}

export interface DefaultRows {
  readonly isEmpty: boolean;
  /** As the statistics have it; null when they were never counted. */
  readonly rows: number | null;
}

/** Of the default partitions; undefined when there is none, or none that could be measured. */
export function defaultRows({ partitions }: Readings): DefaultRows | undefined {
  const parts = partitions.months.filter(({ state, heapBytes }) => state === 'default' && heapBytes !== null);
  if (parts.length === 0) return undefined;
  if (parts.every(({ heapBytes }) => heapBytes === 0)) return { isEmpty: true, rows: 0 };
  const rows = parts.map((part) => part.rows).filter((count) => count !== null);
  const known = rows.length === parts.length ? rows.reduce((sum, count) => sum + count, 0) : null;
  return { isEmpty: known === 0, rows: known };
}
