import { withRunLock } from '../../adapters/postgres/advisory-lock.js';
import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';
import { sectionOf } from './apply/apply.js';
import type { MigrationStatus } from './history/compare.js';
import type { HistoryEntry } from './history/history.js';
import type { MigrationFile } from './files/migration-file.js';
import { refuseHistoryFaults } from './history/history-faults.js';
import { dropHistoryTables } from './history/history-sql.js';
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
  refuseHistoryFaults(statuses, true);
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
  confirm: (plan: readonly string[]) => Promise<void>,
  reporting: Reporting,
): Promise<DownResult> {
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, async () => {
    const { statuses, hasHistory } = await compareWithDatabase(session, options);
    const plan = planDown(statuses, options.target);
    if (plan.length > 0) await confirm(plan.map((status) => status.name));
    const reverted: DoneMigration[] = [];
    for (const status of plan) {
      reporting.onProgress(`reverting ${status.name} (${reverted.length + 1} of ${plan.length})`);
      reverted.push(await runOne(session, status, 'down', options, reporting));
    }
    const isEmpty = statuses.filter(isApplied).length === plan.length;
    if (isEmpty && hasHistory) await dropEmptyHistory(session, options.schema);
    return { database: session.info.label, schema: options.schema, reverted, isEmpty };
  });
}
