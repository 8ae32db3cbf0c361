import type { Age } from '../../../base/age.js';
import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { MonthOutcome } from '../../../features/messages/archive/archive-month.js';
import type { ArchiveResult } from '../../../features/messages/archive/run.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { ageOption, countOption, durationOption } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { LOCK_WAITS, type LockWaits } from './options.js';
import { monthsText, rowsText } from './words.js';
import { reportingTo } from '../../reporting.js';
import { formatBytes } from '../../../base/bytes.js';

interface Options extends LockWaits {
  readonly olderThan: Age;
  readonly exact: boolean;
  readonly dryRun: boolean;
  readonly batch: number;
  readonly maxTime?: number;
  readonly analyze: boolean;
}

const MONTH_LABEL = 10;
const IDLE_TIMEOUT_MS = 60_000;

function outcomeText({ outcome }: MonthOutcome, paint: Paint): string {
  switch (outcome) {
    case 'archived':
    case 'moved':
      return paint.green(outcome);
    case 'planned':
    case 'stopped':
      return paint.yellow(outcome);
    case 'blocked':
    case 'failed':
      return paint.red(outcome);
  }
}

function renderLocks(months: readonly MonthOutcome[], { paint }: Renderer): string {
  const lines = months
    .filter(({ locks }) => locks.length > 0)
    .flatMap((month) => [
      paint.bold(`${month.month.slice(0, MONTH_LABEL)}: ${month.action}`),
      ...(month.boundCheck === 'present' ? [] : [`  first: ${month.boundCheck} a CHECK equal to its bounds`]),
      ...month.locks.map(({ mode, relation }) => `  lock ${mode} on ${relation}`),
    ]);
  return lines.length === 0 ? '' : `\n${lines.join('\n')}`;
}

function renderArchive(result: ArchiveResult, renderer: Renderer): string {
  const { table, paint } = renderer;
  if (result.months.length === 0) return '';
  const rows = table(result.months, [
    { title: 'month', value: (row) => row.month.slice(0, MONTH_LABEL) },
    { title: 'action', value: (row) => row.action },
    { title: 'outcome', value: (row) => outcomeText(row, paint) },
    { title: 'partition', value: (row) => row.partition ?? '' },
    { title: 'rows', value: (row) => rowsText(row.rows, row.rowsAreExact), align: 'right' },
    { title: 'size', value: (row) => formatBytes(row.sizeBytes), align: 'right' },
    {
      title: 'time',
      value: (row) => (row.durationMs === null ? '' : formatDurationMs(row.durationMs)),
      align: 'right',
    },
  ]);
  return result.isDryRun ? `${rows}${renderLocks(result.months, renderer)}` : rows;
}

/** Each finding once, with the months that it keeps. */
function reportFindings({ output }: Context, months: readonly MonthOutcome[]): void {
  const kept = new Map<string, string[]>();
  for (const { month, findings } of months)
    for (const { message, fix } of findings) {
      const text = fix === null ? message : `${message}\n    ${fix}`;
      kept.set(text, [...(kept.get(text) ?? []), month.slice(0, MONTH_LABEL)]);
    }
  for (const [text, labels] of kept) output.warning(`${monthsText(labels)}: ${text}`);
  const failures = new Map<string, string[]>();
  for (const { month, error } of months) {
    if (error === null) continue;
    const text = [error.message, error.detail, error.hint].filter(Boolean).join('\n    ');
    failures.set(text, [...(failures.get(text) ?? []), month.slice(0, MONTH_LABEL)]);
  }
  for (const [text, labels] of failures) output.warning(`${monthsText(labels)}: ${text}`);
}

function summary(result: ArchiveResult): string {
  const { months, database, cutoff, isDryRun, isStopped } = result;
  const count = (...outcomes: readonly MonthOutcome['outcome'][]): number =>
    months.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const before = `Cutoff: ${cutoff.slice(0, 19)}Z.`;
  if (months.length === 0) return `${database}: nothing to do. ${before}`;
  if (isDryRun) return `${database}: dry run; ${count('planned')} planned, ${count('blocked')} blocked. ${before}`;
  const parts = [`${count('archived')} archived`];
  if (count('moved') > 0) parts.push(`${count('moved')} moved row by row`);
  if (count('blocked', 'failed') > 0) parts.push(`${count('blocked', 'failed')} not`);
  const more = isStopped ? ' Stopped by --max-time: run it again to continue.' : '';
  return `${database}: ${parts.join(', ')}. ${before}${more}`;
}

function exitCodeOf(months: readonly MonthOutcome[]): ExitCode | undefined {
  if (months.some(({ error }) => error !== null && error.code !== 'LOCK_TIMEOUT')) return 1;
  if (months.some(({ error }) => error !== null)) return 5;
  return months.some(({ outcome }) => outcome === 'blocked') ? 3 : undefined;
}

const IN_ORDER = ['failed', 'blocked', 'stopped', 'planned', 'archived', 'moved'] as const;

function acrossText({ months }: ArchiveResult): string {
  const counts = IN_ORDER.map((wanted) => [wanted, months.filter(({ outcome }) => outcome === wanted).length] as const);
  const parts = counts
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${countText(count, 'month')} ${outcome}`);
  return parts.join(', ') || 'nothing to archive';
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const result = await context.withDatabase({ idleTimeoutMs: IDLE_TIMEOUT_MS }, async (session) => {
    const { archiveMessages } = await import('../../../features/messages/archive/run.js');
    const settings = {
      schema: context.config.schema,
      extensionSchema: context.config.extensionSchema,
      olderThan: options.olderThan,
      isExact: options.exact,
      isDryRun: options.dryRun,
      batchRows: options.batch,
      maxMoveMs: options.maxTime,
      maxWaitMs: options.maxWait,
      waitMs: options.wait,
      analyzes: options.analyze,
    };
    return archiveMessages(session, settings, reportingTo(context));
  });
  context.output.done(result, renderArchive);
  reportFindings(context, result.months);
  context.output.note(summary(result));
  return exitCodeOf(result.months);
}

export const archive = defineCommand<Options>({
  name: 'archive',
  summary: 'move old months of messages to the archive',
  description:
    'Moves every month of messages that is wholly older than the age to messages_archive: the whole partition in one short transaction, ' +
    'without touching its rows. Files and replies keep referring to them. A month that cannot be moved does not stop the others. ' +
    "The age counts back from the server's clock, in UTC.",
  options: [
    {
      flags: '--older-than <age>',
      description: 'a number with a unit: 6mo, 1y, 90d',
      default: '6mo',
      parse: ageOption,
    },
    { flags: '--exact', description: 'also move the older rows of the month the cutoff lies in' },
    { flags: '--dry-run', description: 'show what would be moved, the locks, and what prevents it' },
    {
      flags: '--batch <rows>',
      description: 'rows moved in one transaction, where single rows are moved',
      default: '5000',
      parse: countOption(1),
    },
    {
      flags: '--max-time <duration>',
      description: 'stop moving single rows after this time; the next run continues',
      parse: durationOption,
    },
    { flags: '--no-analyze', description: 'leave the statistics of both tables as they are' },
    ...LOCK_WAITS,
  ],
  outlivesFailover: true,
  acrossSchemas: acrossText,
  examples: [
    ['aisec archive', 'Archive the months older than six months; for a daily job'],
    ['aisec archive --older-than 1y --dry-run', 'See what would move, and which locks that takes'],
    ['aisec archive --exact --max-time 10m', 'Keep exactly six months, moving rows for at most ten minutes'],
  ],
  run,
});
