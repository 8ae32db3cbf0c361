import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { rollBack, withTransaction, type Session } from '../../adapters/postgres/session.js';
import { startAgain } from '../../adapters/postgres/start-again.js';
import { AisecError } from '../../base/errors.js';
import { sectionOf } from './apply/apply.js';
import type { MigrationStatus } from './history/compare.js';
import type { HistoryEntry } from './history/history.js';
import type { MigrationFile } from './files/migration-file.js';
import { refuseHistoryFaults } from './history/history-faults.js';
import { dropHistoryTables } from './history/history-sql.js';
import { findLosses, type Loss } from './losses.js';
import { rehearse } from './apply/rehearse.js';
import { compareWithDatabase, type MigrateSettings } from './prepare.js';
import type { Reporting } from '../../base/reporting.js';
import { runOne, type DoneMigration } from './apply/run-one.js';
import { refuseUnknownName } from './up.js';

export interface DownOptions extends MigrateSettings {
  /** Exactly one, the newest; everything after a name, which stays; or everything. */
  readonly target: { readonly kind: 'one' } | { readonly kind: 'to'; readonly name: string } | { readonly kind: 'all' };
  readonly lockTimeoutMs: number;
  readonly lockAttempts: number;
  readonly waitMs: number;
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
export interface RevertibleMigration {
  readonly name: string;
  readonly file: MigrationFile;
  readonly entry: HistoryEntry | undefined;
}

/** What a `down` would revert, newest first. @throws AisecError MIGRATION_UNKNOWN, MIGRATION_HISTORY, MIGRATION_IRREVERSIBLE. */
export function planDown(
  statuses: readonly MigrationStatus[],
  target: DownOptions['target'],
): readonly RevertibleMigration[] {
  refuseHistoryFaults(statuses, { allowsLate: true });
  const applied = statuses.filter(isApplied).toReversed();
  if (target.kind === 'to') {
    refuseUnknownName(target.name, statuses);
    if (!applied.some((status) => status.name === target.name)) {
      throw new AisecError('MIGRATION_UNKNOWN', `migration ${target.name} is not applied`, {
        hint: 'See: aisec migrate status',
      });
    }
  }
  const wanted =
    target.kind === 'one'
      ? applied.slice(0, 1)
      : applied.filter((status) => target.kind === 'all' || status.name > target.name);
  const plan = wanted.flatMap(({ name, file, entry }) => (file === undefined ? [] : [{ name, file, entry }]));
  for (const { file } of plan) sectionOf(file, 'down');
  return plan;
}

/** Sees what would be reverted and which rows that deletes, and throws to refuse it. */
export type Confirm = (plan: readonly string[], losses: readonly Loss[]) => Promise<void>;

export function lossesOf(
  session: Session,
  schema: string,
  plan: readonly RevertibleMigration[],
): Promise<readonly Loss[]> {
  return findLosses(
    session,
    schema,
    plan.map((status) => status.file),
  );
}

function names(plan: readonly RevertibleMigration[]): readonly string[] {
  return plan.map((status) => status.name);
}

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
    const { statuses } = await compareWithDatabase(session, options);
    const plan = planDown(statuses, options.target);
    const losses = await lossesOf(session, options.schema, plan);
    const untried = plan.findIndex((status) => !status.file.isTransactional);
    await session.query('begin');
    try {
      for (const { file } of untried === -1 ? plan : plan.slice(0, untried)) {
        reporting.onProgress(`trying ${file.name}`);
        await rehearse(session, file, 'down', options);
      }
    } finally {
      await rollBack(session);
    }
    const untriedFrom = plan[untried]?.name ?? null;
    return { database: session.info.label, schema: options.schema, wouldRevert: names(plan), losses, untriedFrom };
  });
}

/** With the last migration its history goes, too: nothing is left behind. */
async function dropEmptyHistory(session: Session, schema: string): Promise<void> {
  await withTransaction(session, async () => {
    await session.query(dropHistoryTables(schema));
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
    const { statuses, hasHistory } = await compareWithDatabase(session, options);
    const plan = planDown(statuses, options.target);
    if (plan.length > 0) await confirm(names(plan), await lossesOf(session, options.schema, plan));
    const reverted: DoneMigration[] = [];
    for (const status of plan) {
      reporting.onProgress(`reverting ${status.name} (${reverted.length + 1} of ${plan.length})`);
      reverted.push(await runOne(session, status, 'down', options, reporting));
    }
    const isEmpty = statuses.filter(isApplied).length === plan.length;
    await startAgain(session);
    if (isEmpty && hasHistory) await dropEmptyHistory(session, options.schema);
    return { database: session.info.label, schema: options.schema, reverted, isEmpty };
  });
}
