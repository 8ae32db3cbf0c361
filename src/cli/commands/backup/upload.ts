import { formatBytes } from '../../../base/bytes.js';
import { countText } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import { withTimeout } from '../../../base/interruption.js';
import type { UploadResult } from '../../../features/backup/upload.js';
import { directoryOf, PLACE_OPTIONS, placeOf, type PlaceOptions } from '../../backup-place.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { reportingTo } from '../../reporting.js';
import type { Renderer } from '../../terminal/output.js';
import { COPY_OPTIONS, TIMEOUT_OPTION, type CopyOptions } from './options.js';

interface Options extends PlaceOptions, CopyOptions {
  readonly all: boolean;
  readonly timeout: number;
  readonly dryRun: boolean;
}

function renderUpload({ backups, isDryRun }: UploadResult, { table, paint, isTTY }: Renderer): string {
  if (backups.length === 0) return '';
  return table(backups, [
    { title: 'file', value: (row) => row.file },
    { title: 'size', value: (row) => (isTTY ? formatBytes(row.sizeBytes) : String(row.sizeBytes)), align: 'right' },
    {
      title: 'state',
      value: ({ state }) =>
        state === 'refused' ? paint.red(state) : state === 'missing' && isDryRun ? 'would be copied' : state,
    },
    { title: 'copy', value: (row) => row.url },
    { title: 'why', value: (row) => row.reason ?? '' },
  ]);
}

async function run(context: Context, options: Options, argument: string): Promise<ExitCode | undefined> {
  const { output, config, commandName } = context;
  const place = placeOf(options);
  if (place === undefined)
    throw new AisecError('USAGE', 'no store was given', { hint: 'Give one: --store s3://bucket/directory' });
  if ((argument === '') !== options.all)
    throw new AisecError('USAGE', options.all ? 'a file and --all cannot be used together' : 'no backup was given', {
      hint: 'Give the name of one, or --all for every one that lacks its copy.',
    });
  const directory = directoryOf(context, options);
  const { backupPath } = await import('../../../features/backup/catalog/find-backup.js');
  const { uploadBackups } = await import('../../../features/backup/upload.js');
  const files = options.all ? undefined : [backupPath(directory, config.cwd, argument)];
  const settings = {
    place,
    isReadBack: options.readBack,
    retryMs: options.retry,
    isDryRun: options.dryRun,
    command: `aisec ${commandName}`,
    environment: config.environment,
    signal: withTimeout(context.signal, options.timeout),
  };
  const result = await uploadBackups(directory, files, settings, reportingTo(context));
  const count = (state: string): number => result.backups.filter((each) => each.state === state).length;
  const refused = count('refused');
  if (refused > 0) output.result(result, renderUpload);
  else output.done(result, renderUpload);
  output.note(
    `${result.store}: ${options.dryRun ? `${count('missing')} would be copied` : `${count('copied')} copied`}, ` +
      `${count('there')} there already${refused === 0 ? '' : `, ${countText(refused, 'backup')} refused`}.`,
  );
  return refused === 0 ? undefined : 3;
}

export const backupUpload = defineCommand<Options>({
  name: 'backup upload',
  summary: 'copy backups that are here to a store that lacks them',
  description:
    'For what `aisec backup --store` could not copy, or was made without a store. A copy that is there with the same checksum is left as it is. ' +
    'A copy appears whole or not at all, so a run that was stopped is simply repeated, and two at once do no harm.',
  argument: { syntax: '[file]', description: 'a path, or a name in the directory' },
  options: [
    { flags: '--all', description: 'every verified backup of the directory' },
    ...PLACE_OPTIONS,
    ...COPY_OPTIONS,
    TIMEOUT_OPTION,
    { flags: '--dry-run', description: 'show what would be copied' },
  ],
  acrossSchemas: 'unused',
  examples: [
    [
      'aisec backup upload --all --store s3://backups/prod',
      'After the store was unreachable: every backup that has no copy',
    ],
    ['aisec backup upload app_20261125_021500-3f9a2c.dump --store s3://backups/prod', 'This one'],
  ],
  run,
});
