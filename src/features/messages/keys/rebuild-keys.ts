import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { withLockRetries } from '../lock-retries.js';
import { readPartitions } from '../partition.js';
import type { Reporting } from '../../../base/reporting.js';
import { compareKeys, type KeyDifference } from './compare-keys.js';

export interface RebuildOptions {
  readonly schema: string;
  readonly isDryRun: boolean;
  /** How long to wait for another run. */
  readonly waitMs: number;
  /** How long it waits for locks in all. */
  readonly maxWaitMs: number;
  /** Compares all keys in one statement, where a table without partitions would be read for each range. Default: false. */
  readonly isAtOnce?: boolean;
}

export interface RebuildResult {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** Keys that were inserted, deleted and corrected, or are to be. */
  readonly insertedKeys: number;
  readonly deletedKeys: number;
  readonly correctedKeys: number;
  /** Ids of several messages: only a person can decide which one is to stay. */
  readonly doubledIds: readonly string[];
}

const KEYS_A_BATCH = 1000;

interface RepairRow {
  readonly inserted: number;
  readonly corrected: number;
}

/** Inserts or corrects keys of messages. Each message is locked, so that it is not deleted meanwhile. */
async function repair(session: Session, ids: readonly string[]): Promise<RepairRow> {
  const { rows } = await session.query<RepairRow>(sqlFile('keys/repair'), [ids]);
  return rows[0] ?? { inserted: 0, corrected: 0 };
}

/** Deletes keys without a message. They are locked before: a message that is inserted with such an id waits. */
async function deleteOrphans(session: Session, ids: readonly string[]): Promise<number> {
  return withTransaction(session, async () => {
    await session.query('select from message_keys where id = any ($1::uuid[]) order by id for update', [ids]);
    const { rowCount } = await session.query(sqlFile('keys/delete-orphans'), [ids]);
    return rowCount;
  });
}

function* batches(differences: readonly KeyDifference[], kinds: readonly string[]): Generator<readonly string[]> {
  const ids = differences.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
  for (let first = 0; first < ids.length; first += KEYS_A_BATCH) yield ids.slice(first, first + KEYS_A_BATCH);
}

async function rebuild(
  session: Session,
  { schema, isDryRun, maxWaitMs, isAtOnce }: RebuildOptions,
  onProgress: (text: string) => void,
): Promise<RebuildResult> {
  const retries = {
    budget: new LockBudget(maxWaitMs),
    onRetry: (reason: string) => onProgress(`waiting for a lock: ${reason}`),
  };
  let [insertedKeys, deletedKeys, correctedKeys] = [0, 0, 0];
  const doubledIds: string[] = [];
  for await (const differences of compareKeys(session, onProgress, isAtOnce)) {
    const count = (wanted: string): number => differences.filter(({ kind }) => kind === wanted).length;
    doubledIds.push(...differences.flatMap(({ kind, id }) => (kind === 'doubled' ? [id] : [])));
    if (isDryRun) {
      insertedKeys += count('missing');
      correctedKeys += count('different');
      deletedKeys += count('orphaned');
      continue;
    }
    for (const ids of batches(differences, ['missing', 'different'])) {
      const { inserted, corrected } = await withLockRetries(session, retries, () => repair(session, ids));
      insertedKeys += inserted;
      correctedKeys += corrected;
    }
    for (const ids of batches(differences, ['orphaned']))
      deletedKeys += await withLockRetries(session, retries, () => deleteOrphans(session, ids));
  }
  return {
    database: session.info.label,
    schema,
    isDryRun,
    insertedKeys,
    deletedKeys,
    correctedKeys,
    doubledIds: doubledIds.toSorted(),
  };
}

/**
 * Makes message_keys equal to the messages, live and archived, in small committed batches beside writers: a run that is
 * killed is continued by the next. Messages are read only.
 *
 * @throws AisecError MIGRATION_PENDING, RUN_LOCKED, LOCK_TIMEOUT, PRIVILEGE_MISSING, CONNECTION_LOST, INTERRUPTED, TERMINATED.
 */
export async function rebuildKeys(
  session: Session,
  options: RebuildOptions,
  { onProgress }: Pick<Reporting, 'onProgress'>,
): Promise<RebuildResult> {
  // Without partitions it is a schema that `migrate adopt` is at work on.
  if (options.isAtOnce !== true) await readPartitions(session, options.schema);
  if (options.isDryRun) return rebuild(session, options, onProgress);
  return withRunLock(session, { waitMs: options.waitMs, onProgress }, () => rebuild(session, options, onProgress));
}
