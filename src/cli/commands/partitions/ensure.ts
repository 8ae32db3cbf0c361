import { countText } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import type { EnsureResult } from '../../../features/messages/partitions/ensure.js';
import type { EnsuredMonth } from '../../../features/messages/partitions/outcome.js';
import type { Month } from '../../../base/month.js';
import { defineCommand, type Context } from '../../command.js';
import { MAX_WAIT_OPTION, monthOption, WAIT_OPTION } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { aheadOption } from './ahead-option.js';

interface Options {
  readonly ahead: number;
  readonly since?: Month;
  readonly dryRun: boolean;
  readonly wait: number;
  readonly maxWait: number;
}

const STATE_TEXT: Readonly<Record<EnsuredMonth['state'], string>> = {
  planned: 'to make',
  made: 'made',
  exists: 'is there',
  failed: 'not made',
};

function stateText({ state }: EnsuredMonth, paint: Paint): string {
  if (state === 'failed') return paint.red(STATE_TEXT[state]);
  return state === 'made' ? paint.green(STATE_TEXT[state]) : STATE_TEXT[state];
}

function renderEnsure({ months, isDryRun }: EnsureResult, { table, paint }: Renderer): string {
  if (months.length === 0) return '';
  return table(months, [
    { title: 'month', value: (row) => row.month },
    { title: 'partition', value: (row) => row.partition },
    { title: isDryRun ? 'rows to move' : 'rows moved', value: rowsText, align: 'right' },
    { title: 'state', value: (row) => stateText(row, paint) },
  ]);
}

/** What a month that was not made has moved: nothing. */
function rowsText({ state, rows }: EnsuredMonth): string {
  return state === 'failed' ? '0' : String(rows);
}

function summary({ database, months, isDryRun, until, lateRows }: EnsureResult): string {
  const done = months.filter(({ state }) => state === 'made' || state === 'planned');
  const rows = done.reduce((sum, month) => sum + month.rows, 0);
  const moved =
    (rows === 0 ? '' : `, ${countText(rows, 'row')} out of the default partition`) +
    (lateRows === 0 ? '' : `, ${countText(lateRows, 'late row')} to the archive`);
  if (months.length === 0) return `${database}: nothing to do, every month up to ${until} is there.`;
  if (isDryRun) return `${database}: dry run; ${countText(done.length, 'month')} to make${moved}.`;
  return `${database}: ${done.length === 0 ? 'no month' : countText(done.length, 'month')} made${moved}.`;
}

/** One line for the months that have the same problem. */
function warnOfProblems({ output }: Context, { months, rowsOfArchive, undatedRows, drained }: EnsureResult): void {
  const failed = months.filter(({ problem }) => problem !== null);
  const groups = new Map<string, EnsuredMonth[]>();
  for (const month of failed) {
    const text = `${month.problem ?? ''}${month.fix === null ? '' : `; to fix it: ${month.fix}`}`;
    groups.set(text, [...(groups.get(text) ?? []), month]);
  }
  for (const [text, group] of groups) output.warning(`${group.map(({ month }) => month).join(', ')}: ${text}`);
  for (const { month, rows, fix } of rowsOfArchive)
    output.warning(
      `${month}: ${countText(rows, 'row')} left in the default partition, the month is in the archive; to fix it: ${fix}`,
    );
  for (const { table, rows, state } of drained)
    if (state === 'kept')
      output.note(
        `${table} keeps the ${countText(rows, 'row')} that were copied; the next run compares them again and drops it.`,
      );
  if (undatedRows > 0)
    output.warning(
      `${countText(undatedRows, 'row')} in the default partition dated outside of the years 1 to 9999; see: aisec partitions check`,
    );
}

function refuseLost({ drained }: EnsureResult): void {
  const lost = drained.filter(({ lostRows }) => lostRows > 0);
  if (lost.length === 0) return;
  throw new AisecError(
    'MESSAGES_LOST',
    `${lost.map(({ table }) => table).join(', ')} holds messages that messages lacks`,
    {
      detail: lost
        .map(({ table, lostRows }) => `${countText(lostRows, 'message')} of ${table} in neither table.`)
        .join(' '),
      hint: 'The table is kept until the messages are back: aisec partitions check shows how to insert them.',
    },
  );
}

function refuseUnmade({ months, isDryRun }: EnsureResult): void {
  const failed = months.filter(({ state }) => state === 'failed');
  if (failed.length === 0) return;
  const isLock = failed.every(({ isLockProblem }) => isLockProblem);
  const verb = isDryRun ? 'cannot be made as things stand' : 'could not be made';
  throw new AisecError(
    isLock ? 'LOCK_TIMEOUT' : 'PARTITION_NOT_MADE',
    `${failed.length} of ${countText(months.length, 'missing month')} ${verb}`,
    {
      detail: `${failed.map(({ month }) => month).join(', ')}: the warnings say why. Until then their rows go to the default partition; none is lost.`,
      hint: isLock
        ? 'Run it again when the sessions in the way have ended.'
        : 'Fix what the warnings name, then run it again.',
    },
  );
}

function acrossText({ months, isDryRun }: EnsureResult): string {
  const made = months.filter(({ state }) => state !== 'failed').length;
  const failed = months.length - made;
  if (months.length === 0) return 'every month is there';
  return [
    ...(made === 0 ? [] : [`${countText(made, 'month')} ${isDryRun ? 'would be made' : 'made'}`]),
    ...(failed === 0 ? [] : [`${countText(failed, 'month')} not made`]),
  ].join(', ');
}

async function run(context: Context, options: Options): Promise<void> {
  const { config, output, progress } = context;
  const result = await context.withDatabase({}, async (session) => {
    const { ensurePartitions } = await import('../../../features/messages/partitions/ensure.js');
    const settings = {
      schema: config.schema,
      ahead: options.ahead,
      from: options.since,
      isDryRun: options.dryRun,
      waitMs: options.wait,
      maxWaitMs: options.maxWait,
    };
    return ensurePartitions(session, settings, { onProgress: progress.report });
  });
  output.done(result, renderEnsure);
  output.note(summary(result));
  warnOfProblems(context, result);
  refuseLost(result);
  refuseUnmade(result);
}

export const partitionsEnsure = defineCommand<Options>({
  name: 'partitions ensure',
  summary: 'make the months ahead and empty the default partition',
  description:
    'Makes the current month of messages and those ahead, gaps between months, and the months of rows in the default partition, which move in. ' +
    'Months are UTC and known by their bounds. Rows are copied beside and compared, then the copies take the place of the default partition within a fraction of a second, however many rows there are; ' +
    'that needs as much space again until the next run, which compares once more and drops the old table. ' +
    'A month that cannot be made does not stop the others: exit 5 when a lock was in the way, else 1.',
  options: [
    { flags: '--ahead <n>', description: 'months after the current one, 0 to 120', default: '3', parse: aheadOption },
    { flags: '--since <month>', description: 'first month, YYYY-MM; default: the current one', parse: monthOption },
    { flags: '--dry-run', description: 'show what would be made and moved; change nothing' },
    MAX_WAIT_OPTION,
    WAIT_OPTION,
  ],
  outlivesFailover: true,
  acrossSchemas: acrossText,
  examples: [
    ['aisec partitions ensure', 'For a daily job: the current month and three ahead'],
    ['aisec partitions ensure --dry-run', 'See which months are missing and how many rows would move'],
    ['aisec partitions ensure --since 2024-01', 'Make the months of the past, too, before an import'],
  ],
  run,
});
