import type { Age } from '../../../base/age.js';
import { AisecError } from '../../../base/errors.js';
import type { PrunedMonth, PruneResult } from '../../../features/messages/archive/prune.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { confirmDatabase } from '../../terminal/confirm-database.js';
import { ageOption, countOption } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { LOCK_WAITS, type LockWaits } from './options.js';
import { rowsText } from './words.js';
import { reportingTo } from '../../reporting.js';
import { formatBytes } from '../../../base/bytes.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { givenPath } from '../../backup-place.js';

interface Options extends LockWaits {
  readonly olderThan?: Age;
  readonly exports?: string;
  readonly withoutExport: boolean;
  readonly confirm?: string;
  readonly dryRun: boolean;
  readonly batch: number;
}

const IDLE_TIMEOUT_MS = 600_000;

function outcomeText({ outcome }: PrunedMonth, paint: Paint): string {
  if (outcome === 'pruned') return paint.green(outcome);
  return outcome === 'failed' ? paint.red(outcome) : paint.yellow(outcome);
}

function renderPrune({ months }: PruneResult, { table, paint }: Renderer): string {
  if (months.length === 0) return '';
  return table(months, [
    { title: 'month', value: (row) => row.month },
    { title: 'outcome', value: (row) => outcomeText(row, paint) },
    { title: 'partition', value: (row) => row.partition },
    {
      title: 'rows',
      value: (row) => rowsText(row.export?.rows ?? row.rowEstimate, row.export !== null),
      align: 'right',
    },
    { title: 'size', value: (row) => formatBytes(row.sizeBytes), align: 'right' },
    { title: 'export', value: (row) => row.export?.file ?? '' },
  ]);
}

async function confirm(
  context: Context,
  months: readonly PrunedMonth[],
  databaseName: string,
  options: Options,
): Promise<void> {
  const names = months.map(({ month }) => month).join(', ');
  const exported = options.withoutExport ? 'They are in no export.' : 'Their exports were read and hold all of them.';
  context.output.note(
    `Deletes the messages of ${names} for good, with ${months.length === 1 ? 'its' : 'their'} keys. ${exported}`,
  );
  await confirmDatabase(context, options.confirm, databaseName, 'This cannot be undone.');
}

function reportFindings({ output, config }: Context, { months, findings, isDryRun }: PruneResult): void {
  if (isDryRun)
    for (const { message, fix } of findings) output.warning(fix === null ? message : `${message}\n    ${fix}`);
  for (const { month, outcome, reason, error } of months) {
    if (outcome === 'kept')
      output.warning(
        `${month} is kept: ${reason ?? ''}\n    ${aisecCommand(`archive export ${month} --out messages-${month}.ndjson.gz`, config.schema)}`,
      );
    if (error !== null)
      output.warning([`${month}: ${error.message}`, error.detail, error.hint].filter(Boolean).join('\n    '));
  }
}

function exitCodeOf(months: readonly PrunedMonth[]): ExitCode | undefined {
  if (months.some(({ error }) => error !== null && error.code !== 'LOCK_TIMEOUT')) return 1;
  if (months.some(({ error }) => error !== null)) return 5;
  return months.some(({ outcome }) => outcome === 'kept') ? 3 : undefined;
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const { olderThan } = options;
  if (olderThan === undefined)
    throw new AisecError('USAGE', '--older-than is missing', {
      hint: 'Say how long archived months are kept: --older-than 3y',
    });
  const exportsDirectory = givenPath(context, options.exports);
  const result = await context.withDatabase({ idleTimeoutMs: IDLE_TIMEOUT_MS }, async (session) => {
    const { pruneArchive } = await import('../../../features/messages/archive/prune.js');
    const settings = {
      schema: context.config.schema,
      olderThan,
      exportsDirectory,
      withoutExport: options.withoutExport,
      isDryRun: options.dryRun,
      batchRows: options.batch,
      maxWaitMs: options.maxWait,
      waitMs: options.wait,
    };
    const ask = (months: readonly PrunedMonth[]): Promise<void> =>
      confirm(context, months, session.info.databaseName, options);
    return pruneArchive(session, settings, ask, reportingTo(context));
  });
  context.output.done(result, renderPrune);
  reportFindings(context, result);
  const pruned = result.months.filter(({ outcome }) => outcome === 'pruned').length;
  const planned = result.months.filter(({ outcome }) => outcome === 'planned').length;
  const before = `Cutoff: ${result.cutoff.slice(0, 10)}.`;
  if (result.isDryRun) context.output.note(`${result.database}: dry run; ${planned} would be deleted. ${before}`);
  else
    context.output.note(`${result.database}: ${pruned === 0 ? 'nothing was pruned' : `${pruned} pruned`}. ${before}`);
  return result.isDryRun && planned > 0 && result.findings.length > 0 ? 3 : exitCodeOf(result.months);
}

export const archivePrune = defineCommand<Options>({
  name: 'archive prune',
  summary: 'delete archived months that are past retention',
  description:
    'Deletes the archived months that are wholly older than the age, for good: each only after its export was found, read whole and compared with the archive. ' +
    "The database's name must be typed, or given with --confirm. Files and replies stay and lose their reference. Stopped in the middle and run again, it continues.",
  options: [
    {
      flags: '--older-than <age>',
      description: 'how long archived months are kept: 3y, 36mo (required)',
      parse: ageOption,
    },
    { flags: '--exports <dir>', description: 'directory of the exports; default: where they were written' },
    { flags: '--without-export', description: 'delete months although nothing holds a copy' },
    { flags: '--confirm <database>', description: 'the name of the database, instead of typing it' },
    { flags: '--dry-run', description: 'check the exports and show what would be deleted' },
    {
      flags: '--batch <rows>',
      description: 'keys deleted in one transaction at most; fewer when they take long',
      default: '5000',
      parse: countOption(1),
    },
    ...LOCK_WAITS,
  ],
  examples: [
    ['aisec archive prune --older-than 3y --dry-run', 'See what is past retention, and verify its exports'],
    ['aisec archive prune --older-than 3y --confirm platform', 'Delete it, without a terminal'],
  ],
  run,
});
