import { countText } from '../../../base/count.js';
import type { ArchiveListing, ListedMonth } from '../../../features/messages/archive/list.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import { rowsText } from './words.js';
import { formatBytes } from '../../../base/bytes.js';
import { reportingTo } from '../../reporting.js';
import { aisecCommand, shellWord } from '../../../base/package/aisec-command.js';

interface Options {
  readonly verify: boolean;
}

const STATEMENT_TIMEOUT_MS = 30_000;
/** Reading an export keeps a transaction waiting for the disk. */
const IDLE_TIMEOUT_MS = 600_000;

function stateText(row: ListedMonth, { paint }: Renderer): string {
  return row.state === 'archived' ? paint.green(row.state) : paint.yellow(row.state);
}

function exportText({ exports }: ListedMonth, { paint }: Renderer): string {
  const [newest] = exports;
  if (newest === undefined) return '';
  if (newest.state === 'unverified') return newest.file;
  const text = `${newest.file} (${newest.state})`;
  return newest.state === 'complete' ? paint.green(text) : paint.yellow(text);
}

function renderList({ months }: ArchiveListing, renderer: Renderer): string {
  if (months.length === 0) return '';
  const time = (iso: string | null): string =>
    iso === null ? '' : renderer.isTTY ? iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC') : iso;
  return renderer.table(months, [
    { title: 'month', value: (row) => row.month ?? '?' },
    { title: 'state', value: (row) => stateText(row, renderer) },
    { title: 'partition', value: (row) => row.partition },
    { title: 'rows', value: (row) => rowsText(row.rows, row.rowsAreExact), align: 'right' },
    { title: 'size', value: (row) => formatBytes(row.sizeBytes), align: 'right' },
    { title: 'archived at', value: (row) => time(row.archivedAt) },
    { title: 'export', value: (row) => exportText(row, renderer) },
  ]);
}

function acrossText({ months }: ArchiveListing): string {
  return months.length === 0 ? 'the archive is empty' : `${countText(months.length, 'month')} in the archive`;
}

async function run(context: Context, options: Options): Promise<void> {
  const timeouts = { statementTimeoutMs: STATEMENT_TIMEOUT_MS, idleTimeoutMs: IDLE_TIMEOUT_MS };
  const listing = await context.withDatabase(timeouts, async (session) => {
    const { listArchive } = await import('../../../features/messages/archive/list.js');
    const { onProgress } = reportingTo(context);
    return listArchive(session, { schema: context.config.schema, verifies: options.verify, onProgress });
  });
  context.output.result(listing, renderList);
  const count = listing.months.length;
  context.output.note(
    count === 0
      ? `${listing.database}: the archive is empty.`
      : `${listing.database}: ${countText(count, 'month')} in the archive.`,
  );
  for (const { month, exports } of listing.months)
    for (const { file, state, reason } of exports)
      if (state !== 'complete' && state !== 'unverified')
        context.output.warning(
          `the export ${file} of ${month ?? ''} is ${state}${reason === null ? '' : `: ${reason}`}\n` +
            `    ${aisecCommand(`archive export ${month ?? ''} --out ${shellWord(file)} --replace`, context.config.schema)}`,
        );
}

export const archiveList = defineCommand<Options>({
  name: 'archive list',
  summary: 'list the archived months',
  description:
    'Lists the months in messages_archive with their size, when they were archived and the newest export, and the exports that the month has changed since (stale). Reads only. ' +
    'States: archived; partly live (the rest of the month is still in messages); being pruned (a prune was stopped).',
  options: [{ flags: '--verify', description: 'read every export and compare it with its month, message by message' }],
  acrossSchemas: acrossText,
  examples: [
    ['aisec archive list', 'Show what is archived'],
    ['aisec archive list --json', 'The same for a program'],
  ],
  isPaged: true,
  run,
});
