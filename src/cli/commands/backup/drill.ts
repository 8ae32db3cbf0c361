import path from 'node:path';

import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { withTimeout } from '../../../base/interruption.js';
import type { Drill } from '../../../features/backup/drill/records.js';
import { givenPath, PLACE_OPTIONS, type PlaceOptions } from '../../backup-place.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { SCRATCH_RESTORE_OPTIONS, WAIT_OPTION } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { BACKUPS_ARGUMENT, chosenBackups } from './chosen-backups.js';
import { DRILLS_OPTION, drillsFileOf, type DrillsOption } from './drills-option.js';
import { TIMEOUT_OPTION } from './options.js';

interface Options extends PlaceOptions, DrillsOption {
  readonly checkSql?: string;
  readonly html?: string;
  readonly identity?: string;
  /** Commander's negation: false with --no-owner. */
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly jobs?: number;
  readonly timeout: number;
  readonly wait: number;
}

interface Drilled {
  readonly drills: readonly Drill[];
  /** The file that they were appended to. */
  readonly records: string;
  /** The page that was written; null when none was asked for. */
  readonly page: string | null;
}

function checksText({ checks }: Drill): string {
  const passed = checks.filter(({ verdict }) => verdict === 'passed').length;
  return checks.length === 0 ? '' : `${passed} of ${checks.length} passed`;
}

function whyText({ reason, checks }: Drill): string {
  const failed = checks.flatMap((check) => (check.reason === null ? [] : [`${check.name}: ${check.reason}`]));
  return [...(reason === null ? [] : [reason]), ...failed].join(' ');
}

function renderDrills({ drills }: Drilled, { table, paint, isTTY }: Renderer): string {
  const time = (durationMs: number): string => (isTTY ? formatDurationMs(durationMs) : String(durationMs));
  return table(drills, [
    { title: 'file', value: ({ file }) => (isTTY ? path.basename(file) : file) },
    { title: 'database', value: ({ database }) => database },
    { title: 'result', value: ({ isPassed }) => (isPassed ? 'passed' : paint.red('failed')) },
    {
      title: isTTY ? 'recovery time' : 'recovery ms',
      value: ({ recoveryTimeMs }) => (recoveryTimeMs === null ? '' : time(recoveryTimeMs)),
      align: 'right',
    },
    {
      title: 'recovery point',
      value: (drill) => (isTTY ? `${formatDurationMs(drill.recoveryPointAgeMs)} old` : drill.recoveryPointAt),
    },
    { title: 'checks', value: checksText },
    { title: 'why', value: whyText },
  ]);
}

function phasesText({ phases }: Drill): string {
  return phases.map(({ phase, durationMs }) => `${phase} ${formatDurationMs(durationMs)}`).join(', ');
}

async function run(context: Context, options: Options, argument: string): Promise<ExitCode | undefined> {
  const { output, progress, commandName } = context;
  const page = givenPath(context, options.html);
  const identityFile = givenPath(context, options.identity);
  const checksDirectory = givenPath(context, options.checkSql);
  const [{ drillBackup }, { readDrills }, { readSqlChecks }, { requireWritable, writeReport }] = await Promise.all([
    import('../../../features/backup/drill.js'),
    import('../../../features/backup/drill/records.js'),
    import('../../../features/backup/drill/sql-checks.js'),
    import('../../../features/monitor/report-file.js'),
  ]);
  const checks = checksDirectory === undefined ? [] : readSqlChecks(checksDirectory);
  if (page !== undefined) await requireWritable(page);
  const files = await chosenBackups(context, options, argument);
  const records = drillsFileOf(context, options, files[0]);
  const signal = withTimeout(context.signal, options.timeout);
  const { endpoint, jobs } = options;
  const drills: Drill[] = [];
  for (const file of files)
    drills.push(
      await drillBackup(file, {
        command: `aisec ${commandName}`,
        places: context.programPlaces,
        signal,
        onProgress: progress.report,
        endpoint,
        identityFile,
        checks,
        recordsFile: records,
        engine: context.scratchOptions(signal),
        serverAccess: () => context.serverAccess({ timeoutMs: options.timeout }),
        withoutOwners: !options.owner,
        withoutPrivileges: !options.privileges,
        ...(jobs !== undefined && { jobs }),
        waitMs: options.wait,
      }),
    );
  if (page !== undefined) {
    const { renderDrillPage } = await import('../../../features/backup/drill/page.js');
    writeReport(page, renderDrillPage(drills, await readDrills(records)), 0o600);
  }
  const isPassed = drills.every((drill) => drill.isPassed);
  const result: Drilled = { drills, records, page: page ?? null };
  if (isPassed) output.done(result, renderDrills);
  else output.result(result, renderDrills);
  for (const drill of drills) output.note(`${drill.database}: ${phasesText(drill)}.`);
  const failed = drills.filter((drill) => !drill.isPassed).length;
  output.note(
    `${isPassed ? `${countText(drills.length, 'drill')} passed` : `${failed} of ${countText(drills.length, 'drill')} failed`}; recorded in ${records}.`,
  );
  return isPassed ? undefined : 3;
}

export const backupDrill = defineCommand<Options>({
  name: 'backup drill',
  summary: 'recover from the newest backup on a scratch database, and record how long that took',
  description:
    'Restores a backup into a database of its own, aisec_drill_NAME, on the configured server, as `aisec restore --create` does, with download and decryption, compares rows and catalog with the manifest, runs your own checks, and drops it again. ' +
    'It measures the recovery time, by phase, and the recovery point: the age of the snapshot, since what was committed later is not in the backup. A line is appended to the records, which `backup check --max-drill-age` reads; exit 3 when the drill failed. ' +
    'A check is a .sql file with a query for what is wrong: it fails with an error, or when its last statement returns rows. A backup of the embedded database is loaded in memory, and needs no server.',
  argument: BACKUPS_ARGUMENT,
  options: [
    ...PLACE_OPTIONS,
    { flags: '--check-sql <dir>', description: 'run each .sql file of this directory on what was restored' },
    { flags: '--html <file>', description: 'write a page with the result and the drills so far (mode 0600)' },
    DRILLS_OPTION,
    ...SCRATCH_RESTORE_OPTIONS,
    TIMEOUT_OPTION,
    WAIT_OPTION,
  ],
  acrossSchemas: 'unused',
  examples: [
    ['aisec backup drill --html drill.html', 'Can the newest backup be recovered, how fast, and what would be lost?'],
    [
      'aisec backup drill --store s3://backups/prod --check-sql checks/',
      'From the copy off site, with your own checks',
    ],
  ],
  run,
});
