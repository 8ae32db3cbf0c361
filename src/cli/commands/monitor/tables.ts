import { countText } from '../../../base/count.js';
import { formatBytes } from '../../../base/bytes.js';
import type { GrowingTable, GrowingTablesReport } from '../../../features/monitor/growing-tables.js';
import type { TablePartition } from '../../../features/monitor/table-sizes.js';
import type { Renderer } from '../../terminal/output.js';
import { cellsFor } from './cells.js';
import { defineReport } from './report-command.js';
import { estimateNotes, sizeColumns } from './size-columns.js';
import { changeText } from './words.js';

interface Options {
  readonly partitions: boolean;
}

type Row = (TablePartition | GrowingTable) & { readonly parent?: GrowingTable };

function rowsOf({ tables }: GrowingTablesReport, { partitions }: Options): readonly Row[] {
  return tables.flatMap((table): readonly Row[] =>
    partitions ? [table, ...table.partitions.map((leaf) => ({ ...leaf, parent: table }))] : [table],
  );
}

function nameOnTerminal(row: Row): string {
  if (row.parent !== undefined) return `  ${row.identifier}`;
  if (!('isPartitioned' in row) || !row.isPartitioned) return row.identifier;
  const { length } = row.partitions;
  return `${row.identifier} (${countText(length, 'partition')})`;
}

/** Of a table; its partitions are not recorded. What is not known is `-`, or empty in a pipe. */
function change(row: Row, isTTY: boolean, of: 'bytesPerMonth' | 'grownBytes'): string {
  if (!('bytesPerMonth' in row)) return '';
  const bytes = row[of];
  if (bytes === null) return isTTY ? '-' : '';
  return isTTY ? changeText(bytes) : String(bytes);
}

function render(report: GrowingTablesReport, renderer: Renderer, options: Options): string {
  const { isTTY, table } = renderer;
  const { percent } = cellsFor(renderer);
  const names = isTTY
    ? [{ title: 'table', value: nameOnTerminal }]
    : [
        { title: 'table', value: (row: Row) => (row.parent ?? row).identifier },
        ...(options.partitions
          ? [{ title: 'partition', value: (row: Row) => (row.parent === undefined ? '' : row.identifier) }]
          : []),
      ];
  return table(rowsOf(report, options), [
    ...names,
    ...sizeColumns<Row>(renderer),
    {
      title: 'share',
      value: (row) => percent(report.totalBytes === 0 ? null : row.totalBytes / report.totalBytes),
      align: 'right',
    },
    { title: 'a month', value: (row) => change(row, isTTY, 'bytesPerMonth'), align: 'right' },
    { title: 'since record', value: (row) => change(row, isTTY, 'grownBytes'), align: 'right' },
  ]);
}

/** What the two columns of growth rest on, and why they are empty. */
function growthNotes({ recordedAt, tables, skipped }: GrowingTablesReport): readonly string[] {
  if (recordedAt === null && skipped.length > 0) return [];
  if (recordedAt === null) return ['Growth is not known without records. Next: aisec monitor record, daily.'];
  const isYoung = tables.every(({ bytesPerMonth }) => bytesPerMonth === null);
  return [`The last record is of ${recordedAt}.${isYoung ? ' What a month adds is known after a week of them.' : ''}`];
}

function notes(report: GrowingTablesReport): readonly string[] {
  const { database, tables, totalBytes } = report;
  const uncounted = tables.filter((table) => table.uncountedPartitions > 0 || table.rows === null);
  return [
    `${database}: ${countText(tables.length, 'table')}, ${formatBytes(totalBytes)}.`,
    ...(uncounted.length > 0
      ? [
          `Rows that were never counted are left out of: ${uncounted.map(({ identifier }) => identifier).join(', ')} (analyze counts them).`,
        ]
      : []),
    ...growthNotes(report),
    ...estimateNotes(tables.map((table) => ({ ...table, name: table.identifier }))),
  ];
}

export const monitorTablesCommand = defineReport<Options, GrowingTablesReport>({
  name: 'monitor tables',
  summary: 'show how large each table is, part by part',
  description:
    'One row a table, largest first, partitions summed: rows and dead rows as the statistics have them, and the bytes of heap, free space and visibility ' +
    'maps, TOAST and indexes, which add up to the total; by the records of `monitor record`, what a month adds and what came since the last one. ' +
    'A table that another session has locked is estimated and marked (~); nothing waits for it.',
  options: [{ flags: '--partitions', description: 'show the partitions of each table as well' }],
  acrossSchemas: ({ tables }: GrowingTablesReport) =>
    `${countText(tables.length, 'table')}, ${formatBytes(tables.reduce((sum, { totalBytes }) => sum + totalBytes, 0))}`,
  examples: [
    ['aisec monitor tables', 'See what takes the space'],
    ['aisec monitor tables --partitions --json', 'Every partition for a program, sizes in bytes'],
    ['aisec monitor tables --watch 10s', 'Look again every 10 seconds'],
  ],
  read: async (session, { config }) => {
    const { monitorGrowingTables } = await import('../../../features/monitor/growing-tables.js');
    return monitorGrowingTables(session, config.schema);
  },
  document: (report, options) =>
    options.partitions
      ? report
      : {
          ...report,
          tables: report.tables.map(({ partitions, ...table }) => ({ ...table, partitionCount: partitions.length })),
        },
  render,
  notes,
});
