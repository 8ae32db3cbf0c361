import { formatBytes } from '../../../base/bytes.js';
import type { PruneResult } from '../../../features/backup/prune.js';
import { DIRECTORY_OPTION, directoryOf, type DirectoryOption } from '../../backup-place.js';
import { defineCommand } from '../../command.js';
import type { Context } from '../../context.js';
import type { ExitCode } from '../../exit-codes.js';
import type { Renderer } from '../../terminal/output.js';
import { RETENTION_OPTIONS, type RetentionOptions } from './options.js';

interface Options extends DirectoryOption, RetentionOptions {
  readonly dryRun: boolean;
}

const REASONS = {
  pinned: 'kept: pinned',
  future: 'kept: dated in the future',
  young: 'kept: young',
  last: 'kept: one of the last',
} as const;

function renderPrune({ removed, kept, isDryRun }: PruneResult, { table, isTTY }: Renderer): string {
  const rows = [
    ...removed.map((row) => ({ ...row, verdict: isDryRun ? 'would be removed' : 'removed' })),
    ...kept.map((row) => ({ ...row, verdict: REASONS[row.reason] })),
  ].toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  if (rows.length === 0) return '';
  return table(rows, [
    { title: 'file', value: (row) => row.file },
    { title: 'created', value: (row) => row.createdAt },
    { title: 'size', value: (row) => (isTTY ? formatBytes(row.sizeBytes) : String(row.sizeBytes)), align: 'right' },
    { title: 'verdict', value: (row) => row.verdict },
  ]);
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const { output, signal, commandName } = context;
  const directory = directoryOf(context, options);
  const { pruneDirectory } = await import('../../../features/backup/prune.js');
  const rule = { keep: options.keep, keepLast: options.keepLast };
  const result = await pruneDirectory(directory, rule, {
    isDryRun: options.dryRun,
    command: `aisec ${commandName}`,
    signal,
  });
  output.done(result, renderPrune);
  for (const name of result.removedPartials) output.note(`removed ${name}, which a stopped run had left`);
  const sizeBytes = result.removed.reduce((sum, each) => sum + each.sizeBytes, 0);
  output.note(
    result.removed.length === 0
      ? `${directory}: nothing to remove; ${result.kept.length} kept.`
      : `${directory}: ${result.removed.length} ${result.isDryRun ? 'would be removed' : 'removed'} (${formatBytes(sizeBytes)}), ${result.kept.length} kept.`,
  );
  return undefined;
}

export const backupPrune = defineCommand<Options>({
  name: 'backup prune',
  summary: 'remove backups that are past retention',
  description:
    'What `aisec backup` does after each success, for every database that has backups in the directory. Age is what the manifest says, not the time of the file. Never removed: ' +
    'the last verified ones, pinned ones, those dated in the future, and incomplete ones.',
  options: [
    DIRECTORY_OPTION,
    ...RETENTION_OPTIONS,
    { flags: '--dry-run', description: 'show what would be removed, and why the others stay', default: false },
  ],
  examples: [
    ['aisec backup prune', 'Remove what is older than 30 days, but for the last 3'],
    ['aisec backup prune --keep 7d --dry-run', 'What would a shorter retention remove?'],
  ],
  run,
});
