import { rollBack, type Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import type { Month } from '../../base/month.js';
import { countDefaultRows, type DefaultRows } from './default-rows.js';
import type { PartitionFacts, PartitionFinding } from './finding.js';
import { readingPartitions } from './locked.js';
import { boundFindings, countMonthsAhead, defaultFindings, missingMonthFindings } from './month-findings.js';
import { partitionFindings } from './partition-findings.js';
import { readPartitions, type PartitionSet } from './partition.js';

/** What a verdict is made of. */
export interface PartitionState {
  readonly schema: string;
  readonly set: PartitionSet;
  readonly facts: readonly PartitionFacts[];
  readonly defaultRows: DefaultRows;
}

/** What is not as it should be, the most urgent first. Looks at nothing but its arguments. */
export function judgePartitions(state: PartitionState, minAhead: number): readonly PartitionFinding[] {
  const { schema, set, facts, defaultRows } = state;
  return [
    ...boundFindings(set, facts, schema),
    ...missingMonthFindings(set, minAhead, schema),
    ...defaultFindings(set, defaultRows, schema),
    ...set.partitions.flatMap((partition) => {
      const own = facts.find((row) => row.partition === partition.name && row.partition_schema === partition.schema);
      return own === undefined ? [] : partitionFindings(partition, own, schema);
    }),
  ];
}

/** Reads all of it in one read-only snapshot. @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING, LOCK_TIMEOUT. */
export async function readPartitionState(session: Session, schema: string): Promise<PartitionState> {
  await session.query('begin isolation level repeatable read read only');
  try {
    // A policy that hides rows of the default partition would make it look empty; now it is an error.
    await session.query('set local row_security to off');
    const set = await readPartitions(session, schema);
    const { rows: facts } = await session.query<PartitionFacts>(sqlFile('partitions/facts'), [schema]);
    const defaultPartition = set.partitions.find(({ isDefault, root }) => isDefault && root === 'messages');
    const defaultRows = await countDefaultRows(session, defaultPartition);
    return { schema, set, facts, defaultRows };
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
