import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import type { Month } from '../../../base/month.js';

export type Root = 'messages' | 'messages_archive';

/** An index the other root has and this partition lacks, or has only INVALID (`brokenIndex`). */
export interface IndexFault {
  /** What follows the table's name: ` USING btree (role)`. */
  readonly definition: string;
  readonly isUnique: boolean;
  readonly brokenIndex: string | null;
}

export interface PartitionFacts {
  readonly root: Root;
  /** Quoted, ready for SQL. */
  readonly relation: string;
  readonly name: string;
  readonly isDefault: boolean;
  /** Null unless the bounds are exactly one month in UTC. */
  readonly month: Month | null;
  readonly lowerBound: string | null;
  readonly upperBound: string | null;
  /** Epoch milliseconds; infinite where there is no bound. */
  readonly lowerMs: number;
  readonly upperMs: number;
  readonly isDetachPending: boolean;
  readonly sizeBytes: number;
  /** Null when it was never analyzed. */
  readonly rowEstimate: number | null;
  readonly isOwned: boolean;
  /** State of a CHECK equal to the bounds: with a valid one no move has to scan the table. */
  readonly boundCheck: { readonly name: string; readonly isValid: boolean } | null;
  readonly constraintNames: readonly string[];
  readonly indexFaults: readonly IndexFault[];
  readonly missingChecks: readonly { readonly name: string; readonly definition: string }[];
}

export interface Surroundings {
  readonly now: Date;
  readonly roleName: string;
  /** Quoted, like all the names of tables here. */
  readonly defaultPartition: string | null;
  /** What foreign keys of messages point to. */
  readonly referenceTables: readonly string[];
  readonly notOwned: readonly string[];
  readonly rowSecurityOn: readonly string[];
  readonly foreignKeys: readonly { readonly table: string; readonly name: string; readonly definition: string }[];
  readonly columnFaults: readonly {
    readonly name: string;
    readonly onMessages: string | null;
    readonly onArchive: string | null;
  }[];
  readonly publications: readonly string[];
  readonly deadlockTimeoutMs: number;
  readonly takenNames: readonly string[];
}

/** All that a plan is made from. */
export interface ArchiveFacts {
  readonly surroundings: Surroundings;
  readonly partitions: readonly PartitionFacts[];
}

interface PartitionRow {
  readonly root: Root;
  readonly relation: string;
  readonly name: string;
  readonly is_default: boolean;
  readonly month: Month | null;
  readonly lower_bound: string | null;
  readonly upper_bound: string | null;
  readonly lower_ms: number | null;
  readonly upper_ms: number | null;
  readonly is_detach_pending: boolean;
  readonly size_bytes: number;
  readonly row_estimate: number | null;
  readonly is_owned: boolean;
  readonly bound_check: 'valid' | 'not valid' | null;
  readonly bound_check_name: string | null;
  readonly check_names: readonly string[];
  readonly index_faults: readonly IndexFault[];
  readonly missing_checks: PartitionFacts['missingChecks'];
}

interface SurroundingsRow {
  readonly now_ms: number;
  readonly role_name: string;
  readonly default_partition: string | null;
  readonly reference_tables: readonly string[];
  readonly not_owned: readonly string[];
  readonly row_security_on: readonly string[];
  readonly foreign_keys: Surroundings['foreignKeys'];
  readonly column_faults: Surroundings['columnFaults'];
  readonly publications: readonly string[];
  readonly deadlock_timeout_ms: number;
  readonly taken_names: readonly string[];
}

function partitionFacts(row: PartitionRow): PartitionFacts {
  return {
    root: row.root,
    relation: row.relation,
    name: row.name,
    isDefault: row.is_default,
    month: row.month,
    lowerBound: row.lower_bound,
    upperBound: row.upper_bound,
    lowerMs: row.lower_ms ?? Number.NEGATIVE_INFINITY,
    upperMs: row.upper_ms ?? Number.POSITIVE_INFINITY,
    isDetachPending: row.is_detach_pending,
    sizeBytes: row.size_bytes,
    rowEstimate: row.row_estimate,
    isOwned: row.is_owned,
    boundCheck:
      row.bound_check === null ? null : { name: row.bound_check_name ?? '', isValid: row.bound_check === 'valid' },
    constraintNames: row.check_names,
    indexFaults: row.index_faults,
    missingChecks: row.missing_checks,
  };
}

/** @throws AisecError MIGRATION_PENDING when the archive or its journal is not there yet. */
export async function refuseUnready(session: Session): Promise<void> {
  const { rows } = await session.query<{ is_ready: boolean }>(sqlFile('archive/is-ready'));
  if (rows[0]?.is_ready === true) return;
  throw new AisecError('MIGRATION_PENDING', 'the archive of messages is not there yet', {
    detail: 'Its tables and functions come with the migrations up to 0020_default_partition_swap.',
    hint: 'Run: aisec migrate up',
  });
}

/** Reads all partitions of both roots and what surrounds them. Reads only. @throws AisecError MIGRATION_PENDING. */
export async function readFacts(session: Session): Promise<ArchiveFacts> {
  await refuseUnready(session);
  const { rows: found } = await session.query<SurroundingsRow>(sqlFile('archive/surroundings'));
  const [row] = found;
  if (row === undefined) throw new AisecError('INTERNAL', 'the surroundings of messages could not be read');
  const { rows: partitions } = await session.query<PartitionRow>(sqlFile('archive/partitions'));
  return {
    surroundings: {
      now: new Date(row.now_ms),
      roleName: row.role_name,
      defaultPartition: row.default_partition,
      referenceTables: row.reference_tables,
      notOwned: row.not_owned,
      rowSecurityOn: row.row_security_on,
      foreignKeys: row.foreign_keys,
      columnFaults: row.column_faults,
      publications: row.publications,
      deadlockTimeoutMs: row.deadlock_timeout_ms,
      takenNames: row.taken_names,
    },
    partitions: partitions.map(partitionFacts),
  };
}
