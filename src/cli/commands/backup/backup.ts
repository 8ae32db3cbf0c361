import { countText } from '../../../base/count.js';

import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import type { StorePlace } from '../../../config/store-url.js';
import type { OffsiteOptions } from '../../../features/backup/offsite.js';
import type { BackupFileMode } from '../../../features/backup/catalog/file-mode.js';
import { leavesOut, type LeftOutWish } from '../../../features/backup/catalog/left-out.js';
import type { BackupOptions, BackupResult } from '../../../features/backup/run/finish.js';
import {
  DIRECTORY_OPTION,
  directoryOf,
  givenPath,
  placeOf,
  STORE_OPTIONS,
  type PlaceOptions,
} from '../../backup-place.js';
import { defineCommand, type Context } from '../../command.js';
import {
  choiceOption,
  durationOption,
  lockTimeoutOption,
  WAIT_OPTION,
  ENCRYPT_OPTION,
  RECIPIENTS_OPTION,
} from '../../options.js';
import { reportingTo } from '../../reporting.js';
import type { Renderer } from '../../terminal/output.js';
import {
  COPY_OPTIONS,
  DUMP_JOBS_OPTION,
  keptText,
  RETENTION_OPTIONS,
  TIMEOUT_OPTION,
  type CopyOptions,
  type RetentionOptions,
} from './options.js';

interface Options extends PlaceOptions, RetentionOptions, CopyOptions {
  readonly format?: 'sql';
  readonly encryptTo?: readonly string[];
  readonly recipientsFile?: string;
  readonly jobs: number;
  readonly lockTimeout: number;
  readonly timeout: number;
  readonly wait: number;
  readonly dryRun: boolean;
  readonly onSuccess?: string;
  readonly onFailure?: string;
  readonly prometheus?: string;
  readonly mode: BackupFileMode;
  readonly schemaOnly: boolean;
  readonly maxLag?: number;
  readonly rolePasswords: boolean;
  readonly excludeTableData?: readonly string[];
}

function modeOption(text: string): BackupFileMode {
  if (text === '0600') return 0o600;
  if (text === '0640') return 0o640;
  throw new AisecError('USAGE', `invalid mode "${text}"`, {
    hint: 'Give 0600, for the owner, or 0640, for its group to read, too; a backup is never for all users.',
  });
}

function leftOutOf({ schemaOnly, excludeTableData = [] }: Options): LeftOutWish {
  if (excludeTableData.includes(''))
    throw new AisecError('USAGE', '--exclude-table-data is empty', { hint: 'Is a shell variable not set?' });
  if (schemaOnly && excludeTableData.length > 0)
    throw new AisecError('USAGE', '--schema-only and --exclude-table-data cannot be used together', {
      hint: '--schema-only leaves the rows of every table out.',
    });
  return { isSchemaOnly: schemaOnly, patterns: excludeTableData };
}

function renderBackup(result: BackupResult, { table, isTTY }: Renderer): string {
  if (result.file === null) return '';
  return table(
    [result],
    [
      { title: 'file', value: (row) => row.file ?? '' },
      {
        title: 'size',
        value: (row) => (isTTY ? formatBytes(row.sizeBytes ?? 0) : String(row.sizeBytes)),
        align: 'right',
      },
      { title: 'tables', value: (row) => String(row.tables), align: 'right' },
      { title: 'rows', value: (row) => String(row.rows), align: 'right' },
      { title: 'sha256', value: (row) => row.sha256 ?? '' },
      ...(result.copy === null ? [] : [{ title: 'copy', value: (row: BackupResult) => row.copy ?? '' }]),
    ],
  );
}

function summary(result: BackupResult): string {
  const { database, directory, file, removed, removedCopies, kept, expectedBytes, isEncrypted, copy, durationMs } =
    result;
  const goneCopies = removedCopies.length === 0 ? '' : `, ${removedCopies.length} removed from the store`;
  if (file === null)
    return (
      `dry run, nothing was written: "${database}" would be backed up${result.jobs === 1 ? '' : ` by ${result.jobs} jobs`} into ${directory}, about ${formatBytes(expectedBytes)}, ` +
      `and ${countText(removed.length, 'backup')} removed${goneCopies}.`
    );
  const gone = removed.length === 0 ? '' : `, ${countText(removed.length, 'backup')} removed`;
  const partial = result.isPartial ? ' in part' : '';
  const proven = result.format === 'custom' ? 'read back whole' : 'loaded to try it';
  const more = `${isEncrypted ? ', encrypted' : ''}${copy === null ? '' : ', copied'}`;
  return `"${database}" backed up${partial}${more} and ${proven} in ${formatDurationMs(durationMs)}; ${countText(kept.length, 'backup')} kept${gone}${goneCopies}.`;
}

/** Whether what is sent can be read on its way. */
function isOpenOnTheWay({ endpoint }: StorePlace): boolean {
  if (endpoint === undefined || !endpoint.startsWith('http://')) return false;
  return !/^(localhost|127\..*|\[::1\])$/.test(new URL(endpoint).hostname);
}

function offsiteOf({ output }: Context, options: Options): OffsiteOptions | undefined {
  const place = placeOf(options);
  if (place === undefined && options.readBack)
    throw new AisecError('USAGE', '--read-back requires --store', { hint: 'See: aisec backup --help' });
  if (place === undefined) return undefined;
  if (isOpenOnTheWay(place) && options.encryptTo === undefined && options.recipientsFile === undefined)
    output.warning(`${place.endpoint ?? ''} is reached without TLS: the backup can be read on its way`);
  return { place, isReadBack: options.readBack, retryMs: options.retry };
}

async function announce(
  context: Context,
  options: Options,
  database: string,
  take: () => Promise<BackupResult>,
): Promise<BackupResult> {
  const { config, output } = context;
  const { withNotifications } = await import('../../../features/backup/run/notifications.js');
  const settings = {
    pingUrl: config.pingUrl,
    onSuccess: givenPath(context, options.onSuccess),
    onFailure: givenPath(context, options.onFailure),
    metricsFile: givenPath(context, options.prometheus),
    directory: directoryOf(context, options),
    database,
    environment: config.environment,
    onWarning: (text: string) => output.warning(text),
  };
  return withNotifications(settings, take);
}

/** @throws AisecError USAGE for what only pg_dump can do. */
function refuseForEmbedded({ leftOut, withPasswords, jobs }: BackupOptions): void {
  const given = [
    leavesOut(leftOut) ? '--schema-only and --exclude-table-data are' : '',
    withPasswords ? '--role-passwords is' : '',
    jobs > 1 ? '--jobs above 1 is' : '',
  ].find((each) => each !== '');
  if (given === undefined) return;
  throw new AisecError('USAGE', `${given} for a server, and none is configured`, {
    hint: 'Leave it out, or set DATABASE_URL.',
  });
}

/** Of a server with pg_dump, or of the embedded database. */
async function backupOf(
  context: Context,
  { timeout: timeoutMs, wait: waitMs, format }: Options,
  settings: BackupOptions,
): Promise<{ readonly databaseName: string; readonly take: () => Promise<BackupResult> }> {
  const reporting = reportingTo(context);
  const embedded = await context.embeddedAccess({ timeoutMs, waitMs });
  if (embedded !== undefined) {
    refuseForEmbedded(settings);
    const { takeEmbeddedBackup } = await import('../../../features/backup/take-embedded.js');
    return {
      databaseName: embedded.databaseName,
      take: () => takeEmbeddedBackup(embedded, { ...settings, format: format ?? 'embedded' }, reporting),
    };
  }
  if (format !== undefined)
    throw new AisecError('USAGE', '--format is for the embedded database, and a server is configured', {
      hint: "Leave it out: a backup of a server has pg_dump's own format, and pg_restore --file=- FILE shows it as SQL.",
    });
  const access = await context.serverAccess({ timeoutMs });
  const { takeBackup } = await import('../../../features/backup/take.js');
  return { databaseName: access.databaseName, take: () => takeBackup(access, settings, reporting) };
}

async function run(context: Context, options: Options): Promise<void> {
  const { output, config } = context;
  const settings = {
    directory: directoryOf(context, options),
    schema: config.schema,
    retention: { keep: options.keep, keepLast: options.keepLast },
    lockTimeoutMs: options.lockTimeout,
    waitMs: options.wait,
    offsite: offsiteOf(context, options),
    encryptTo: options.encryptTo,
    recipientsFile: givenPath(context, options.recipientsFile),
    mode: options.mode,
    leftOut: leftOutOf(options),
    maxLagMs: options.maxLag,
    withPasswords: options.rolePasswords,
    jobs: options.jobs,
    isDryRun: options.dryRun,
  };
  const { take, databaseName } = await backupOf(context, options, settings);
  const result = options.dryRun ? await take() : await announce(context, options, databaseName, take);
  context.output.done(result, renderBackup);
  for (const { file } of [...result.removed, ...result.removedCopies])
    output.note(`${result.isDryRun ? 'would remove' : 'removed'} ${file}`);
  // An age says by itself what stays.
  if (result.isDryRun || 'places' in options.keep)
    for (const kept of [...result.kept, ...result.keptCopies]) output.note(`${kept.file}: ${keptText(kept)}`);
  output.note(summary(result));
}

export const backup = defineCommand<Options>({
  name: 'backup',
  summary: 'back the database up, verify the backup, remove old ones',
  description:
    'Dumps the whole database with pg_dump into NAME_YYYYMMDD_HHMMSS-XXXXXX.dump (UTC, with six random digits, so that no two runs have one name), reads it back whole, and puts a manifest (checksum, versions, roles, rows of every table) ' +
    'and the roles of the server beside it. For the embedded database it writes an archive of the data directory, NAME_YYYYMMDD_HHMMSS-XXXXXX.pgdata.tgz, and loads that into another database to compare the two. The final file name appears only after verification, whenever the run is killed. ' +
    'Old backups, and their copies in a store, are removed only after that: never the last verified ones, pinned ones, or those of other databases. The key of a store comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from AWS_PROFILE.',
  options: [
    DIRECTORY_OPTION,
    ...RETENTION_OPTIONS,
    {
      flags: '--format <format>',
      description: 'sql: for the embedded database, text for psql instead of its data directory',
      parse: choiceOption(['sql'], 'format', { hint: 'Give sql, or leave it out.' }),
      values: ['sql'],
    },
    DUMP_JOBS_OPTION,
    lockTimeoutOption('60s'),
    ...STORE_OPTIONS,
    ...COPY_OPTIONS,
    ENCRYPT_OPTION,
    RECIPIENTS_OPTION,
    {
      flags: '--role-passwords',
      description:
        'of an encrypted backup: with the hashes of the passwords of roles, which restore --globals brings back',
    },
    {
      flags: '--exclude-table-data <pattern>',
      description:
        'leave the rows of these tables out, as pg_dump does (repeatable): a partial backup, which never counts as one of the database',
      parse: (text) => text,
      isRepeatable: true,
    },
    { flags: '--schema-only', description: 'leave the rows of all tables out: a partial backup, too' },
    {
      flags: '--mode <mode>',
      description: 'of every file of the backup: 0600, or 0640 so that a group can monitor them',
      default: '0600',
      parse: modeOption,
    },
    {
      flags: '--max-lag <duration>',
      description: 'on a standby: refuse (exit 3) when it is further behind its primary',
      parse: durationOption,
    },
    TIMEOUT_OPTION,
    WAIT_OPTION,
    {
      flags: '--on-success <program>',
      description: 'run this afterwards; AISEC_BACKUP_FILE and other variables say what was made',
    },
    { flags: '--on-failure <program>', description: 'run this when it failed; AISEC_BACKUP_ERROR says why' },
    { flags: '--prometheus <file>', description: 'write the state for the textfile collector of node_exporter' },
    { flags: '--dry-run', description: 'check everything, and say what would be removed' },
  ],
  acrossSchemas: 'unused',
  examples: [
    ['aisec backup --dir /backups/postgresql', 'Back up; keep 30 days, and 3 whatever their age'],
    [
      'AISEC_PING_URL=https://... aisec backup --quiet --wait 30m',
      'From cron: silent, and a monitoring service is notified',
    ],
    ['aisec backup --store s3://backups/prod --encrypt-to age1…', 'Encrypted, with a copy in a store'],
    ['aisec backup --jobs 4', 'Four tables at once, on many cores; needs four connections more'],
    ['aisec backup --format sql', 'The embedded database as text that psql runs on a server'],
    ['aisec backup --keep 7d,5w,12m,3y', 'Keep the last of each of 7 days, 5 weeks, 12 months, 3 years'],
    ['aisec backup --dry-run', 'Would it work? What would be removed?'],
  ],
  run,
});
