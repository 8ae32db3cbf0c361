import { inReadOnly } from './inspection/read-only.js';
import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { subtractAge, type Age } from '../../base/age.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { aisecVersion } from '../../base/package/version.js';
import { readDatabaseBytes } from './growth/database-size.js';
import { readRecordsAccess, recordsGrant } from './growth/records.js';
import { monitorTables, type MonitoredTable } from './tables.js';

export interface RecordOptions {
  readonly schema: string;
  /** One record at most in each slot of this length; the slots begin at midnight in UTC. */
  readonly slotMs: number;
  /** Older records are deleted. */
  readonly keep: Age;
  readonly isDryRun: boolean;
}

export interface RecordedTable {
  readonly table: string;
  readonly totalBytes: number;
  readonly heapBytes: number;
  readonly toastBytes: number;
  readonly indexBytes: number;
  readonly rows: number | null;
}

export interface RecordResult {
  readonly database: string;
  readonly schema: string;
  /** RFC 3339 in UTC. */
  readonly slot: string;
  readonly measuredAt: string;
  /** False when the slot had a record already: nothing was written. */
  readonly isNew: boolean;
  readonly isDryRun: boolean;
  readonly databaseBytes: number;
  readonly tables: readonly RecordedTable[];
  /** Left out of this record, since a session had them locked and they could only be estimated. */
  readonly lockedTables: readonly string[];
  /** Records past retention. */
  readonly deletedRecords: number;
}

/** @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING. */
async function requireRecords(session: Session, schema: string): Promise<void> {
  const access = await inReadOnly(session, () => readRecordsAccess(session, schema));
  if (!access.is_there)
    throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" of ${session.info.label} has no size_records`, {
      hint: 'Run: aisec migrate up',
    });
  if (!access.can_write)
    throw new AisecError('PRIVILEGE_MISSING', `role ${access.role_name} may not write records of sizes`, {
      hint: `Run it as the owner of the schema, or: ${recordsGrant(schema, access.role_name, 'select, insert, delete')}`,
    });
}

function recordedTable({ table, totalBytes, heapBytes, mapBytes, ...size }: MonitoredTable): RecordedTable {
  const { toastBytes, indexBytes, rows } = size;
  return { table, totalBytes, heapBytes: heapBytes + mapBytes, toastBytes, indexBytes, rows };
}

/** Writes the record unless the slot has one; deletes what is past retention only when it wrote one. */
async function writeRecord(session: Session, measured: RecordResult, keep: Age): Promise<RecordResult> {
  await session.query("select pg_catalog.set_config('search_path', $1, true)", [quoteIdentifier(measured.schema)]);
  const { slot, measuredAt, databaseBytes, tables } = measured;
  const taken = await session.query(sqlFile('monitor/take-slot'), [slot, measuredAt, databaseBytes, aisecVersion()]);
  if (taken.rowCount === 0) return measured;
  const rows = tables.map((table) => ({
    table_name: table.table,
    total_bytes: table.totalBytes,
    heap_bytes: table.heapBytes,
    toast_bytes: table.toastBytes,
    index_bytes: table.indexBytes,
    row_estimate: table.rows,
  }));
  await session.query(sqlFile('monitor/record-tables'), [slot, JSON.stringify(rows)]);
  const oldest = subtractAge(new Date(slot), keep);
  const deleted = await session.query('delete from size_records where slot < $1', [oldest]);
  return { ...measured, isNew: true, deletedRecords: deleted.rowCount };
}

async function isSlotFree(session: Session, schema: string, slot: string): Promise<boolean> {
  const { rowCount } = await session.query(`select from ${quoteIdentifier(schema)}.size_records where slot = $1`, [
    slot,
  ]);
  return rowCount === 0;
}

/**
 * Writes down how large the database and the schema's tables are, once in each time slot however often it is run, and by
 * however many at once: the slot is the primary key, and the second one finds it taken. The clock is the server's.
 *
 * @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING, DATABASE_READ_ONLY.
 */
export async function recordSizes(session: Session, options: RecordOptions): Promise<RecordResult> {
  const { schema, slotMs, keep, isDryRun } = options;
  await requireRecords(session, schema);
  const report = await monitorTables(session, schema);
  const measured: RecordResult = {
    database: report.database,
    schema,
    slot: new Date(Math.floor(Date.parse(report.takenAt) / slotMs) * slotMs).toISOString(),
    measuredAt: report.takenAt,
    isNew: false,
    isDryRun,
    databaseBytes: await readDatabaseBytes(session),
    tables: report.tables.filter(({ isEstimated }) => !isEstimated).map(recordedTable),
    lockedTables: report.tables.filter(({ isEstimated }) => isEstimated).map(({ identifier }) => identifier),
    deletedRecords: 0,
  };
  if (isDryRun) return { ...measured, isNew: await isSlotFree(session, schema, measured.slot) };
  return withTransaction(session, () => writeRecord(session, measured, keep));
}
