import { BACKUP_DUE_AFTER_HOURS } from '../../../features/backup/catalog/due.js';
import { parseBytes } from '../../../base/bytes.js';
import { countText } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import type { BackupCheckOptions, MinimalSize } from '../../../features/backup/check/findings.js';
import { directoryOf, PLACE_OPTIONS, placeOf, type PlaceOptions } from '../../backup-place.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { durationOption } from '../../options.js';
import { renderFindings } from '../../terminal/findings.js';
import { DRILLS_OPTION, drillsFileOf, type DrillsOption } from './drills-option.js';

interface Options extends PlaceOptions, DrillsOption {
  readonly maxDrillAge?: number;
  readonly maxAge: number;
  readonly maxDeepAge?: number;
  readonly minSize: MinimalSize;
  readonly database?: string;
}

function sizeOption(text: string): MinimalSize {
  const [, percent] = /^(\d{1,3})\s*%$/.exec(text) ?? [];
  if (percent !== undefined) return { shareOfMedian: Number(percent) / 100 };
  const bytes = parseBytes(text);
  if (bytes !== undefined) return { bytes };
  throw new AisecError('USAGE', `invalid size "${text}"`, {
    hint: 'Give a share of the usual size, 80%, or a size, 100MB.',
  });
}

async function drillsOf(context: Context, options: Options): Promise<BackupCheckOptions['drills']> {
  if (options.maxDrillAge === undefined) {
    if (options.drills === undefined) return undefined;
    throw new AisecError('USAGE', '--drills requires --max-drill-age', { hint: 'Give one: --max-drill-age 35d' });
  }
  const { readDrills } = await import('../../../features/backup/drill/records.js');
  const recorded = await readDrills(drillsFileOf(context, options));
  // A drill from here says nothing of the copies there.
  const { store } = options;
  const ofPlace = recorded.filter(({ file }) => store === undefined || file.startsWith(`${store.replace(/\/$/, '')}/`));
  return { maxAgeMs: options.maxDrillAge, recorded: ofPlace };
}

/**
 * By name: nothing is asked of the server, which may be down. Without one the backups are checked as they are, in production, too;
 * embedded databases are all called alike.
 */
async function configuredDatabase({ config }: Context): Promise<string | undefined> {
  const { resolveDatabaseTarget } = await import('../../../config/database-target.js');
  const target = resolveDatabaseTarget({ ...config, isProduction: false }, true);
  return target.kind === 'server' ? target.connection.database : undefined;
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const { output, config, signal } = context;
  const { checkBackups, checkCopies } = await import('../../../features/backup/checks.js');
  const [place, directory] = [placeOf(options), directoryOf(context, options)];
  const expected = options.database ?? (await configuredDatabase(context));
  const limits = {
    maxAgeMs: options.maxAge,
    maxDeepAgeMs: options.maxDeepAge,
    drills: await drillsOf(context, options),
    minSize: options.minSize,
    expected: expected === undefined ? [] : [expected],
  };
  const check =
    place === undefined
      ? await checkBackups({ ...limits, directory })
      : await checkCopies(place, { environment: config.environment, signal }, { ...limits, directory });
  output.result(check, renderFindings);
  const verdict = check.isHealthy ? 'no findings' : countText(check.findings.length, 'finding');
  const newest = check.newest.map(({ database, createdAt }) => `newest of "${database}": ${createdAt}`).join(', ');
  for (const note of check.notes) output.note(note);
  output.note(`${check.directory}: ${verdict}${newest === '' ? '' : `; ${newest}`}.`);
  return check.isHealthy ? undefined : 3;
}

export const backupCheck = defineCommand<Options>({
  name: 'backup check',
  summary: 'check that there is a good and recent backup',
  description:
    'Reads the manifests in the directory, or with --store those of the copies, whichever job made them, and exits 3 when the newest verified backup of a database is too old or much smaller than the ones before it, ' +
    'or when one is damaged, incomplete or dated in the future. To be run apart from the job that makes them: a job that does not run any more cannot say so.',
  options: [
    ...PLACE_OPTIONS,
    {
      flags: '--max-age <duration>',
      description: 'of the newest verified backup',
      default: `${BACKUP_DUE_AFTER_HOURS}h`,
      parse: durationOption,
    },
    {
      flags: '--min-size <size>',
      description: 'of the newest one: 80% of the ones before it, or 100MB',
      default: '80%',
      parse: sizeOption,
    },
    {
      flags: '--max-deep-age <duration>',
      description: 'of the last restore that was tried (verify --deep); not asked for unless given',
      parse: durationOption,
    },
    {
      flags: '--max-drill-age <duration>',
      description: 'of the last drill that passed (backup drill); not asked for unless given',
      parse: durationOption,
    },
    DRILLS_OPTION,
    {
      flags: '--database <name>',
      description: 'that must have backups, beside those that have some (default: the configured one of a server)',
    },
  ],
  acrossSchemas: 'unused',
  examples: [
    ['aisec backup check --quiet', 'For monitoring: exit 3 when something is wrong'],
    ['aisec backup check --store s3://backups/prod', 'Is there a good and recent copy off site?'],
    ['aisec backup check --max-drill-age 35d', 'Was a recovery tried within the last month, and did it pass?'],
    ['aisec backup check --max-deep-age 8d', 'Was one restored within the last week, to try it?'],
  ],
  isPaged: true,
  run,
});
