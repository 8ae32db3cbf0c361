import type { RestoreResult } from '../../../features/messages/archive/restore.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import { monthOption } from '../../options.js';
import { LOCK_WAITS, type LockWaits } from './options.js';
import { rowsText } from './words.js';
import { reportingTo } from '../../reporting.js';
import { formatBytes } from '../../../base/bytes.js';

interface Options extends LockWaits {
  readonly dryRun: boolean;
}

function renderRestore(result: RestoreResult, { table, paint }: Renderer): string {
  if (result.outcome === 'live') return '';
  const rows = table(
    [result],
    [
      { title: 'month', value: (row) => row.month },
      { title: 'outcome', value: (row) => (row.outcome === 'restored' ? paint.green(row.outcome) : row.outcome) },
      { title: 'partition', value: (row) => row.partition },
      { title: 'rows', value: (row) => rowsText(row.rows, false), align: 'right' },
      { title: 'size', value: (row) => formatBytes(row.sizeBytes), align: 'right' },
    ],
  );
  const locks = result.locks.map(({ mode, relation }) => `lock ${mode} on ${relation}`);
  return result.isDryRun ? [rows, ...locks].join('\n') : rows;
}

const NOTES: Readonly<Record<RestoreResult['outcome'], string>> = {
  live: 'nothing to do, the month is in messages already.',
  planned: 'dry run; no changes were made.',
  restored: 'restored. The next aisec archive moves it back, unless its --older-than is longer.',
};

async function run(context: Context, options: Options, argument: string): Promise<void> {
  const month = monthOption(argument);
  const result = await context.withDatabase({}, async (session) => {
    const { restoreMonth } = await import('../../../features/messages/archive/restore.js');
    const settings = {
      schema: context.config.schema,
      month,
      isDryRun: options.dryRun,
      maxWaitMs: options.maxWait,
      waitMs: options.wait,
    };
    return restoreMonth(session, settings, reportingTo(context));
  });
  context.output.done(result, renderRestore);
  context.output.note(`${result.database}: ${result.month}: ${NOTES[result.outcome]}`);
}

export const archiveRestore = defineCommand<Options>({
  name: 'archive restore',
  summary: 'bring an archived month back to messages',
  description:
    'Moves the whole partition of a month from messages_archive back to messages, in one short transaction that reads none of its rows. ' +
    'Messages that were written for the month meanwhile are moved with it; references are checked before, under no lock that stops a writer.',
  argument: { syntax: '<month>', description: 'year and month in UTC: 2024-01' },
  options: [{ flags: '--dry-run', description: 'show what would be moved, and the locks' }, ...LOCK_WAITS],
  examples: [
    ['aisec archive restore 2024-01', 'Bring January 2024 back'],
    ['aisec archive restore 2024-01 --dry-run', 'See whether that is possible'],
  ],
  run,
});
