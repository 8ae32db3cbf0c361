import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { LockBudget } from '../../adapters/postgres/locks/lock-budget.js';
import { withRollback, withTransaction, type Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';
import { sectionOf } from './apply/section.js';
import type { MigrationStatus } from './history/compare.js';
import type { HistoryEntry } from './history/history.js';
import type { MigrationFile } from './files/migration-file.js';
import { refuseHistoryFaults } from './history/history-faults.js';
import { dropHistoryTables } from './history/history-sql.js';
import { findLosses, type Loss } from './losses.js';
import { rehearse } from './apply/rehearse.js';
import { compareWithDatabase, type MigrateSettings, type Waits } from './prepare.js';
import type { Reporting } from '../../base/reporting.js';
import { runOne, type DoneMigration } from './apply/run-one.js';
import { isRepeatable, labelOf, type SourcedName } from './files/source.js';
import { indexOfMigration } from './find-migration.js';
import { lastAppliedFirst } from './history/applied-order.js';
import { refuseOtherSources } from './history/other-sources.js';

export interface DownOptions extends MigrateSettings, Waits {
  /** Exactly one, the newest; everything after a name, which stays; or everything. */
  readonly target: { readonly kind: 'one' } | { readonly kind: 'to'; readonly name: string } | { readonly kind: 'all' };
}

export interface DownResult {
  readonly database: string;
  readonly schema: string;
  readonly reverted: readonly DoneMigration[];
  /** True when nothing is left, the history included. */
  readonly isEmpty: boolean;
}

function isApplied(status: MigrationStatus): boolean {
  return status.entry !== undefined;
}

/** An applied migration with its file; a missing file is a fault of the history and refused before. */
export interface RevertibleMigration extends SourcedName {
  readonly file: MigrationFile;
  readonly entry: HistoryEntry | undefined;
}

/** They stand on what the numbered ones made. */
function repeatables(statuses: readonly MigrationStatus[]): readonly MigrationStatus[] {
  return statuses.filter((status) => isApplied(status) && isRepeatable(status)).toReversed();
}

function wantedOf(
  applied: readonly MigrationStatus[],
  statuses: readonly MigrationStatus[],
  target: DownOptions['target'],
): readonly MigrationStatus[] {
  if (target.kind === 'all') return [...repeatables(statuses), ...applied];
  if (target.kind === 'one') return applied.slice(0, 1);
  const kept = statuses[indexOfMigration(target.name, statuses)];
  const position = kept === undefined ? -1 : applied.indexOf(kept);
  if (position !== -1) return applied.slice(0, position);
  throw new AisecError('MIGRATION_UNKNOWN', `migration ${target.name} is not applied`, {
    hint: 'See: aisec migrate status',
  });
}

/** What a `down` would revert, the last applied first. @throws AisecError MIGRATION_UNKNOWN, MIGRATION_HISTORY, MIGRATION_IRREVERSIBLE. */
export function planDown(
  statuses: readonly MigrationStatus[],
  { schema, target }: Pick<DownOptions, 'schema' | 'target'>,
): readonly RevertibleMigration[] {
  refuseHistoryFaults(statuses, { schema, allowsLate: true });
  const wanted = wantedOf(lastAppliedFirst(statuses), statuses, target);
  const plan = wanted.flatMap(({ source, name, file, entry }) =>
    file === undefined ? [] : [{ source, name, file, entry }],
  );
  for (const { file } of plan) sectionOf(file, 'down');
  return plan;
}

/** Sees what would be reverted and which rows that deletes, and throws to refuse it. */
export type Confirm = (plan: readonly string[], losses: readonly Loss[]) => Promise<void>;

export interface DownRehearsal {
  readonly database: string;
  readonly schema: string;
  readonly wouldRevert: readonly string[];
  readonly losses: readonly Loss[];
  /** The first migration that runs without a transaction and could not be tried; null when all were. */
  readonly untriedFrom: string | null;
}

/**
 * Runs the Down sections in one transaction and rolls it back.
 *
 * @throws AisecError as `migrateDown`: what would fail there fails here.
 */
export async function dryRunDown(session: Session, options: DownOptions, reporting: Reporting): Promise<DownRehearsal> {
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, async () => {
    const { statuses, otherSources } = await compareWithDatabase(session, options);
    const plan = planDown(statuses, options);
    refuseOtherSources(otherSources, plan);
    const losses = await findLosses(session, options.schema, plan);
    const untried = plan.findIndex((status) => !status.file.isTransactional);
    await withRollback(session, async () => {
      for (const { file } of untried === -1 ? plan : plan.slice(0, untried)) {
        reporting.onProgress(`trying ${labelOf(file)}`);
        await rehearse(session, file, 'down', options);
      }
    });
    const first = plan[untried];
    const untriedFrom = first === undefined ? null : labelOf(first);
    const wouldRevert = plan.map(labelOf);
    return { database: session.info.label, schema: options.schema, wouldRevert, losses, untriedFrom };
  });
}

/** With the last migration of a source its history goes, too: nothing is left behind. */
async function dropEmptyHistories(session: Session, schema: string, sources: readonly string[]): Promise<void> {
  await withTransaction(session, async () => {
    for (const source of sources) await session.query(dropHistoryTables(schema, source));
  });
}

/**
 * Reverts migrations, newest first, each in its own transaction.
 *
 * `confirm` sees the plan before anything is changed and throws to refuse it.
 *
 * @throws AisecError MIGRATION_IRREVERSIBLE, MIGRATION_FAILED, LOCK_TIMEOUT, RUN_LOCKED, REFUSED.
 */
export async function migrateDown(
  session: Session,
  options: DownOptions,
  confirm: Confirm,
  reporting: Reporting,
): Promise<DownResult> {
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, async () => {
    const { statuses, recordedSources, otherSources } = await compareWithDatabase(session, options);
    const plan = planDown(statuses, options);
    refuseOtherSources(otherSources, plan);
    if (plan.length > 0) await confirm(plan.map(labelOf), await findLosses(session, options.schema, plan));
    const running = { ...options, lockBudget: new LockBudget(options.maxWaitMs) };
    const reverted: DoneMigration[] = [];
    for (const status of plan) {
      reporting.onProgress(`reverting ${labelOf(status)} (${reverted.length + 1} of ${plan.length})`);
      reverted.push(await runOne(session, status, 'down', running, reporting));
    }
    const revertedFiles = new Set(plan.map(({ file }) => file));
    const left = statuses.filter((status) => isApplied(status) && !(status.file && revertedFiles.has(status.file)));
    const emptied = [...recordedSources].filter((source) => !left.some((status) => status.source === source));
    const isEmpty = left.length === 0;
    if (plan.length > 0 || isEmpty) await dropEmptyHistories(session, options.schema, emptied);
    return { database: session.info.label, schema: options.schema, reverted, isEmpty };
  });
}
