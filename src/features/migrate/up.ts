import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { LockBudget } from '../../adapters/postgres/locks/lock-budget.js';
import type { Session } from '../../adapters/postgres/session.js';
import type { RunOptions } from './apply/apply.js';
import { awaitedNote, distributeTenant, readTenantPlace, takeBackEmpty } from '../tenant/index.js';
import { labelOf } from './files/source.js';
import { indexOfMigration } from './find-migration.js';
import { refuseUnmetRequirements } from './requirements.js';
import { pendingOf, type MigrationStatus } from './history/compare.js';
import { ensurePartitions, type EnsuredPartition } from './ensure-partitions.js';
import { refuseHistoryFaults } from './history/history-faults.js';
import { refuseCollisions } from './collisions.js';
import { refuseUnsafeStatements } from './files/migration-folder.js';
import type { MigrationFile } from './files/migration-file.js';
import { warnOfOtherOwner } from './owner.js';
import { preflight } from './preflight.js';
import { compareWithDatabase, historyToCreate, type MigrateSettings, type Waits } from './prepare.js';
import type { Reporting } from '../../base/reporting.js';
import { runHooks } from './apply/run-hooks.js';
import { runOne, type DoneMigration } from './apply/run-one.js';

export interface UpOptions extends MigrateSettings, Waits {
  /** The last migration to apply; all of them when undefined. */
  readonly to: string | undefined;
  /** Whether a file that sorts before an applied one may run. */
  readonly allowsLate: boolean;
  /** Whether a history that a newer version has written is no fault, as after a deployment is rolled back. */
  readonly allowsNewer?: boolean;
}

export interface UpResult {
  readonly database: string;
  readonly schema: string;
  readonly applied: readonly DoneMigration[];
  /** Months made by ensure_message_partitions() at the end; none before the migration that has it. */
  readonly partitions: readonly EnsuredPartition[];
  /** The newest migration that is applied now; null when none is. */
  readonly at: string | null;
  /** What `to` left pending. */
  readonly pending: readonly string[];
  /** The node of Citus that the run has moved the new schema to; null elsewhere. */
  readonly distributedTo: string | null;
}

/** What one `up` has to do: pure, and the same for the dry run. */
export function planUp(
  statuses: readonly MigrationStatus[],
  options: Pick<UpOptions, 'schema' | 'to' | 'allowsLate' | 'allowsNewer'>,
): readonly MigrationStatus[] {
  const last = options.to === undefined ? statuses.length - 1 : indexOfMigration(options.to, statuses);
  refuseHistoryFaults(statuses, options);
  const plan = pendingOf(statuses.slice(0, last + 1), options.allowsLate);
  refuseUnmetRequirements(
    filesOf(plan),
    statuses.filter((status) => status.entry !== undefined),
    statuses,
  );
  return plan;
}

export function filesOf(statuses: readonly MigrationStatus[]): readonly MigrationFile[] {
  return statuses.flatMap((status) => (status.file === undefined ? [] : [status.file]));
}

async function applyAll(
  session: Session,
  plan: readonly MigrationStatus[],
  options: RunOptions,
  reporting: Reporting,
): Promise<readonly DoneMigration[]> {
  const applied: DoneMigration[] = [];
  // A crash of the server may take back commits that were not flushed yet, newest first: never a hole in the history.
  // The last one is flushed before success is reported, and with it all before it.
  for (const [index, { file, entry }] of plan.entries()) {
    if (file === undefined) continue;
    const isFlushedLater = index < plan.length - 1;
    reporting.onProgress(`applying ${labelOf(file)} (${index + 1} of ${plan.length})`);
    applied.push(await runOne(session, { file, entry }, 'up', { ...options, isFlushedLater }, reporting));
  }
  return applied;
}

/** A new schema where Citus distributes new schemas: when it is complete. */
async function distribute(
  session: Session,
  options: UpOptions,
  pending: readonly MigrationStatus[],
  reporting: Reporting,
): Promise<string | null> {
  if (pending.length > 0) {
    reporting.onWarning('The schema stays on the coordinator of Citus until no migration is pending.');
    return null;
  }
  return (await distributeTenant(session, options, reporting)).node;
}

/**
 * Applies the pending migrations in order, each in its own transaction with its history row, then makes the months
 * ahead. The hooks run before the first and after the last. Killed at any moment and run again, it continues where it was.
 *
 * @throws AisecError MIGRATION_FILE_INVALID, MIGRATION_HISTORY, MIGRATION_FAILED, MIGRATION_INCOMPLETE, LOCK_TIMEOUT,
 *   RUN_LOCKED, PRIVILEGE_MISSING, EXTENSION_MISSING, CONNECTION_LOST.
 */
export async function migrateUp(session: Session, options: UpOptions, reporting: Reporting): Promise<UpResult> {
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, async () => {
    const { statuses, recordedSources } = await compareWithDatabase(session, options);
    const plan = planUp(statuses, options);
    await refuseUnsafeStatements([...filesOf(plan), ...(options.hooks ?? [])]);
    const place = await readTenantPlace(session, options.schema);
    // The engine takes 60 ms to load; meanwhile the server works.
    const engine = plan.length > 0 ? import('../../adapters/migration-engine/engine.js') : undefined;
    if (plan.length > 0) {
      await preflight(session, filesOf(plan), options);
      await warnOfOtherOwner(session, options.schema, reporting);
    }
    await refuseCollisions(session, options.schema, filesOf(plan.filter((status) => status.entry === undefined)));
    const making = historyToCreate(options.schema, plan, recordedSources);
    const note = place === 'awaited' ? awaitedNote(options.schema) : '';
    if (place === 'awaited') await takeBackEmpty(session, options.schema);
    if (making !== undefined) await session.query(`${making}\n${note}`);
    await engine;
    if (plan.length > 0) await runHooks(session, 'before_up', options, reporting);
    const lockBudget = new LockBudget(options.maxWaitMs);
    const applied = await applyAll(
      session,
      plan,
      { ...options, lockBudget, isDistributed: place === 'distributed' },
      reporting,
    );
    await runHooks(session, 'after_up', options, reporting);
    const partitions = await ensurePartitions(session, options.schema, reporting);
    const pending = pendingOf(statuses, options.allowsLate).filter((status) => !plan.includes(status));
    const distributedTo = place === 'awaited' ? await distribute(session, options, pending, reporting) : null;
    const newest = applied.at(-1) ?? statuses.findLast((status) => status.entry !== undefined);
    return {
      database: session.info.label,
      schema: options.schema,
      applied,
      partitions,
      at: newest === undefined ? null : labelOf(newest),
      pending: pending.map(labelOf),
      distributedTo,
    };
  });
}
