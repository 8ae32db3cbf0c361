import type { Session } from '../../adapters/postgres/session.js';
import { aisecVersion } from '../../base/version.js';
import { monitorGrowth } from './growth/growth.js';
import type { ReportData, Verdicts } from './page/report-data.js';
import { monitorPartitions } from './partitions.js';
import { monitorTables } from './tables.js';

export interface ReportOptions {
  readonly schema: string;
  /** Months of the forecast. */
  readonly ahead: number;
  readonly limitBytes: number | null;
  readonly onStep: (text: string) => void;
}

function versionText(serverVersion: number): string {
  return `${Math.floor(serverVersion / 10_000)}.${serverVersion % 10_000}`;
}

/**
 * Everything the page shows, read in short transactions that wait for nobody.
 *
 * @throws AisecError MIGRATION_PENDING when there are no tables of messages.
 */
export async function readReport(session: Session, options: ReportOptions, verdicts: Verdicts): Promise<ReportData> {
  const { schema, onStep } = options;
  onStep('measuring the tables');
  const tables = await monitorTables(session, schema);
  const partitions = await monitorPartitions(session, schema);
  onStep('working out the growth');
  const growth = await monitorGrowth(session, options, partitions);
  return {
    databaseName: session.info.databaseName,
    serverVersion: versionText(session.info.serverVersion),
    toolVersion: aisecVersion(),
    tables,
    partitions,
    growth,
    indexes: null,
    findings: verdicts.findings,
    skipped: [...verdicts.skipped, ...tables.skipped, ...partitions.skipped, ...growth.skipped],
  };
}
