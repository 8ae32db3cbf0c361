import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import type { RehearsalBackup, RehearsalSource } from '../../../features/backup/rehearsal-database.js';
import type { DryRunResult } from '../../../features/migrate/dry-run.js';
import type { UpOptions } from '../../../features/migrate/up.js';
import { directoryOf, givenPath, PLACE_OPTIONS, placeOf, type PlaceOptions } from '../../backup-place.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { durationOption, SCRATCH_RESTORE_OPTIONS, WAIT_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import { renderDryRun } from './dry-run-text.js';
import { ALLOW_OPTIONS, planSettings, TO_OPTION, type PlanOptions } from './settings.js';

interface Options extends PlaceOptions, PlanOptions {
  readonly identity?: string;
  /** Commander's negation: false with --no-owner. */
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly jobs?: number;
  readonly timeout: number;
  readonly wait: number;
}

/** What a rehearsal found: the report of a dry run, at the size of the backup. */
interface RehearsalResult extends DryRunResult {
  /** Null where nothing was pending, so that nothing was restored. */
  readonly backup: RehearsalBackup | null;
}

async function upOptions(context: Context, options: Options): Promise<UpOptions> {
  return {
    ...(await planSettings(context, options)),
    // No other session is on the copy but a worker of autovacuum, which gives way.
    lockTimeoutMs: 60_000,
    maxWaitMs: 60_000,
    waitMs: options.wait,
  };
}

function sourceOf(context: Context, options: Options, given: string): RehearsalSource {
  const { endpoint, store } = options;
  const identityFile = givenPath(context, options.identity);
  if (given !== '' && store !== undefined)
    throw new AisecError('USAGE', '--store and the name of a backup cannot be used together', {
      hint: 'The address of one in a store is s3://bucket/directory/NAME.dump.',
    });
  return {
    given,
    directory: directoryOf(context, options),
    place: given === '' ? placeOf(options) : undefined,
    endpoint,
    identityFile,
    cwd: context.config.cwd,
    withoutOwners: !options.owner,
    withoutPrivileges: !options.privileges,
    ...(options.jobs !== undefined && { jobs: options.jobs }),
    waitMs: options.wait,
    onProgress: context.progress.report,
  };
}

async function rehearse(context: Context, options: Options, argument: string): Promise<RehearsalResult> {
  const [settings, source] = [await upOptions(context, options), sourceOf(context, options, argument)];
  if ((await context.embeddedAccess({ timeoutMs: 0, waitMs: 0 })) !== undefined)
    throw new AisecError('USAGE', 'a rehearsal needs a server, and none is configured', {
      detail: 'No other session can wait for the embedded database, so that `migrate up --dry-run` shows all there is.',
      hint: 'Set DATABASE_URL, or run: aisec migrate up --dry-run',
    });
  const access = await context.serverAccess({ timeoutMs: options.timeout });
  const [{ planRehearsal }, { rehearseUp }, { withRehearsalDatabase }] = await Promise.all([
    import('../../../features/migrate/rehearse/plan.js'),
    import('../../../features/migrate/rehearse/rehearse-up.js'),
    import('../../../features/backup/rehearsal-database.js'),
  ]);
  const plan = await access.withDatabase(access.databaseName, (session) => planRehearsal(session, settings));
  if (plan.pending.length === 0)
    return { database: plan.database, schema: settings.schema, backup: null, migrations: [], findings: [] };
  return withRehearsalDatabase(access, source, async (database, backup) => ({
    ...(await access.withDatabase(database, (session) => rehearseUp(session, plan, settings, reportingTo(context)))),
    backup,
  }));
}

function summary({ database, backup, migrations, findings }: RehearsalResult): string {
  if (backup === null) return `${database}: nothing to rehearse, every migration is applied.`;
  const tookMs = migrations.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
  const broken = findings.length === 0 ? '' : ` ${countText(findings.length, 'bound')} exceeded.`;
  return `${database}: ${countText(migrations.length, 'migration')} rehearsed in ${formatDurationMs(tookMs)} on a copy of ${formatBytes(backup.databaseSizeBytes)} from ${backup.createdAt}, restored in ${formatDurationMs(backup.restoreMs)} and dropped again.${broken}`;
}

async function run(context: Context, options: Options, argument: string): Promise<ExitCode | undefined> {
  const result = await rehearse(context, options, argument);
  context.output.result(result, renderDryRun);
  context.output.note(summary(result));
  return result.findings.length === 0 ? undefined : 3;
}

export const migrateRehearse = defineCommand<Options>({
  name: 'migrate rehearse',
  summary: 'apply the pending migrations to a copy restored from a backup, and measure them',
  description:
    'Restores the newest verified backup of the configured database into a database of its own on the same server, aisec_rehearse_NAME, and applies the pending migrations there as `migrate up` does. ' +
    'For each statement it reports the locks and how long they were held, tables read or rewritten with rows and bytes, WAL and time, as `migrate up --dry-run` does, at real size and also for files without a transaction. ' +
    'A file that exceeds its `-- aisec: max-lock 500ms` or `-- aisec: max-time 5s` ends it with exit 3. The configured database is only read; the copy is dropped whatever happens.',
  argument: {
    syntax: '[file]',
    description: 'a backup: a path, a name in the directory, or s3://bucket/directory/NAME (default: the newest)',
  },
  options: [
    TO_OPTION,
    ...PLACE_OPTIONS,
    ...SCRATCH_RESTORE_OPTIONS,
    ...ALLOW_OPTIONS,
    {
      flags: '--timeout <duration>',
      description: 'the longest the whole command may take; 0: no limit',
      default: '12h',
      parse: durationOption,
    },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec migrate rehearse', 'Before a deployment: what will it lock, and for how long?'],
    ['aisec migrate rehearse --store s3://backups/prod', 'From the newest copy in a store'],
  ],
  run,
});
