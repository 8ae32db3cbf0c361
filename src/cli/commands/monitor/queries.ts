import { formatBytes } from '../../../base/bytes.js';
import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { MonitoredQuery, QueriesReport } from '../../../features/monitor/queries/queries.js';
import { countOption } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { cellsFor } from './cells.js';
import { defineReport } from './report-command.js';

interface Options {
  readonly limit: number;
  readonly explain: boolean;
}

const SHOWN_ON_TERMINAL = 100;

/** A plan has many lines, so each query is a paragraph, on a terminal and in a pipe alike. */
function paragraph({ totalMs, share, calls, meanMs, query, plan, planProblem, index }: MonitoredQuery): string {
  const indented = (text: string): readonly string[] => text.split('\n').map((line) => `    ${line}`);
  return [
    `${formatDurationMs(totalMs)} (${Math.round(share * 100)} %), ${countText(calls, 'call')}, ${meanMs.toFixed(2)} ms on average`,
    `  ${query}`,
    ...(plan === null ? [`    no plan: ${planProblem ?? ''}`] : indented(plan)),
    ...(index === null
      ? []
      : [
          `  with an index of about ${formatBytes(index.sizeBytes)} the planner expects ${Math.round(index.costAfter)} instead of ${Math.round(index.costBefore)}:`,
          `    ${index.sql.replaceAll('\n', '\n    ')}`,
        ]),
  ].join('\n');
}

function render({ queries }: QueriesReport, renderer: Renderer, { explain }: Options): string {
  const { table, isTTY } = renderer;
  const { count, duration, percent } = cellsFor(renderer);
  if (queries === null || queries.length === 0) return '';
  if (explain) return queries.map(paragraph).join('\n\n');
  const shortened = (query: string): string =>
    isTTY && query.length > SHOWN_ON_TERMINAL ? `${query.slice(0, SHOWN_ON_TERMINAL)}...` : query;
  return table(queries, [
    { title: 'time', value: (row) => duration(row.totalMs), align: 'right' },
    { title: 'share', value: (row) => percent(row.share), align: 'right' },
    { title: 'calls', value: (row) => count(row.calls), align: 'right' },
    { title: 'mean ms', value: (row) => row.meanMs.toFixed(2), align: 'right' },
    { title: 'rows', value: (row) => count(row.rows), align: 'right' },
    { title: 'read blocks', value: (row) => count(row.readBlocks), align: 'right' },
    { title: 'temporary blocks', value: (row) => count(row.temporaryBlocks), align: 'right' },
    { title: 'query', value: (row) => shortened(row.query) },
  ]);
}

function notes({ database, queries, queriesSince, evictions }: QueriesReport): readonly string[] {
  if (queries === null) return [];
  return [
    `${database}: the ${queries.length} queries that took the most time${queriesSince === null ? '' : ` since ${queriesSince}`}.`,
    ...(evictions !== null && evictions > 0
      ? [
          `Entries were thrown out ${evictions} times for want of room (pg_stat_statements.max): some queries are missing.`,
        ]
      : []),
  ];
}

export const monitorQueriesCommand = defineReport<Options, QueriesReport>({
  name: 'monitor queries',
  summary: 'show the queries that take the most time',
  description:
    'The queries of this database by their total time, as pg_stat_statements has them, those of all roles together. Without the extension it ' +
    'prints how to install it and exits 3. With --explain each is planned (EXPLAIN, which runs nothing) as the role that sends it, for any values of ' +
    'its parameters; where the extension hypopg is installed, an index that would halve the cost is shown with its statement.',
  options: [
    { flags: '--limit <n>', description: 'how many', default: '20', parse: countOption(1) },
    {
      flags: '--explain',
      description: 'with the plan of each, and the index that HypoPG finds for it',
    },
  ],
  examples: [
    ['aisec monitor queries', 'See what the server spends its time on'],
    ['aisec monitor queries --limit 5 --explain', 'See how the slowest are run, and what would make them faster'],
    ['aisec monitor queries --limit 100 --json', 'More of them, for a program'],
  ],
  read: async (session, { config }, { limit, explain }) => {
    const { monitorQueries } = await import('../../../features/monitor/queries/queries.js');
    return monitorQueries(session, config.schema, { limit, explains: explain });
  },
  render,
  notes,
  isSkipped: ({ queries }) => queries === null,
});
