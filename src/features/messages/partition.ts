import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { addMonths, monthStart, parseMonth, type Month } from '../../base/month.js';

export type Root = 'messages' | 'messages_archive';

export interface Partition {
  readonly root: Root;
  readonly schema: string;
  readonly name: string;
  readonly isDefault: boolean;
  /** RFC 3339 in UTC, `-infinity` or `infinity`; null for the default partition. */
  readonly lowerBound: string | null;
  readonly upperBound: string | null;
  /** The month that it covers, no more and no less; null for other bounds and for the default partition. */
  readonly month: Month | null;
  /** A DETACH ... CONCURRENTLY was begun and never finished: its rows are in no table. */
  readonly isDetachPending: boolean;
}

export interface PartitionSet {
  /** By the server's clock. */
  readonly currentMonth: Month;
  /** Whether the schema has the function that makes months. */
  readonly canEnsure: boolean;
  /** Those of messages first, each by their lower bound. */
  readonly partitions: readonly Partition[];
}

interface BoundsRow {
  readonly root: Root;
  readonly is_migrated: boolean;
  readonly can_ensure: boolean;
  readonly current_month: string;
  readonly partition_schema: string | null;
  readonly partition: string | null;
  readonly is_default: boolean | null;
  readonly lower_bound: string | null;
  readonly upper_bound: string | null;
  readonly is_detach_pending: boolean | null;
}

/** The month whose bounds these are, exactly. */
export function monthOfBounds(lowerBound: string | null, upperBound: string | null): Month | null {
  const month = lowerBound === null ? undefined : parseMonth(lowerBound.slice(0, 7));
  if (month === undefined) return null;
  return lowerBound === monthStart(month) && upperBound === monthStart(addMonths(month, 1)) ? month : null;
}

function partitionOf(row: BoundsRow): readonly Partition[] {
  if (row.partition === null || row.partition_schema === null) return [];
  const lowerBound = row.lower_bound?.replace('.000000', '') ?? null;
  const upperBound = row.upper_bound?.replace('.000000', '') ?? null;
  return [
    {
      root: row.root,
      schema: row.partition_schema,
      name: row.partition,
      isDefault: row.is_default === true,
      lowerBound,
      upperBound,
      month: monthOfBounds(lowerBound, upperBound),
      isDetachPending: row.is_detach_pending === true,
    },
  ];
}

/** The default partition of messages; undefined when there is none. */
export function defaultPartitionOf({ partitions }: Pick<PartitionSet, 'partitions'>): Partition | undefined {
  return partitions.find(({ isDefault, root }) => isDefault && root === 'messages');
}

/** Whether any instant of the month belongs to the partition. */
export function coversAnyOf({ lowerBound, upperBound, month: own }: Partition, month: Month): boolean {
  if (own !== null) return own === month;
  if (lowerBound === null || upperBound === null) return false;
  // RFC 3339 texts of one time zone and four-digit years sort as the times do.
  const beginsBefore = lowerBound === '-infinity' || lowerBound < monthStart(addMonths(month, 1));
  const endsAfter = upperBound === 'infinity' || upperBound > monthStart(month);
  return beginsBefore && endsAfter;
}

export function notMigrated(session: Session, schema: string): AisecError {
  return new AisecError('MIGRATION_PENDING', `the schema "${schema}" of ${session.info.label} is not migrated`, {
    detail: 'It lacks the tables messages and messages_archive, or the functions that make their partitions.',
    hint: 'Run: aisec migrate up',
  });
}

/**
 * The partitions of messages and messages_archive, in one query that takes no lock.
 *
 * @throws AisecError MIGRATION_PENDING when the tables are not there.
 */
export async function readPartitions(session: Session, schema: string): Promise<PartitionSet> {
  const { rows } = await session.query<BoundsRow>(sqlFile('partitions/bounds'), [schema]);
  const [first] = rows;
  if (first === undefined || rows.some((row) => !row.is_migrated)) throw notMigrated(session, schema);
  const currentMonth = parseMonth(first.current_month);
  if (currentMonth === undefined) throw new Error(`the server's clock says ${first.current_month}`);
  return { currentMonth, canEnsure: first.can_ensure, partitions: rows.flatMap(partitionOf) };
}

/** The name that the migrations' own functions give the partition of a month. */
export function nameIn(root: Root, month: Month): string {
  return `${root}_y${month.replace('-', 'm')}`;
}

export function qualifiedName({ schema, name }: Pick<Partition, 'schema' | 'name'>): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}
