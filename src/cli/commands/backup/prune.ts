import { formatBytes } from '../../../base/bytes.js';
import type { PruneResult } from '../../../features/backup/prune.js';
import { directoryOf, PLACE_OPTIONS, placeOf, type PlaceOptions } from '../../backup-place.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import { keptText, RETENTION_OPTIONS, type RetentionOptions } from './options.js';

interface Options extends PlaceOptions, RetentionOptions {
  readonly dryRun: boolean;
}

function renderPrune({ removed, kept, isDryRun }: PruneResult, { table, isTTY }: Renderer): string {
  const rows = [
    ...removed.map((row) => ({ ...row, verdict: isDryRun ? 'would be removed' : 'removed' })),
    ...kept.map((row) => ({ ...row, verdict: keptText(row) })),
  ].toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  if (rows.length === 0) return '';
  return table(rows, [
    { title: 'file', value: (row) => row.file },
    { title: 'created', value: (row) => row.createdAt },
    { title: 'size', value: (row) => (isTTY ? formatBytes(row.sizeBytes) : String(row.sizeBytes)), align: 'right' },
    { title: 'verdict', value: (row) => row.verdict },
  ]);
}

async function prune(context: Context, options: Options): Promise<PruneResult> {
  const { config, signal, commandName } = context;
  const directory = directoryOf(context, options);
  const place = placeOf(options);
  const { keep, keepLast, dryRun: isDryRun } = options;
  if (place !== undefined) {
    const { pruneStore } = await import('../../../features/backup/prune-copies.js');
    const access = { environment: config.environment, signal, isDryRun };
    return pruneStore(place, directory, { keep, keepLast }, access);
  }
  const { pruneDirectory } = await import('../../../features/backup/prune.js');
  return pruneDirectory(directory, { keep, keepLast }, { isDryRun, command: `aisec ${commandName}`, signal });
}

async function run(context: Context, options: Options): Promise<void> {
  const { output } = context;
  const result = await prune(context, options);
  const { directory } = result;
  output.done(result, renderPrune);
  for (const { file, reason } of result.unreadable)
    output.warning(`${file} is neither counted nor removed, since it cannot be read here: ${reason}`);
  for (const name of result.removedPartials) output.note(`removed ${name}, which a stopped run had left`);
  const sizeBytes = result.removed.reduce((sum, each) => sum + each.sizeBytes, 0);
  output.note(
    result.removed.length === 0
      ? `${directory}: nothing to remove; ${result.kept.length} kept.`
      : `${directory}: ${result.removed.length} ${result.isDryRun ? 'would be removed' : 'removed'} (${formatBytes(sizeBytes)}), ${result.kept.length} kept.`,
  );
}

export const backupPrune = defineCommand<Options>({
  name: 'backup prune',
  summary: 'remove backups that are past retention',
  description:
    'What `aisec backup` does after each success, for every database that has backups in the directory. Age is what the manifest says, not the time of the file. With places (7d,5w,12m,3y) the newest verified backup of each of the last days, ISO weeks, months and years (UTC) that have one stays. Never removed: ' +
    'the last verified ones, pinned ones, those dated in the future, and incomplete ones, but for what a removal that was stopped has left of a copy in a store.',
  options: [
    ...PLACE_OPTIONS,
    ...RETENTION_OPTIONS,
    { flags: '--dry-run', description: 'show what would be removed, and why the others stay' },
  ],
  acrossSchemas: 'unused',
  examples: [
    ['aisec backup prune', 'Remove what is older than 30 days, but for the last 3'],
    ['aisec backup prune --store s3://backups/prod', 'The copies in a store instead'],
    ['aisec backup prune --keep 7d --dry-run', 'What would a shorter retention remove?'],
    ['aisec backup prune --keep 7d,5w,12m,3y --dry-run', 'Which day, week, month or year does each stay for?'],
  ],
  run,
});
