import { whileMeasuring } from '../inspection/measuring.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { groupBy } from '../../../base/group-by.js';

/** One index as its users know it: that of a partitioned table with all its parts. */
export interface KnownIndex {
  readonly schema: string;
  readonly index: string;
  /** Qualified, as SQL takes it. */
  readonly identifier: string;
  readonly table: string;
  readonly method: string;
  readonly columns: string;
  readonly isPartitioned: boolean;
  /** How many parts store rows (1 for an index of a plain table), and how many of them were scanned. */
  readonly partCount: number;
  readonly usedParts: number;
  readonly sizeBytes: number;
  readonly isEstimated: boolean;
  readonly lockedBy: number | null;
  readonly scans: number;
  /** RFC 3339. */
  readonly lastScanAt: string | null;
  readonly isValid: boolean;
  readonly isBuilding: boolean;
  readonly isUnique: boolean;
  readonly isPrimary: boolean;
  readonly isExclusion: boolean;
  readonly isReplicaIdentity: boolean;
  readonly isClustered: boolean;
  readonly isExpression: boolean;
  readonly isPartial: boolean;
  /** A foreign key refers to it. */
  readonly isReferenced: boolean;
  /** It is on one partition, and its siblings have none like it. */
  readonly isStray: boolean;
  /** Those whose rows it finds. */
  readonly foreignKeys: readonly string[];
  /** A valid index of the table that begins with the same columns. */
  readonly coveredBy: string | null;
}

export interface IndexFacts extends KnownIndex {
  /** Of the parts that store rows. */
  readonly partOids: readonly string[];
}

/** A part of an index, or the whole. */
interface IndexRow extends Omit<KnownIndex, 'isPartitioned' | 'partCount' | 'usedParts' | 'lastScanAt'> {
  readonly rootOid: string;
  readonly oid: string;
  readonly isRoot: boolean;
  readonly storesRows: boolean;
  readonly lastScanAt: Date | null;
}

function factsOf(root: IndexRow, family: readonly IndexRow[]): IndexFacts {
  const { rootOid: _rootOid, oid: _oid, isRoot: _isRoot, storesRows, ...own } = root;
  const { schema, index, identifier, table, method, columns, ...facts } = own;
  const parts = family.filter((row) => row.storesRows);
  const scannedAt = parts.flatMap(({ lastScanAt: at }) => (at === null ? [] : [at.toISOString()])).toSorted();
  return {
    schema,
    index,
    identifier,
    table,
    method,
    columns,
    isPartitioned: !storesRows,
    partCount: parts.length,
    partOids: parts.map(({ oid }) => oid),
    usedParts: parts.filter(({ scans }) => scans > 0).length,
    ...facts,
    sizeBytes: parts.reduce((sum, row) => sum + row.sizeBytes, 0),
    isEstimated: parts.some((row) => row.isEstimated),
    lockedBy: parts.find((row) => row.lockedBy !== null)?.lockedBy ?? null,
    scans: parts.reduce((sum, row) => sum + row.scans, 0),
    lastScanAt: scannedAt.at(-1) ?? null,
    isValid: family.every((row) => row.isValid || row.isBuilding),
    isBuilding: family.some((row) => row.isBuilding),
    isReplicaIdentity: family.some((row) => row.isReplicaIdentity),
    isClustered: family.some((row) => row.isClustered),
  };
}

/** The indexes of a schema's tables; what another session has locked is estimated, and nothing waits for it. */
export async function readIndexFacts(session: Session, schema: string): Promise<readonly IndexFacts[]> {
  const { rows } = await whileMeasuring(session, (isEstimated) =>
    session.query<IndexRow>(sqlFile('monitor/indexes'), [schema, isEstimated]),
  );
  return [...groupBy(rows, ({ rootOid }) => rootOid).values()].flatMap((family) => {
    const root = family.find(({ isRoot }) => isRoot);
    return root === undefined ? [] : [factsOf(root, family)];
  });
}
