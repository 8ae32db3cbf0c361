import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { IndexesReport, MonitoredIndex } from '../../../operations/monitor/indexes.js';
import { durationOption } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { cellsFor } from './cells.js';
import { defineReport } from './report-command.js';

interface Options {
  readonly unusedAfter: number;
}

function verdictText({ verdict }: MonitoredIndex, paint: Paint): string {
  if (verdict === 'invalid' || verdict === 'stray') return paint.red(verdict);
  return verdict === 'unused' || verdict === 'redundant' ? paint.yellow(verdict) : verdict;
}

function render({ indexes }: IndexesReport, renderer: Renderer): string {
  const { table, paint, isTTY } = renderer;
  const { bytes, count } = cellsFor(renderer);
  return table(indexes, [
    { title: 'index', value: (row) => row.index },
    { title: 'table', value: (row) => row.table },
    { title: 'method', value: (row) => row.method },
    { title: 'columns', value: (row) => row.columns },
    {
      title: 'size',
      value: (row) => (isTTY && row.isEstimated ? `~${bytes(row.sizeBytes)}` : bytes(row.sizeBytes)),
      align: 'right',
    },
    { title: 'scans', value: (row) => count(row.scans), align: 'right' },
    { title: 'last scan', value: (row) => row.lastScanAt ?? '' },
    {
      title: 'used parts',
      value: (row) => (row.isPartitioned ? `${row.usedParts} of ${row.partCount}` : ''),
      align: 'right',
    },
    { title: 'verdict', value: (row) => verdictText(row, paint) },
    { title: 'reason', value: (row) => row.reason },
  ]);
}

function windowNote({ countersSince, countersSinceEvent, windowMs }: IndexesReport): string {
  if (countersSince === null || windowMs === null) return 'Since when scans are counted, the server does not tell.';
  const event =
    countersSinceEvent === 'reset' ? 'somebody reset the counters' : "the server's first start, last crash or restore";
  return `Scans are counted since ${countersSince} (${event}), ${formatDurationMs(windowMs)}; those of an index made later, since then.`;
}

function notes(report: IndexesReport): readonly string[] {
  const { database, indexes, missingIndexes, totalBytes, savingBytes } = report;
  const mends = indexes.flatMap(({ sql, index, verdict }) => (sql === null ? [] : [`${index} is ${verdict}: ${sql}`]));
  return [
    `${database}: ${indexes.length} indexes, ${formatBytes(totalBytes)}; ${formatBytes(savingBytes)} in redundant and unused ones.`,
    windowNote(report),
    ...mends,
    ...missingIndexes.map(
      ({ table, foreignKey, sql }) => `${table} has no index for foreign key ${foreignKey}: ${sql}`,
    ),
  ];
}

export const monitorIndexesCommand = defineReport<Options, IndexesReport>({
  name: 'monitor indexes',
  summary: 'show what each index costs and whether it is used',
  description:
    'One row an index, largest first, those of partitions summed, with a verdict: used, kept (a key or constraint, or what finds the rows of a foreign key), ' +
    'redundant (another one begins with the same columns), unused, undecided (counted too short), invalid, stray (on one partition alone), building. Foreign ' +
    'keys without an index are named below. Replicas count their own scans: look there too before you drop one.',
  options: [
    {
      flags: '--unused-after <duration>',
      description: 'how long scans must have been counted before none means unused',
      default: '14d',
      parse: durationOption,
    },
  ],
  examples: [
    ['aisec monitor indexes', 'See every index and what could go'],
    ['aisec monitor indexes --unused-after 30d --json', 'For a program, with a month as the measure'],
  ],
  read: async (session, { config }, { unusedAfter }) => {
    const { monitorIndexes } = await import('../../../operations/monitor/indexes.js');
    return monitorIndexes(session, config.schema, unusedAfter);
  },
  render,
  notes,
});
