import type { ListedPartition, PartitionListing } from '../../../features/messages/partitions/list.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { countText } from '../../../base/count.js';
import { formatBytes } from '../../../base/bytes.js';

function stateText({ state }: ListedPartition, paint: Paint): string {
  if (state === 'odd' || state === 'detaching') return paint.red(state);
  return state === 'current' ? paint.green(state) : state;
}

function boundsText({ lowerBound, upperBound }: ListedPartition): string {
  return lowerBound === null ? '' : `${lowerBound} to ${upperBound ?? ''}`;
}

function renderList({ partitions }: PartitionListing, { table, paint, isTTY }: Renderer): string {
  if (partitions.length === 0) return '';
  const size = (bytes: number | null): string => {
    if (bytes === null) return '';
    return isTTY ? formatBytes(bytes) : String(bytes);
  };
  return table(partitions, [
    { title: 'table', value: (row) => row.table },
    { title: 'partition', value: (row) => row.partition },
    { title: 'month', value: (row) => row.month ?? '' },
    { title: 'bounds', value: boundsText },
    { title: 'rows', value: (row) => (row.rowEstimate === null ? '' : String(row.rowEstimate)), align: 'right' },
    { title: 'size', value: (row) => size(row.sizeBytes), align: 'right' },
    { title: 'state', value: (row) => stateText(row, paint) },
  ]);
}

function acrossText({ partitions }: PartitionListing): string {
  return countText(partitions.length, 'partition');
}

async function run(context: Context): Promise<void> {
  const { config, output } = context;
  const listing = await context.withDatabase({ statementTimeoutMs: 30_000 }, async (session) => {
    const { listPartitions } = await import('../../../features/messages/partitions/list.js');
    return listPartitions(session, config.schema);
  });
  output.result(listing, renderList);
  const sizeBytes = listing.partitions.reduce((sum, partition) => sum + (partition.sizeBytes ?? 0), 0);
  output.note(`${listing.database}: ${listing.partitions.length} partitions, ${formatBytes(sizeBytes)}.`);
  const isOdd = listing.partitions.some(({ state }) => state === 'odd' || state === 'detaching');
  if (isOdd) output.note('Next: aisec partitions check');
}

export const partitionsList = defineCommand<object>({
  name: 'partitions list',
  summary: 'list the partitions of messages and messages_archive',
  description:
    'Lists every partition with its month, its bounds in UTC, the rows as the statistics have them, its size with indexes, and its state: ' +
    'archived, closed (a past month), current, ahead, default, odd (its bounds are not a month), detaching (a detach that was never finished).',
  options: [],
  acrossSchemas: acrossText,
  examples: [
    ['aisec partitions list', 'Show every month and its size'],
    ['aisec partitions list --json', 'The same for a program, sizes in bytes'],
  ],
  isPaged: true,
  run,
});
