import { refuseWithoutTables } from '../../adapters/catalog/refuse-without-tables.js';
import { readReportHeader } from './inspection/report-header.js';
import { inReadOnly } from './inspection/read-only.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { groupBy } from '../../base/group-by.js';
import { NOT_MEASURED, type Bloat } from './bloat/bloat-meter.js';
import { measureBloat } from './bloat/bloat.js';
import type { Report } from './report.js';

export interface VacuumAtWork {
  readonly pid: number;
  readonly table: string;
  readonly phase: string;
  /** Of the heap, 0 to 1; null before it begins. */
  readonly share: number | null;
}

export interface MonitoredVacuum {
  readonly schema: string;
  readonly table: string;
  readonly identifier: string;
  /** Partitions that hold rows themselves; 0 for a plain table. */
  readonly partitionCount: number;
  /** Null when nothing was counted, as after a crash and on a standby. */
  readonly liveRows: number | null;
  readonly deadRows: number | null;
  /** Since the last analyze. */
  readonly changedRows: number | null;
  /** The latest of its partitions; RFC 3339. */
  readonly lastVacuumAt: string | null;
  readonly lastAnalyzeAt: string | null;
  /** How many of its tables autovacuum has to visit, by its own settings. */
  readonly vacuumsDue: number;
  readonly analyzesDue: number;
  /** Of the vacuums due, those for the age of transaction or multixact ids. */
  readonly freezesDue: number;
  /** How many of its tables autovacuum never visits, since it is off for them. */
  readonly autovacuumOff: number;
  /** The oldest of its tables and their TOAST tables, in transactions. */
  readonly xidAge: number | null;
  readonly mxidAge: number | null;
  /** Null unless it was asked for and could be measured. */
  readonly bloat: Bloat | null;
  /** Why it was asked for and there is not a number. */
  readonly bloatUnknown: string | null;
}

export interface VacuumReport extends Report {
  /** Most dead rows first. */
  readonly tables: readonly MonitoredVacuum[];
  readonly running: readonly VacuumAtWork[];
}

/** A table or partition, as sql/monitor/vacuum.sql has it. */
export interface VacuumRow {
  readonly root_oid: string;
  readonly oid: string;
  readonly toast_oid: string | null;
  readonly table_schema: string;
  readonly table_name: string;
  readonly identifier: string;
  readonly is_root: boolean;
  readonly is_partitioned: boolean;
  readonly live_rows: string;
  readonly dead_rows: string;
  readonly changed_rows: string;
  readonly has_counters: boolean;
  readonly last_vacuum: Date | null;
  readonly last_analyze: Date | null;
  readonly is_vacuum_due: boolean;
  readonly is_freeze_due: boolean;
  readonly is_never_analyzed: boolean;
  readonly freeze_max_age: number;
  readonly multixact_freeze_max_age: number;
  readonly is_autovacuum_off: boolean;
  readonly is_toast_autovacuum_off: boolean;
  readonly has_own_settings: boolean;
  readonly vacuum_after_rows: string;
  readonly estimated_rows: string | null;
  readonly is_analyze_due: boolean;
  readonly xid_age: number | null;
  readonly mxid_age: number | null;
  readonly vacuum_pid: number | null;
  readonly vacuum_phase: string | null;
  readonly vacuum_share: number | null;
}

function latest(times: readonly (Date | null)[]): string | null {
  const known = times.flatMap((time) => (time === null ? [] : [time.toISOString()]));
  return known.toSorted().at(-1) ?? null;
}

type Measured = Pick<MonitoredVacuum, 'bloat' | 'bloatUnknown'>;

function tableOf(root: VacuumRow, family: readonly VacuumRow[], measured: Measured): MonitoredVacuum {
  const leaves = family.filter((row) => !row.is_partitioned);
  const counted = leaves.filter((row) => row.has_counters);
  const sum = (read: (row: VacuumRow) => string): number | null =>
    counted.length < leaves.length ? null : counted.reduce((total, row) => total + Number(read(row)), 0);
  const oldest = (ages: readonly (number | null)[]): number | null =>
    ages.length === 0 ? null : Math.max(...ages.map((age) => age ?? 0));
  return {
    schema: root.table_schema,
    table: root.table_name,
    identifier: root.identifier,
    partitionCount: root.is_partitioned ? leaves.length : 0,
    liveRows: sum((row) => row.live_rows),
    deadRows: sum((row) => row.dead_rows),
    changedRows: sum((row) => row.changed_rows),
    lastVacuumAt: latest(leaves.map((row) => row.last_vacuum)),
    // The statistics of a partitioned table itself come only from an ANALYZE of it by hand.
    lastAnalyzeAt: latest((root.is_partitioned ? [root] : leaves).map((row) => row.last_analyze)),
    vacuumsDue: leaves.filter((row) => row.is_vacuum_due).length,
    analyzesDue: leaves.filter((row) => row.is_analyze_due).length,
    freezesDue: leaves.filter((row) => row.is_freeze_due).length,
    autovacuumOff: leaves.filter((row) => row.is_autovacuum_off).length,
    xidAge: oldest(leaves.map((row) => row.xid_age)),
    mxidAge: oldest(leaves.map((row) => row.mxid_age)),
    ...measured,
  };
}

/**
 * What autovacuum has to do in a schema, and how far it is. With `withBloat`, free and dead space are measured, which reads
 * the pages that are not known to be all visible.
 */
export async function monitorVacuum(session: Session, schema: string, withBloat: boolean): Promise<VacuumReport> {
  const header = await readReportHeader(session, schema);
  const { rows } = await inReadOnly(session, () => session.query<VacuumRow>(sqlFile('monitor/vacuum'), [schema]));
  if (rows.length === 0) await refuseWithoutTables(session, schema);
  const measured = withBloat ? await measureBloat(session, rows, header) : NOT_MEASURED;
  const tables = [...groupBy(rows, (row) => row.root_oid).entries()].flatMap(([rootOid, family]) => {
    const root = family.find((row) => row.is_root);
    const bloat = measured.bloat.get(rootOid) ?? null;
    const bloatUnknown = measured.unknown.get(rootOid) ?? null;
    return root === undefined ? [] : [tableOf(root, family, { bloat, bloatUnknown })];
  });
  const running = rows.flatMap((row) =>
    row.vacuum_pid === null
      ? []
      : [{ pid: row.vacuum_pid, table: row.identifier, phase: row.vacuum_phase ?? '', share: row.vacuum_share }],
  );
  return {
    ...header,
    skipped: measured.skipped,
    tables: tables.toSorted(
      (one, other) => (other.deadRows ?? 0) - (one.deadRows ?? 0) || (one.table < other.table ? -1 : 1),
    ),
    running,
  };
}
