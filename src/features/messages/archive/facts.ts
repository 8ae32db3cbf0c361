import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Month } from '../../../base/month.js';
import { readPublications, type Publication } from '../publications.js';
import { sizesOnNode, type SizeOnNode } from '../../tenant/index.js';

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
  /** Whether it has foreign keys to conversations or message_keys; those of the archive have none. */
  readonly hasForeignKeys: boolean;
  /** State of a CHECK equal to the bounds: with a valid one no move has to scan the table. */
  readonly boundCheck: { readonly name: string; readonly isValid: boolean } | null;
  readonly constraintNames: readonly string[];
  readonly indexFaults: readonly IndexFault[];
  readonly missingChecks: readonly { readonly name: string; readonly definition: string }[];
}

export interface Surroundings {
  readonly now: Date;
  readonly schemaName: string;
  readonly roleName: string;
  /** Owner of messages_archive. */
  readonly ownerName: string;
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
    /** For `add column` on the table that lacks it; null where no statement alone can do it. */
    readonly addition: string | null;
  }[];
  readonly publications: readonly Publication[];
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
  readonly has_foreign_keys: boolean;
  readonly bound_check: 'valid' | 'not valid' | null;
  readonly bound_check_name: string | null;
  readonly check_names: readonly string[];
  readonly index_faults: readonly IndexFault[];
  readonly missing_checks: PartitionFacts['missingChecks'];
}

interface SurroundingsRow {
  readonly now_ms: number;
  readonly role_name: string;
  readonly owner_name: string;
  readonly default_partition: string | null;
  readonly reference_tables: readonly string[];
  readonly not_owned: readonly string[];
  readonly row_security_on: readonly string[];
  readonly foreign_keys: Surroundings['foreignKeys'];
  readonly column_faults: Surroundings['columnFaults'];
  readonly schema_name: string;
  readonly deadlock_timeout_ms: number;
  readonly taken_names: readonly string[];
}

function partitionFacts(row: PartitionRow, onNode: SizeOnNode | undefined): PartitionFacts {
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
    sizeBytes: onNode?.totalBytes ?? row.size_bytes,
    rowEstimate: row.row_estimate,
    isOwned: row.is_owned,
    hasForeignKeys: row.has_foreign_keys,
    boundCheck:
      row.bound_check === null ? null : { name: row.bound_check_name ?? '', isValid: row.bound_check === 'valid' },
    constraintNames: row.check_names,
    indexFaults: row.index_faults,
    missingChecks: row.missing_checks,
  };
}

interface ReadyRow {
  readonly is_ready: boolean;
  readonly may_use: boolean | null;
  readonly role_name: string;
  readonly owner_name: string | null;
}

/**
 * Call it first: it also has the session print times as this feature reads them, whatever the role or the database says.
 *
 * @throws AisecError MIGRATION_PENDING when the archive or its journal does not exist; PRIVILEGE_MISSING.
 */
async function refuseUnready(session: Session): Promise<void> {
  await session.query("set datestyle = 'ISO, YMD'; set timezone = 'UTC'");
  const { rows } = await session.query<ReadyRow>(sqlFile('archive/is-ready'));
  const [row] = rows;
  if (row?.is_ready !== true)
    throw new AisecError('MIGRATION_PENDING', 'the archive of messages does not exist yet', {
      detail: 'Migrations make its tables and functions.',
      hint: 'Run: aisec migrate up',
    });
  if (row.may_use === true) return;
  const [role, owner] = [quoteIdentifier(row.role_name), quoteIdentifier(row.owner_name ?? '')];
  throw new AisecError('PRIVILEGE_MISSING', `role ${role} may not use the archive of messages`, {
    detail: `It belongs to role ${owner}, and only its members move, list or export months.`,
    hint: `Run: psql -c 'grant ${owner} to ${role} with inherit true'`,
  });
}

/** Reads all partitions of both roots and what surrounds them. Reads only. @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING. */
export async function readFacts(session: Session): Promise<ArchiveFacts> {
  await refuseUnready(session);
  const { rows: found } = await session.query<SurroundingsRow>(sqlFile('archive/surroundings'));
  const [row] = found;
  if (row === undefined) throw new AisecError('INTERNAL', 'the surroundings of messages could not be read');
  const { rows: partitions } = await session.query<PartitionRow>(sqlFile('archive/partitions'));
  const onNode = await sizesOnNode(session, row.schema_name);
  return {
    surroundings: {
      now: new Date(row.now_ms),
      roleName: row.role_name,
      ownerName: row.owner_name,
      defaultPartition: row.default_partition,
      referenceTables: row.reference_tables,
      notOwned: row.not_owned,
      rowSecurityOn: row.row_security_on,
      foreignKeys: row.foreign_keys,
      columnFaults: row.column_faults,
      schemaName: row.schema_name,
      publications: await readPublications(session, row.schema_name),
      deadlockTimeoutMs: row.deadlock_timeout_ms,
      takenNames: row.taken_names,
    },
    partitions: partitions.map((partition) => partitionFacts(partition, onNode?.get(partition.name))),
  };
}
