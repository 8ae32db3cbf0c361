import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Month } from '../../../base/month.js';
import { checkKeys } from '../keys/check-keys.js';
import { keyFindings } from '../keys/key-findings.js';
import { publicationProblems, readPublications, type Publication } from '../publications.js';
import { countDefaultRows, type DefaultRows } from './default-rows.js';
import { findDrainedTables } from './drain/drained.js';
import { findLeftovers, type Leftovers } from './drain/leftovers.js';
import { asFindings, type PartitionFacts, type PartitionFinding, type PartitionProblem } from './finding.js';
import { maintenanceFindings } from './maintenance-findings.js';
import { readingPartitions } from './locked.js';
import { boundFindings, defaultFindings, missingMonthFindings } from './month-findings.js';
import { partitionFindings, rootTriggerFindings } from './partition-findings.js';
import { countMonthsAhead } from '../months-ahead.js';
import { defaultPartitionOf, readPartitions, type PartitionSet } from '../partition.js';

export type { FindingKind, PartitionFinding } from './finding.js';

/** What the catalog has of the partitions. */
export interface PartitionLayout {
  readonly schema: string;
  readonly set: PartitionSet;
  readonly facts: readonly PartitionFacts[];
  readonly publications: readonly Publication[];
  readonly leftovers: Leftovers;
  /** Drained default partitions, quoted. */
  readonly drained: readonly string[];
}

/** What a verdict is made of. */
export interface PartitionState extends PartitionLayout {
  readonly defaultRows: DefaultRows;
}

const NO_ROWS: DefaultRows = { byMonth: new Map(), undatedRows: 0 };

/** What is not as it should be with one partition each. Looks at nothing but its argument. */
function judgeEach({ schema, set, facts }: PartitionLayout): readonly PartitionProblem[] {
  return set.partitions.flatMap((partition) => {
    const own = facts.find((row) => row.partition === partition.name && row.partition_schema === partition.schema);
    return own === undefined ? [] : partitionFindings(partition, own, schema);
  });
}

/** All but what the rows of the default partition show. Looks at nothing but its arguments. */
export function judgeLayout(layout: PartitionLayout, minAhead: number): readonly PartitionFinding[] {
  return judge({ ...layout, defaultRows: NO_ROWS }, minAhead);
}

/** What is not as it should be, the most urgent first. Looks at nothing but its arguments. */
function judge(state: PartitionState, minAhead: number): readonly PartitionFinding[] {
  const { schema, set, facts, defaultRows, publications } = state;
  return asFindings([
    ...boundFindings(set, facts, schema),
    ...missingMonthFindings(set, minAhead, schema),
    ...maintenanceFindings(publicationProblems(publications, schema), state),
    ...defaultFindings(set, defaultRows, schema),
    ...rootTriggerFindings(set, facts, schema),
    ...judgeEach(state),
  ]);
}

/** Waits for a session that has a partition locked against readers, as long as the session does. @throws AisecError MIGRATION_PENDING. */
export async function readPartitionLayout(session: Session, schema: string): Promise<PartitionLayout> {
  const set = await readPartitions(session, schema);
  const { rows: facts } = await session.query<PartitionFacts>(sqlFile('partitions/facts'), [schema]);
  return {
    schema,
    set,
    facts,
    publications: await readPublications(session, schema),
    leftovers: await findLeftovers(session),
    drained: await findDrainedTables(session),
  };
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
  return asFindings(defaultFindings(set, await countDefaultRows(session, defaultPartitionOf(set)), schema));
}

/** Reads all of it in one read-only snapshot. @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING, LOCK_TIMEOUT. */
async function readPartitionState(session: Session, schema: string): Promise<PartitionState> {
  await session.query('begin isolation level repeatable read read only');
  try {
    // A policy that hides rows of the default partition would make it look empty; now it is an error.
    await session.query('set local row_security to off');
    const layout = await readPartitionLayout(session, schema);
    return { ...layout, defaultRows: await countDefaultRows(session, defaultPartitionOf(layout.set)) };
  } finally {
    await rollBack(session);
  }
}

export interface PartitionCheck {
  readonly database: string;
  readonly schema: string;
  /** True when there is no finding but notices. */
  readonly isHealthy: boolean;
  readonly hasCheckedKeys: boolean;
  /** By the server's clock. */
  readonly currentMonth: Month;
  /** After the current one and without a gap; -1 when the current month has no partition. */
  readonly monthsAhead: number;
  readonly minAhead: number;
  readonly defaultRows: number;
  readonly findings: readonly PartitionFinding[];
}

export interface CheckOptions {
  readonly schema: string;
  readonly minAhead: number;
  /** Whether every message is compared with its key: reads all messages. */
  readonly withKeys: boolean;
}

/**
 * The verdict on the partitions. Reads only, takes no lock that a reader or writer waits for.
 *
 * @throws AisecError MIGRATION_PENDING when the tables are not there, PRIVILEGE_MISSING when the role may not count the
 *   rows of the default partition, LOCK_TIMEOUT when another session has a partition locked against readers.
 */
export async function checkPartitions(
  session: Session,
  { schema, minAhead, withKeys }: CheckOptions,
  onProgress: (text: string) => void,
): Promise<PartitionCheck> {
  const state = await readingPartitions(() => readPartitionState(session, schema));
  const keys = withKeys ? keyFindings(await checkKeys(session, onProgress), schema) : [];
  const findings = [...judge(state, minAhead), ...asFindings(keys)];
  const { byMonth, undatedRows } = state.defaultRows;
  return {
    database: session.info.label,
    schema,
    isHealthy: findings.every(({ severity }) => severity === 'notice'),
    hasCheckedKeys: withKeys,
    currentMonth: state.set.currentMonth,
    monthsAhead: countMonthsAhead(state.set),
    minAhead,
    defaultRows: [...byMonth.values()].reduce((sum, rows) => sum + rows, undatedRows),
    findings,
  };
}
