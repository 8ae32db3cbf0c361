import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { withRollback, type Session } from '../../adapters/postgres/session.js';
import { enterSection, rehearse, verifyRehearsed } from './apply/rehearse.js';
import { isInTheWay, replaceWithDependants } from './apply/repeatable/replace.js';
import { EffectsObserver, knownRelations } from './effects/effects.js';
import { boundFindings } from './effects/bounds.js';
import { expectSection } from './effects/expect-section.js';
import { explainSection, type ExplainedSection, type Watch } from './effects/explain.js';
import { lockUsers } from './effects/lock-users.js';
import { reportOf, type RehearsedMigration } from './effects/report.js';
import { hooksNamed } from './apply/run-hooks.js';
import { refuseCollisions } from './collisions.js';
import { refuseUnsafeStatements } from './files/migration-folder.js';
import type { MigrationFile } from './files/migration-file.js';
import { isRepeatable, labelOf } from './files/source.js';
import { warnOfOtherOwner } from './owner.js';
import { preflight } from './preflight.js';
import { compareWithDatabase, historyToCreate } from './prepare.js';
import type { Finding } from '../../base/finding.js';
import type { Reporting } from '../../base/reporting.js';
import { filesOf, planUp, type UpOptions } from './up.js';

const SAVEPOINT = 'aisec_repeatable';

export interface DryRunResult {
  readonly database: string;
  readonly schema: string;
  readonly migrations: readonly RehearsedMigration[];
  /** Where a migration took more than its file allows. */
  readonly findings: readonly Finding[];
}

/** As the real run: what stands in its way is replaced with it, which is not explained. */
async function tryRepeatable(
  session: Session,
  file: MigrationFile,
  options: UpOptions,
  watch: Watch,
): Promise<ExplainedSection> {
  const startedMs = performance.now();
  await session.query(`savepoint ${SAVEPOINT}`);
  try {
    return await explainSection(session, file, options, watch);
  } catch (error) {
    if (!isInTheWay(file, error)) throw error;
    await session.query(`rollback to savepoint ${SAVEPOINT}`);
    await enterSection(session, options);
    await replaceWithDependants(session, file, options.files, error);
    await verifyRehearsed(session, file);
    await watch.observer.next();
    return { statements: [], durationMs: Math.round(performance.now() - startedMs) };
  }
}

/** On an empty database there is nothing to explain, and one message takes less time than one a statement. */
async function explainOrRun(
  session: Session,
  file: MigrationFile,
  options: UpOptions,
  watch: Watch & { readonly isEmpty: boolean },
): Promise<ExplainedSection> {
  if (isRepeatable(file)) return tryRepeatable(session, file, options, watch);
  if (!watch.isEmpty) return explainSection(session, file, options, watch);
  const startedMs = performance.now();
  await rehearse(session, file, 'up', options);
  return { statements: [], durationMs: Math.round(performance.now() - startedMs) };
}

/**
 * Runs the pending migrations in one transaction, rolls it back, and reports what each one did and locked. It takes the
 * very locks of the real run, for as long as it lasts, under the same lock timeout.
 *
 * @throws AisecError as `migrateUp`: what would fail there fails here.
 */
export async function dryRunUp(session: Session, options: UpOptions, reporting: Reporting): Promise<DryRunResult> {
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, async () => {
    const { statuses, recordedSources } = await compareWithDatabase(session, options);
    const plan = planUp(statuses, options);
    await refuseUnsafeStatements([...filesOf(plan), ...(options.hooks ?? [])]);
    if (plan.length > 0) {
      await preflight(session, filesOf(plan), options);
      await warnOfOtherOwner(session, options.schema, reporting);
    }
    await refuseCollisions(session, options.schema, filesOf(plan.filter((status) => status.entry === undefined)));
    const known = await knownRelations(session);
    const { holders } = await lockUsers(session);
    // Else the scans of earlier transactions that were not reported yet would count as those of this one.
    await session.query('select pg_catalog.pg_stat_force_next_flush()');
    const observer = new EffectsObserver(session, known);
    const migrations: RehearsedMigration[] = [];
    await withRollback(session, async () => {
      let skippedBecause: string | null = null;
      const making = historyToCreate(options.schema, plan, recordedSources);
      if (making !== undefined) await session.query(making);
      for (const hook of plan.length > 0 ? hooksNamed('before_up', options) : [])
        await rehearse(session, hook, 'up', options);
      let earlierLocks = (await observer.next()).locks;
      for (const file of filesOf(plan)) {
        reporting.onProgress(`trying ${labelOf(file)} (${migrations.length + 1} of ${plan.length})`);
        if (!file.isTransactional) skippedBecause ??= 'it runs without a transaction, so it cannot be rolled back';
        const { statements: explained, durationMs } =
          skippedBecause === null
            ? await explainOrRun(session, file, options, { observer, holders, isEmpty: known.size === 0 })
            : { statements: file.isTransactional ? [] : await expectSection(session, file, holders), durationMs: null };
        migrations.push(await reportOf(file, { explained, durationMs, skippedBecause, earlierLocks }));
        earlierLocks = [];
        if (skippedBecause !== null) skippedBecause = `it comes after a migration that was not run`;
      }
      if (skippedBecause === null)
        for (const hook of hooksNamed('after_up', options)) await rehearse(session, hook, 'up', options);
    });
    const findings = boundFindings(migrations, options.schema);
    return { database: session.info.label, schema: options.schema, migrations, findings };
  });
}
