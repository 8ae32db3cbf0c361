import type { Finding } from '../../../base/finding.js';
import type { ActivityReport } from '../activity.js';
import type { GrowthReport } from '../growth/growth.js';
import type { ReplicaRow } from '../live/replicas.js';
import type { LocksReport } from '../locks.js';
import type { PartitionsReport } from '../partitions.js';
import type { QueriesReport } from '../queries/queries.js';
import type { TablesReport } from '../tables.js';
import type { VacuumReport } from '../vacuum.js';

/** What the checks found; the caller has run them. */
export interface Verdicts {
  /** The worst first. */
  readonly findings: readonly Finding[];
  readonly skipped: readonly Finding[];
}

/** An index as its users know it, partitions summed. */
export interface PageIndex {
  readonly name: string;
  readonly table: string;
  readonly sizeBytes: number;
  readonly scans: number;
  /** RFC 3339; null: never, since the counters began. */
  readonly lastUsed: string | null;
  readonly verdict: string;
  readonly isDoubtful: boolean;
}

export interface PageServer {
  /** Null where the role may not see them, and for the embedded database. */
  readonly replicas: readonly ReplicaRow[] | null;
  readonly extensions: readonly {
    readonly name: string;
    readonly installed: string;
    /** What the server's package has; null: its files are gone. */
    readonly available: string | null;
  }[];
}

/** What the page shows; it looks at nothing else. */
export interface ReportData {
  readonly databaseName: string;
  /** 17.2 */
  readonly serverVersion: string;
  readonly toolVersion: string;
  readonly tables: TablesReport;
  readonly partitions: PartitionsReport;
  readonly growth: GrowthReport;
  readonly indexes: readonly PageIndex[];
  readonly vacuum: VacuumReport;
  readonly locks: LocksReport;
  readonly activity: ActivityReport;
  readonly queries: QueriesReport;
  readonly server: PageServer;
  /** The worst first. */
  readonly findings: readonly Finding[];
  readonly skipped: readonly Finding[];
}
