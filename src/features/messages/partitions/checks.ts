import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Month } from '../../../base/month.js';
import { countDefaultRows, type DefaultRows } from './default-rows.js';
import type { PartitionFacts, PartitionFinding } from './finding.js';
import { readingPartitions } from './locked.js';
import { boundFindings, defaultFindings, missingMonthFindings } from './month-findings.js';
import { partitionFindings } from './partition-findings.js';
import { countMonthsAhead } from '../months-ahead.js';
import { readPartitions, type PartitionSet } from '../partition.js';

export type { FindingKind, PartitionFinding } from './finding.js';

/** What the catalog tells of the partitions. */
export interface PartitionLayout {
  readonly schema: string;
  readonly set: PartitionSet;
  readonly facts: readonly PartitionFacts[];
}

/** What a verdict is made of. */
export interface PartitionState extends PartitionLayout {
  readonly defaultRows: DefaultRows;
}

const NO_ROWS: DefaultRows = { byMonth: new Map(), undatedRows: 0 };

/** What is not as it should be with one partition each. Looks at nothing but its argument. */
function judgeEach({ schema, set, facts }: PartitionLayout): readonly PartitionFinding[] {
  return set.partitions.flatMap((partition) => {
    const own = facts.find((row) => row.partition === partition.name && row.partition_schema === partition.schema);
    return own === undefined ? [] : partitionFindings(partition, own, schema);
  });
}

/** All but what the rows of the default partition tell. Looks at nothing but its arguments. */
export function judgeLayout(layout: PartitionLayout, minAhead: number): readonly PartitionFinding[] {
  const { schema, set, facts } = layout;
  return [
    ...boundFindings(set, facts, schema),
    ...missingMonthFindings(set, minAhead, schema),
    ...defaultFindings(set, NO_ROWS, schema),
    ...judgeEach(layout),
  ];
}

/** What is not as it should be, the most urgent first. Looks at nothing but its arguments. */
export function judgePartitions(state: PartitionState, minAhead: number): readonly PartitionFinding[] {
  const { schema, set, facts, defaultRows } = state;
  return [
    ...boundFindings(set, facts, schema),
    ...missingMonthFindings(set, minAhead, schema),
    ...defaultFindings(set, defaultRows, schema),
    ...judgeEach(state),
  ];
}

/** Waits for whoever has a partition locked against readers, as long as the session does. @throws AisecError MIGRATION_PENDING. */
export async function readPartitionLayout(session: Session, schema: string): Promise<PartitionLayout> {
  const set = await readPartitions(session, schema);
  const { rows: facts } = await session.query<PartitionFacts>(sqlFile('partitions/facts'), [schema]);
  return { schema, set, facts };
}

/**
 * The default partition and its rows, of which a session with row_security off sees all or fails.
 *
 * @throws AisecError PRIVILEGE_MISSING.
 */
export async function checkDefaultPartition(
  session: Session,
  { schema, set }: PartitionLayout,
): Promise<readonly PartitionFinding[]> {
  return defaultFindings(set, await readDefaultRows(session, set), schema);
}

function readDefaultRows(session: Session, { partitions }: PartitionSet): Promise<DefaultRows> {
  const defaultPartition = partitions.find(({ isDefault, root }) => isDefault && root === 'messages');
  return countDefaultRows(session, defaultPartition);
}

/** Reads all of it in one read-only snapshot. @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING, LOCK_TIMEOUT. */
export async function readPartitionState(session: Session, schema: string): Promise<PartitionState> {
  await session.query('begin isolation level repeatable read read only');
  try {
    // A policy that hides rows of the default partition would make it look empty; now it is an error.
    await session.query('set local row_security to off');
    const layout = await readPartitionLayout(session, schema);
    return { ...layout, defaultRows: await readDefaultRows(session, layout.set) };
  } finally {
    await rollBack(session);
  }
}

export interface PartitionCheck {
  readonly database: string;
  readonly schema: string;
  readonly isHealthy: boolean;
  /** By the server's clock. */
  readonly currentMonth: Month;
  /** After the current one and without a gap; -1 when the current month has no partition. */
  readonly monthsAhead: number;
  readonly minAhead: number;
  readonly defaultRows: number;
  readonly findings: readonly PartitionFinding[];
}

/**
 * The verdict on the partitions. Reads only, takes no lock that a reader or writer waits for.
 *
 * @throws AisecError MIGRATION_PENDING when the tables are not there, PRIVILEGE_MISSING when the role may not count the
 *   rows of the default partition, LOCK_TIMEOUT when another session has a partition locked against readers.
 */
export async function checkPartitions(session: Session, schema: string, minAhead: number): Promise<PartitionCheck> {
  const state = await readingPartitions(() => readPartitionState(session, schema));
  const findings = judgePartitions(state, minAhead);
  const { byMonth, undatedRows } = state.defaultRows;
  return {
    database: session.info.label,
    schema,
    isHealthy: findings.length === 0,
    currentMonth: state.set.currentMonth,
    monthsAhead: countMonthsAhead(state.set),
    minAhead,
    defaultRows: [...byMonth.values()].reduce((sum, rows) => sum + rows, undatedRows),
    findings,
  };
}
