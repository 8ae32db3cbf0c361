import { countText } from '../../../base/count.js';
import { formatBytes } from '../../../base/bytes.js';
import type { MonitoredMonth, MonthState, PartitionsReport } from '../../../features/monitor/partitions.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { defineReport } from './report-command.js';
import { estimateNotes, sizeColumns } from './size-columns.js';

function stateText(state: MonthState, paint: Paint): string {
  if (state === 'missing' || state === 'odd' || state === 'detaching') return paint.red(state);
  return state === 'current' ? paint.green(state) : state;
}

function render({ months }: PartitionsReport, renderer: Renderer): string {
  return renderer.table(months, [
    { title: 'month', value: (row) => row.month ?? '' },
    { title: 'state', value: (row) => stateText(row.state, renderer.paint) },
    { title: 'partition', value: (row) => row.partition ?? '' },
    ...sizeColumns<MonitoredMonth>(renderer),
  ]);
}

function sumOf(months: readonly MonitoredMonth[], table: MonitoredMonth['table']): string {
  const own = months.filter((month) => month.table === table && month.partition !== null);
  const sizeBytes = own.reduce((sum, month) => sum + (month.totalBytes ?? 0), 0);
  return `${countText(own.length, 'partition')} of ${table}, ${formatBytes(sizeBytes)}`;
}

function notes({ database, months, monthsAhead }: PartitionsReport): readonly string[] {
  const isAmiss = months.some(({ state }) => state === 'missing' || state === 'odd' || state === 'detaching');
  const waiting = months.filter(({ state, heapBytes }) => state === 'default' && (heapBytes ?? 0) > 0);
  return [
    `${database}: ${sumOf(months, 'messages')}; ${sumOf(months, 'messages_archive')}; ${Math.max(0, monthsAhead)} ${monthsAhead === 1 ? 'month' : 'months'} ahead.`,
    ...(waiting.length > 0 ? ['The default partition is not empty.'] : []),
    ...estimateNotes(months.map((month) => ({ ...month, name: month.partition ?? '' }))),
    ...(isAmiss || waiting.length > 0 ? ['Next: aisec partitions check'] : []),
  ];
}

export const monitorPartitionsCommand = defineReport<object, PartitionsReport>({
  name: 'monitor partitions',
  summary: 'show the months of messages with their rows and sizes',
  description:
    'The calendar of messages and messages_archive, a row a month: archived, closed (a past month), current, ahead, missing (a gap, or no current month), ' +
    'then default and odd (bounds that are not a month). Rows are as the statistics have them; sizes are as in "monitor tables".',
  options: [],
  acrossSchemas: ({ months, monthsAhead }: PartitionsReport) => `${months.length} rows, ${monthsAhead} months ahead`,
  examples: [
    ['aisec monitor partitions', 'See what each month holds'],
    ['aisec monitor partitions --json', 'The same for a program, sizes in bytes'],
  ],
  read: async (session, { config }) => {
    const { monitorPartitions } = await import('../../../features/monitor/partitions.js');
    return monitorPartitions(session, config.schema);
  },
  render,
  notes,
});
