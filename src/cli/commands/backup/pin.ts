import type { PinResult } from '../../../features/backup/pin.js';
import { directoryOf, inStoreOf, PLACE_OPTIONS, type PlaceOptions } from '../../backup-place.js';
import { defineCommand, type Context } from '../../command.js';

interface Options extends PlaceOptions {
  readonly remove: boolean;
  readonly dryRun: boolean;
}

async function run(context: Context, options: Options, argument: string): Promise<void> {
  const { output, config, signal, commandName, progress, programPlaces: places } = context;
  const { pinBackup } = await import('../../../features/backup/pin.js');
  const settings = {
    isPinned: !options.remove,
    isDryRun: options.dryRun,
    cwd: config.cwd,
    endpoint: options.endpoint,
    places,
    onProgress: progress.report,
    command: `aisec ${commandName}`,
    signal,
  };
  const result: PinResult = await pinBackup(directoryOf(context, options), inStoreOf(options, argument), settings);
  output.done(result, ({ file, isPinned }) => `${file}\t${isPinned ? 'pinned' : 'not pinned'}`);
  const what = result.isPinned ? 'Retention will never remove it.' : 'Retention may remove it.';
  output.note(result.isDryRun ? `dry run; no changes were made. ${what}` : what);
}

export const backupPin = defineCommand<Options>({
  name: 'backup pin',
  summary: 'keep a backup whatever its age',
  description:
    'Marks a backup in its manifest as one that retention never removes, such as the one before a big migration. What is pinned here stays in a store, too, when copies are removed by a run with this directory.',
  argument: {
    syntax: '<file>',
    description: 'a path, a name in the directory or, with --store, in the store, or s3://bucket/directory/NAME',
  },
  options: [
    ...PLACE_OPTIONS,
    { flags: '--remove', description: 'take the mark off' },
    { flags: '--dry-run', description: 'check that the backup can be marked; change nothing' },
  ],
  acrossSchemas: 'unused',
  examples: [
    ['aisec backup pin ai_secretary_20261125_021500.dump', 'Keep this one'],
    ['aisec backup pin ai_secretary_20261125_021500.dump --remove', 'Leave it to retention again'],
  ],
  run,
});
