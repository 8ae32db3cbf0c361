import type { Session } from '../../adapters/postgres/session.js';
import { aisecVersion, postgresVersion } from '../../base/package/version.js';
import { monitorActivity } from './activity.js';
import { monitorGrowth } from './growth/growth.js';
import { monitorIndexes, type MonitoredIndex } from './indexes/indexes.js';
import { monitorLocks } from './locks.js';
import type { PageIndex, ReportData, Verdicts } from './page/report-data.js';
import { monitorPartitions } from './partitions.js';
import { monitorQueries } from './queries/queries.js';
import { readServerFacts } from './inspection/server-facts.js';
import { monitorTables } from './tables.js';
import { monitorVacuum } from './vacuum.js';

export interface ReportOptions {
  readonly schema: string;
  /** Months of the forecast. */
  readonly ahead: number;
  readonly limitBytes: number | null;
  readonly onStep: (text: string) => void;
}

/** As `monitor indexes` has it by default. */
const UNUSED_AFTER_MS = 14 * 24 * 3_600_000;

/** On the page; `monitor queries` has more. */
const SLOW_QUERIES = 10;

function pageIndex(index: MonitoredIndex): PageIndex {
  const { index: name, table, sizeBytes, scans, lastScanAt: lastUsed, verdict, reason } = index;
  const isDoubtful = ['unused', 'redundant', 'invalid', 'stray'].includes(verdict);
  return {
    name,
    table,
    sizeBytes,
    scans,
    lastUsed,
    verdict: reason === '' ? verdict : `${verdict}: ${reason}`,
    isDoubtful,
  };
}

/**
 * Everything the page shows, read in short transactions that wait for no other session.
 *
 * @throws AisecError MIGRATION_PENDING when there are no tables of messages.
 */
export async function readReport(session: Session, options: ReportOptions, verdicts: Verdicts): Promise<ReportData> {
  const { schema, onStep } = options;
  onStep('measuring the tables');
  const tables = await monitorTables(session, schema);
  const partitions = await monitorPartitions(session, schema, tables.tables);
  onStep('judging the indexes');
  const { indexes } = await monitorIndexes(session, schema, { unusedAfterMs: UNUSED_AFTER_MS });
  onStep('looking at vacuum and locks');
  const vacuum = await monitorVacuum(session, schema, false);
  const locks = await monitorLocks(session, schema);
  const activity = await monitorActivity(session, schema);
  const queries = await monitorQueries(session, schema, { limit: SLOW_QUERIES });
  const server = await readServerFacts(session);
  onStep('working out the growth');
  const growth = await monitorGrowth(session, options, { partitions, tables: tables.tables });
  return {
    databaseName: session.info.databaseName,
    serverVersion: postgresVersion(session.info.serverVersion),
    toolVersion: aisecVersion(),
    tables,
    partitions,
    growth,
    indexes: indexes.map(pageIndex),
    vacuum,
    locks,
    activity,
    queries,
    server,
    findings: verdicts.findings,
    skipped: [verdicts, tables, partitions, growth, vacuum, locks, activity, queries].flatMap(({ skipped }) => skipped),
  };
}
