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

interface IndexRow {
  readonly root_oid: string;
  readonly oid: string;
  readonly index_schema: string;
  readonly index_name: string;
  readonly identifier: string;
  readonly table_name: string;
  readonly is_root: boolean;
  readonly stores_rows: boolean;
  readonly is_stray: boolean;
  readonly method: string;
  readonly columns: string;
  readonly is_valid: boolean;
  readonly is_building: boolean;
  readonly is_unique: boolean;
  readonly is_primary: boolean;
  readonly is_exclusion: boolean;
  readonly is_replica_identity: boolean;
  readonly is_clustered: boolean;
  readonly is_expression: boolean;
  readonly is_partial: boolean;
  readonly is_referenced: boolean;
  readonly foreign_keys: readonly string[];
  readonly size_bytes: string;
  readonly is_estimated: boolean;
  readonly locked_by: number | null;
  readonly scans: string;
  readonly last_scan: Date | null;
  readonly covered_by: string | null;
}

function factsOf(root: IndexRow, family: readonly IndexRow[]): IndexFacts {
  const parts = family.filter((row) => row.stores_rows);
  const scannedAt = parts.flatMap(({ last_scan: at }) => (at === null ? [] : [at.toISOString()])).toSorted();
  return {
    schema: root.index_schema,
    index: root.index_name,
    identifier: root.identifier,
    table: root.table_name,
    method: root.method,
    columns: root.columns,
    isPartitioned: !root.stores_rows,
    partCount: parts.length,
    partOids: parts.map(({ oid }) => oid),
    usedParts: parts.filter(({ scans }) => Number(scans) > 0).length,
    sizeBytes: parts.reduce((sum, row) => sum + Number(row.size_bytes), 0),
    isEstimated: parts.some((row) => row.is_estimated),
    lockedBy: parts.find((row) => row.locked_by !== null)?.locked_by ?? null,
    scans: parts.reduce((sum, row) => sum + Number(row.scans), 0),
    lastScanAt: scannedAt.at(-1) ?? null,
    isValid: family.every((row) => row.is_valid || row.is_building),
    isBuilding: family.some((row) => row.is_building),
    isUnique: root.is_unique,
    isPrimary: root.is_primary,
    isExclusion: root.is_exclusion,
    isReplicaIdentity: family.some((row) => row.is_replica_identity),
    isClustered: family.some((row) => row.is_clustered),
    isExpression: root.is_expression,
    isPartial: root.is_partial,
    isReferenced: root.is_referenced,
    isStray: root.is_stray,
    foreignKeys: root.foreign_keys,
    coveredBy: root.covered_by,
  };
}

/** The indexes of a schema's tables; what another session has locked is estimated, and nothing waits for it. */
export async function readIndexFacts(session: Session, schema: string): Promise<readonly IndexFacts[]> {
  const { rows } = await whileMeasuring(session, (isEstimated) =>
    session.query<IndexRow>(sqlFile('monitor/indexes'), [schema, isEstimated]),
  );
  return [...groupBy(rows, (row) => row.root_oid).values()].flatMap((family) => {
    const root = family.find((row) => row.is_root);
    return root === undefined ? [] : [factsOf(root, family)];
  });
}
