import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { LockBudget } from '../../adapters/postgres/locks/lock-budget.js';
import { withRollback, type Session } from '../../adapters/postgres/session.js';
import { rehearse } from './apply/rehearse.js';
import { labelOf } from './files/source.js';
import { refuseOtherSources } from './history/other-sources.js';
import { planDown, type Confirm, type DownOptions } from './down.js';
import { findLosses, type Loss } from './losses.js';
import { compareWithDatabase } from './prepare.js';
import type { Reporting } from '../../base/reporting.js';
import { runOne, type DoneMigration } from './apply/run-one.js';

export interface RedoResult {
  readonly database: string;
  readonly schema: string;
  readonly redone: readonly DoneMigration[];
}

export interface RedoRehearsal {
  readonly database: string;
  readonly schema: string;
  readonly wouldRedo: readonly string[];
  readonly losses: readonly Loss[];
  /** A migration that runs without a transaction, and so could not be tried; null when it was. */
  readonly untried: string | null;
}

/**
 * Runs the Down and the Up of the newest migration in one transaction and rolls it back.
 *
 * @throws AisecError as `migrateRedo`: what would fail there fails here.
 */
export async function dryRunRedo(
  session: Session,
  options: Omit<DownOptions, 'target'>,
  reporting: Reporting,
): Promise<RedoRehearsal> {
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, async () => {
    const { statuses, otherSources } = await compareWithDatabase(session, options);
    const plan = planDown(statuses, { schema: options.schema, target: { kind: 'one' } });
    refuseOtherSources(otherSources, plan);
    const losses = await findLosses(session, options.schema, plan);
    const untried = plan.filter(({ file }) => !file.isTransactional).map(labelOf)[0] ?? null;
    await withRollback(session, async () => {
      for (const { file } of untried === null ? plan : []) {
        reporting.onProgress(`trying ${labelOf(file)}`);
        await rehearse(session, file, 'down', options);
        await rehearse(session, file, 'up', options);
      }
    });
    const wouldRedo = plan.map(labelOf);
    return { database: session.info.label, schema: options.schema, wouldRedo, losses, untried };
  });
}

/**
 * Reverts the newest migration and applies that one again, under one lock. Pending ones stay pending.
 *
 * @throws AisecError as `migrateDown` and `migrateUp`.
 */
export async function migrateRedo(
  session: Session,
  options: Omit<DownOptions, 'target'>,
  confirm: Confirm,
  reporting: Reporting,
): Promise<RedoResult> {
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, async () => {
    const { statuses, otherSources } = await compareWithDatabase(session, options);
    const [status] = planDown(statuses, { schema: options.schema, target: { kind: 'one' } });
    const database = session.info.label;
    if (status === undefined) return { database, schema: options.schema, redone: [] };
    refuseOtherSources(otherSources, [status]);
    await confirm([labelOf(status)], await findLosses(session, options.schema, [status]));
    reporting.onProgress(`reverting ${labelOf(status)}`);
    const running = { ...options, lockBudget: new LockBudget(options.maxWaitMs) };
    const down = await runOne(session, status, 'down', running, reporting);
    reporting.onProgress(`applying ${labelOf(status)}`);
    const up = await runOne(session, { file: status.file, entry: undefined }, 'up', running, reporting);
    const redone = [{ source: status.source, name: status.name, durationMs: down.durationMs + up.durationMs }];
    return { database, schema: options.schema, redone };
  });
}
