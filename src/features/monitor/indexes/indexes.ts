import { refuseWithoutTables } from '../../../adapters/catalog/refuse-without-tables.js';
import { readReportHeader, type ReportHeader } from '../inspection/report-header.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { measureIndexBloat } from './index-bloat.js';
import { NOT_MEASURED, type Bloat, type MeasuredBloat } from '../bloat/bloat-meter.js';
import { readIndexFacts, type IndexFacts, type KnownIndex } from './index-facts.js';
import { judgeIndex, type CounterWindow, type Judgement } from './index-verdict.js';
import { readMissingIndexes, type MissingIndex } from './missing-indexes.js';
import { readReplicaScans, readServerIdentity, windowMsOf, type Replica, type ReplicaScans } from './replica-scans.js';
import type { Report } from '../report.js';

export interface MonitoredIndex extends KnownIndex, Judgement {
  /** On all replicas together; null when none was named. */
  readonly replicaScans: number | null;
  /** Null unless it was asked for and could be measured. */
  readonly bloat: Bloat | null;
  /** Why it was asked for and there is not a number. */
  readonly bloatUnknown: string | null;
}

export interface IndexesReport extends Report {
  /** How long the counters have counted, on every server; null when one does not report it. */
  readonly windowMs: number | null;
  readonly unusedAfterMs: number;
  readonly replicas: readonly Replica[];
  readonly totalBytes: number;
  /** Of those that are redundant or unused. */
  readonly savingBytes: number;
  /** Largest first. */
  readonly indexes: readonly MonitoredIndex[];
  readonly missingIndexes: readonly MissingIndex[];
}

export interface IndexesOptions {
  /** From which time of counting on no scan means unused. */
  readonly unusedAfterMs: number;
  /** Reads every b-tree whole, for 10 s at most. */
  readonly withBloat?: boolean;
  /** Runs the callback on each replica, one after the other. */
  readonly onReplicas?: <Result>(read: (replica: Session) => Promise<Result>) => Promise<readonly Result[]>;
}

function windowOf(header: ReportHeader, unusedAfterMs: number, replicas: readonly ReplicaScans[]): CounterWindow {
  const windows = [windowMsOf(header), ...replicas.map(({ replica }) => replica.windowMs)];
  const known = windows.filter((windowMs) => windowMs !== null);
  return {
    windowMs: known.length < windows.length ? null : Math.min(...known),
    unusedAfterMs,
    isInRecovery: header.isInRecovery,
    replicas,
  };
}

function monitored(
  facts: IndexFacts,
  judgement: Judgement,
  replicas: readonly ReplicaScans[],
  measured: MeasuredBloat,
): MonitoredIndex {
  const { partOids: _, ...index } = facts;
  const { identifier, lastScanAt } = index;
  const elsewhere = replicas.flatMap(({ scans }) => scans.get(identifier) ?? []);
  const scannedAt = [lastScanAt, ...elsewhere.map((scan) => scan.lastScanAt)].filter((at) => at !== null);
  return {
    ...index,
    ...judgement,
    lastScanAt: scannedAt.toSorted().at(-1) ?? null,
    replicaScans: replicas.length === 0 ? null : elsewhere.reduce((sum, { count }) => sum + count, 0),
    bloat: measured.bloat.get(identifier) ?? null,
    bloatUnknown: measured.unknown.get(identifier) ?? null,
  };
}

async function scansOn(
  session: Session,
  schema: string,
  onReplicas: NonNullable<IndexesOptions['onReplicas']>,
): Promise<readonly ReplicaScans[]> {
  const main = await readServerIdentity(session);
  return onReplicas((replica) => readReplicaScans(replica, schema, main));
}

/**
 * The indexes of a schema, each with a verdict, and the foreign keys that lack one.
 *
 * @throws AisecError USAGE for a replica that is the server itself.
 */
export async function monitorIndexes(
  session: Session,
  schema: string,
  { unusedAfterMs, withBloat = false, onReplicas }: IndexesOptions,
): Promise<IndexesReport> {
  const header = await readReportHeader(session, schema);
  const facts = await readIndexFacts(session, schema);
  if (facts.length === 0) await refuseWithoutTables(session, schema);
  const missingIndexes = await readMissingIndexes(session, schema);
  // Before what takes long: one that cannot be reached ends the run.
  const replicas = onReplicas === undefined ? [] : await scansOn(session, schema, onReplicas);
  const measured = withBloat ? await measureIndexBloat(session, facts, header) : NOT_MEASURED;
  const window = windowOf(header, unusedAfterMs, replicas);
  const indexes = facts
    .map((index) => monitored(index, judgeIndex(index, window), replicas, measured))
    .toSorted((one, other) => other.sizeBytes - one.sizeBytes || (one.index < other.index ? -1 : 1));
  const idle = indexes.filter(({ verdict }) => verdict === 'unused' || verdict === 'redundant');
  return {
    ...header,
    skipped: measured.skipped,
    windowMs: window.windowMs,
    unusedAfterMs,
    replicas: replicas.map(({ replica }) => replica),
    totalBytes: indexes.reduce((sum, index) => sum + index.sizeBytes, 0),
    savingBytes: idle.reduce((sum, index) => sum + index.sizeBytes, 0),
    indexes,
    missingIndexes,
  };
}
