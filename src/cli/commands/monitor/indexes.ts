import { parseReplicaUrl } from '../../../config/connection/connection-url.js';
import type { IndexesReport, MonitoredIndex } from '../../../features/monitor/indexes/indexes.js';
import { durationOption } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { bloatColumns } from './bloat-columns.js';
import { cellsFor } from './cells.js';
import { indexNotes } from './index-notes.js';
import { defineReport } from './report-command.js';

interface Options {
  readonly unusedAfter: number;
  readonly bloat: boolean;
  readonly replica?: readonly string[];
}

/** Read again where it is opened; here, so that a wrong one is reported before anything is opened. */
function replicaOption(url: string): string {
  parseReplicaUrl(url);
  return url;
}

function verdictText({ verdict }: MonitoredIndex, paint: Paint): string {
  if (verdict === 'invalid' || verdict === 'stray') return paint.red(verdict);
  return verdict === 'unused' || verdict === 'redundant' ? paint.yellow(verdict) : verdict;
}

function render({ indexes, replicas }: IndexesReport, renderer: Renderer, options: Options): string {
  const { table, paint, isTTY } = renderer;
  const cells = cellsFor(renderer);
  const { bytes, count } = cells;
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
    ...(replicas.length === 0
      ? []
      : [{ title: 'replica scans', value: (row: MonitoredIndex) => count(row.replicaScans), align: 'right' as const }]),
    { title: 'last scan', value: (row) => row.lastScanAt ?? '' },
    {
      title: 'used parts',
      value: (row) => (row.isPartitioned ? `${row.usedParts} of ${row.partCount}` : ''),
      align: 'right',
    },
    ...(options.bloat ? bloatColumns<MonitoredIndex>(cells) : []),
    { title: 'verdict', value: (row) => verdictText(row, paint) },
    { title: 'reason', value: (row) => row.reason },
  ]);
}

export const monitorIndexesCommand = defineReport<Options, IndexesReport>({
  name: 'monitor indexes',
  summary: 'show what each index costs and whether it is used',
  description:
    'One row an index, largest first, those of partitions summed, with a verdict: used, kept (a key or constraint, or what finds the rows of a foreign key), ' +
    'redundant (another one begins with the same columns), unused, undecided (counted too short), invalid, stray (on one partition alone), building. Foreign ' +
    'keys without an index are named below. --replica adds the scans of a replica, which ' +
    'counts its own; name them all before you drop an index. --bloat measures what REINDEX would give back, by pgstatindex, which reads every b-tree whole; it is never guessed.',
  options: [
    {
      flags: '--unused-after <duration>',
      description: 'how long scans must have been counted before none means unused',
      default: '14d',
      parse: durationOption,
    },
    {
      flags: '--replica <url>',
      description: 'a replica, as postgres://host:5432 without a password; may be repeated',
      parse: replicaOption,
      isRepeatable: true,
    },
    { flags: '--bloat', description: 'measure the unused space of b-trees, 10 s at most' },
  ],
  examples: [
    ['aisec monitor indexes', 'See every index and what could go'],
    ['aisec monitor indexes --replica postgres://replica-1', 'With the scans of a replica'],
    ['aisec monitor indexes --unused-after 30d --json', 'For a program, with a month as the measure'],
  ],
  read: async (
    session,
    { config, withReplica },
    { unusedAfter: unusedAfterMs, bloat: withBloat, replica: urls = [] },
  ) => {
    const { monitorIndexes } = await import('../../../features/monitor/indexes/indexes.js');
    return monitorIndexes(session, config.schema, {
      unusedAfterMs,
      withBloat,
      ...(urls.length > 0 && {
        onReplicas: async (read) => {
          const results = [];
          for (const url of urls) results.push(await withReplica(url, read));
          return results;
        },
      }),
    });
  },
  render,
  notes: indexNotes,
});
