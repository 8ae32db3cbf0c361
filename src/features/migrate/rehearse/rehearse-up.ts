import { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import type { Reporting } from '../../../base/reporting.js';
import { runHooks } from '../apply/run-hooks.js';
import { refuseCollisions } from '../collisions.js';
import { boundFindings } from '../effects/bounds.js';
import { EffectsObserver, knownRelations } from '../effects/effects.js';
import { openLockSampler } from '../effects/lock-sampler.js';
import { reportOf, type RehearsedMigration } from '../effects/report.js';
import { labelOf } from '../files/source.js';
import { preflight } from '../preflight.js';
import { compareWithDatabase, historyToCreate } from '../prepare.js';
import { filesOf, migrateUp, planUp, type UpOptions } from '../up.js';
import type { DryRunResult } from '../dry-run.js';
import { measureOne } from './measured-run.js';
import type { RehearsalPlan } from './plan.js';

/** A backup is older than the database: what was applied since is no part of the rehearsal. */
async function catchUp(
  session: Session,
  { applied }: RehearsalPlan,
  options: UpOptions,
  { onProgress, onWarning }: Reporting,
): Promise<void> {
  const { hooks: _, ...settings } = options;
  const reporting = { onProgress: (text: string) => onProgress(`catching up: ${text}`), onWarning };
  if (applied.length > 0)
    await migrateUp(
      session,
      { ...settings, files: applied, to: undefined, allowsLate: true, allowsNewer: true },
      reporting,
    );
}

function refuseOtherPlan(plan: RehearsalPlan, restored: ReadonlySet<string>): void {
  const missing = plan.pending.map(labelOf).filter((label) => !restored.has(label));
  if (missing.length === 0) return;
  throw new AisecError('BACKUP_INVALID', `the backup has ${missing.join(', ')} already, and ${plan.database} has not`, {
    detail: 'It was made before that was reverted.',
    hint: 'Make a new one: aisec backup',
  });
}

/**
 * Applies what is pending in a database to a copy of it, migration by migration as `migrate up` does, and reports what
 * each statement locked, read, wrote and took. No other session is on the copy, so that nothing is waited for.
 *
 * @param session on the copy, which is changed.
 * @throws AisecError as `migrateUp`; BACKUP_INVALID for a copy that has other migrations.
 */
export async function rehearseUp(
  session: Session,
  plan: RehearsalPlan,
  options: UpOptions,
  reporting: Reporting,
): Promise<DryRunResult> {
  await catchUp(session, plan, options, reporting);
  const { statuses, recordedSources } = await compareWithDatabase(session, options);
  const pending = planUp(statuses, { ...options, allowsNewer: true });
  refuseOtherPlan(plan, new Set(pending.map(labelOf)));
  await preflight(session, filesOf(pending), options);
  await refuseCollisions(session, options.schema, filesOf(pending.filter(({ entry }) => entry === undefined)));
  const making = historyToCreate(options.schema, pending, recordedSources);
  if (making !== undefined) await session.query(making);
  await runHooks(session, 'before_up', options, reporting);
  const known = await knownRelations(session);
  const sampler = await openLockSampler(session);
  const tools = { known, sampler, observer: new EffectsObserver(session, known) };
  const running = { ...options, lockBudget: new LockBudget(options.maxWaitMs) };
  const migrations: RehearsedMigration[] = [];
  try {
    for (const { file, entry } of pending) {
      if (file === undefined) continue;
      reporting.onProgress(`rehearsing ${labelOf(file)} (${migrations.length + 1} of ${pending.length})`);
      const { statements, durationMs } = await measureOne(session, { file, entry }, running, tools, reporting);
      migrations.push(await reportOf(file, { explained: statements, durationMs, skippedBecause: null }));
    }
  } finally {
    await rollBack(session);
    await sampler.close();
  }
  await runHooks(session, 'after_up', options, reporting);
  const findings = boundFindings(migrations, options.schema);
  return { database: plan.database, schema: options.schema, migrations, findings };
}
