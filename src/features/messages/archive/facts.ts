import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { monthEndMs, monthStartMs, type Month } from '../../../base/month.js';
import type { Root } from '../partition.js';
import { readPublications, type Publication } from '../publications.js';
import { sizesOnNode } from '../../tenant/index.js';
import { readColumnDifferences, type ColumnDifference } from './column-differences.js';

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

/** Whether any instant of the month belongs to the partition; the default one has no bounds of its own. */
export function holdsSomeOf({ lowerMs, upperMs, isDefault }: PartitionFacts, month: Month): boolean {
  return !isDefault && lowerMs < monthEndMs(month) && upperMs > monthStartMs(month);
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
  readonly columnDifferences: readonly ColumnDifference[];
  readonly publications: readonly Publication[];
  readonly deadlockTimeoutMs: number;
  readonly takenNames: readonly string[];
}

/** All that a plan is made from. */
export interface ArchiveFacts {
  readonly surroundings: Surroundings;
  readonly partitions: readonly PartitionFacts[];
}

/** Counting this much takes about 50 ms; a larger month that was never analyzed stays unknown. */
export const COUNTED_BYTES = 64 * 1024 * 1024;

/** The rows of one table, counted. */
export async function countRows(session: Session, relation: string): Promise<number> {
  const { rows } = await session.query<{ rows: number }>(`select count(*)::float8 as rows from only ${relation}`);
  return rows[0]?.rows ?? 0;
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
  const { rows: found } = await session.query<Omit<Surroundings, 'columnDifferences' | 'publications'>>(
    sqlFile('archive/surroundings'),
  );
  const [surroundings] = found;
  if (surroundings === undefined) throw new AisecError('INTERNAL', 'the surroundings of messages could not be read');
  const { rows: partitions } = await session.query<PartitionFacts>(sqlFile('archive/partitions'));
  const { schemaName } = surroundings;
  const onNode = await sizesOnNode(session, schemaName);
  return {
    surroundings: {
      ...surroundings,
      columnDifferences: await readColumnDifferences(session, schemaName),
      publications: await readPublications(session, schemaName),
    },
    partitions: partitions.map((partition) => ({
      ...partition,
      sizeBytes: onNode?.get(partition.name)?.totalBytes ?? partition.sizeBytes,
    })),
  };
}
