import type { ArchiveListing, ListedMonth } from '../../../features/messages/archive/list.js';
import { defineCommand } from '../../command.js';
import type { Context } from '../../context.js';
import type { ExitCode } from '../../exit-codes.js';
import type { Renderer } from '../../terminal/output.js';
import { rowsText } from './words.js';
import { formatBytes } from '../../../base/bytes.js';

const STATEMENT_TIMEOUT_MS = 30_000;

function stateText(row: ListedMonth, { paint }: Renderer): string {
  return row.state === 'archived' ? paint.green(row.state) : paint.yellow(row.state);
}

function renderList({ months }: ArchiveListing, renderer: Renderer): string {
  if (months.length === 0) return '';
  const time = (iso: string | null): string =>
    iso === null ? '' : renderer.isTTY ? iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC') : iso;
  return renderer.table(months, [
    { title: 'month', value: (row) => row.month ?? '?' },
    { title: 'state', value: (row) => stateText(row, renderer) },
    { title: 'partition', value: (row) => row.partition },
    { title: 'rows', value: (row) => rowsText(row.rowEstimate, false), align: 'right' },
    { title: 'size', value: (row) => formatBytes(row.sizeBytes), align: 'right' },
    { title: 'archived at', value: (row) => time(row.archivedAt) },
    { title: 'export', value: (row) => row.exports[0]?.file ?? '' },
  ]);
}

async function run(context: Context): Promise<ExitCode | undefined> {
  const listing = await context.withDatabase({ statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async (session) => {
    const { listArchive } = await import('../../../features/messages/archive/list.js');
    return listArchive(session, context.config.schema);
  });
  context.output.result(listing, renderList);
  const count = listing.months.length;
  context.output.note(
    count === 0
      ? `${listing.database}: the archive is empty.`
      : `${listing.database}: ${count} ${count === 1 ? 'month' : 'months'} in the archive.`,
  );
  return undefined;
}

export const archiveList = defineCommand<object>({
  name: 'archive list',
  summary: 'list the archived months',
  description:
    'Lists the months in messages_archive with their size, when they were archived and the newest export. Reads only. ' +
    'States: archived; partly live (the rest of the month is still in messages); being pruned (a prune was stopped).',
  options: [],
  examples: [
    ['aisec archive list', 'Show what is archived'],
    ['aisec archive list --json', 'The same for a program'],
  ],
  run,
});
