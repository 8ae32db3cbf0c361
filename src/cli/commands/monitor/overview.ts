import { formatBytes } from '../../../base/bytes.js';
import { formatCount } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { MonthsOverview, OverviewReport } from '../../../features/monitor/overview.js';
import { XID_LIMIT } from '../../../features/monitor/vacuum-shares.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { THRESHOLDS_OPTION, thresholdsOf } from '../../thresholds.js';
import { figuresOf } from './overview-figures.js';
import { defineReport } from './report-command.js';

interface Line {
  readonly title: string;
  readonly value: string;
  readonly more: string;
}

/** `3 partitions`, `1 partition`. */
function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function databaseLine({ databaseBytes, monthlyBytes }: OverviewReport): Line {
  const pace =
    monthlyBytes === null
      ? 'not enough data to say what a month adds'
      : `a month adds about ${formatBytes(monthlyBytes.expected)} (${formatBytes(monthlyBytes.low)} to ${formatBytes(monthlyBytes.high)})`;
  return { title: 'database', value: formatBytes(databaseBytes), more: pace };
}

function tableLines({ tables }: OverviewReport, paint: Paint): readonly Line[] {
  return tables.largest.map(({ identifier, totalBytes, share, rows, isEstimated }) => ({
    title: `  ${identifier}`,
    value: isEstimated ? paint.yellow(`~${formatBytes(totalBytes)}`) : formatBytes(totalBytes),
    more: [
      ...(share === null ? [] : [`${(share * 100).toFixed(1)} %`]),
      rows === null ? 'rows never counted' : `about ${counted(rows, 'row')}`,
    ].join(', '),
  }));
}

function monthsText({ firstMonth, lastMonth }: MonthsOverview): string {
  return firstMonth === null || lastMonth === null ? '' : `${firstMonth} to ${lastMonth}`;
}

function monthLines({ messages, archive }: OverviewReport, paint: Paint): readonly Line[] {
  const { monthsAhead, missingMonths, default: rest } = messages;
  const ahead = monthsAhead < 0 ? paint.red('no current month') : `${monthsAhead} ahead`;
  const waiting = rest?.rows === null || rest === null ? '?' : formatCount(rest.rows);
  return [
    {
      title: 'months of messages',
      value: monthsAhead === 0 || monthsAhead === 1 ? paint.yellow(ahead) : ahead,
      more: [
        counted(messages.partitions, 'partition'),
        monthsText(messages),
        missingMonths.length === 0 ? 'none missing' : paint.red(`missing: ${missingMonths.join(', ')}`),
      ].join(', '),
    },
    {
      title: 'default partition',
      value: rest?.isEmpty === true ? 'empty' : paint.yellow(rest === null ? '?' : waiting),
      more:
        rest?.isEmpty === true ? '' : rest === null ? 'it is not there, or locked' : 'messages that no month covers',
    },
    {
      title: 'archive',
      value: formatBytes(archive.totalBytes),
      more:
        archive.partitions === 0 ? 'no month' : `${counted(archive.partitions, 'partition')}, ${monthsText(archive)}`,
    },
  ];
}

function sessionLines({ connections, longestTransaction: longest }: OverviewReport, paint: Paint): readonly Line[] {
  const { total, usable, active, idle, idleInTransaction, blocked } = connections;
  const blockedText = `${blocked} blocked`;
  return [
    {
      title: 'connections',
      value: `${total} of ${usable}`,
      more: `${active} active, ${idle} idle, ${idleInTransaction} idle in transaction, ${blocked > 0 ? paint.red(blockedText) : blockedText}`,
    },
    {
      title: 'longest transaction',
      value: longest === null ? 'none' : formatDurationMs(longest.transactionMs ?? 0),
      more:
        longest === null
          ? ''
          : `pid ${longest.pid} of ${longest.role ?? '?'}${longest.application === '' ? '' : ` (${longest.application})`}, ${longest.state ?? '?'}`,
    },
  ];
}

function counterLines({ vacuum, countersSince, countersSinceEvent }: OverviewReport): readonly Line[] {
  const age = vacuum.xidAge === null ? '?' : `${((vacuum.xidAge / XID_LIMIT) * 100).toFixed(1)} %`;
  return [
    {
      title: 'vacuum',
      value: `${vacuum.due} due`,
      more: `${vacuum.running} at work, oldest transaction id at ${age} of the limit`,
    },
    {
      title: 'counters since',
      value: countersSince === null ? '?' : countersSince.slice(0, 10),
      more:
        countersSince === null
          ? 'not reported by the server'
          : `${countersSince.slice(11, 16)} UTC, ${countersSinceEvent === 'reset' ? 'reset by hand' : 'start or recovery of the server'}`,
    },
  ];
}

function render(report: OverviewReport, { isTTY, paint, table }: Renderer): string {
  if (!isTTY)
    return table(figuresOf(report), [
      { title: 'figure', value: (row) => row.figure },
      { title: 'of', value: (row) => row.of },
      { title: 'value', value: (row) => String(row.value ?? '') },
    ]);
  const lines: readonly Line[] = [
    databaseLine(report),
    ...tableLines(report, paint),
    ...monthLines(report, paint),
    ...sessionLines(report, paint),
    ...counterLines(report),
  ];
  return table(lines, [
    { title: 'what', value: (row) => row.title },
    { title: 'figure', value: (row) => row.value, align: 'right' },
    { title: 'more', value: (row) => row.more },
  ]);
}

function notes({ database, tables, connections, findings }: OverviewReport): readonly string[] {
  return [
    `${database}: ${counted(tables.count, 'table')}, ${formatBytes(tables.totalBytes)}.`,
    ...findings.flatMap(({ severity, message, fix }) => [
      `${severity}: ${message}.`,
      ...(fix === null ? [] : fix.split('\n').map((line) => `  ${line}`)),
    ]),
    ...(connections.blocked > 0 ? ['Next: aisec monitor locks'] : []),
    'Next: aisec doctor reports what is wrong, and what fixes it.',
  ];
}

export const monitor = defineReport<object, OverviewReport>({
  name: 'monitor',
  summary: 'show how the database does at a glance',
  description:
    'The size of the database and of its largest tables, the months of messages, the archive, connections and the longest transaction, vacuum, and since when ' +
    'the counters count. Each has a report of its own, below. Reads only, waits for no lock on a table, and judges the months, the default partition and what stops the server now; the rest is for doctor.',
  options: [THRESHOLDS_OPTION],
  acrossSchemas: ({ tables, messages, findings }: OverviewReport) =>
    `${formatBytes(tables.totalBytes)}, ${counted(messages.monthsAhead, 'month')} ahead, ${counted(findings.length, 'finding')}`,
  examples: [
    ['aisec monitor', 'See the state of the database'],
    ['aisec monitor --watch 5s', 'Keep it on a screen'],
    ['aisec monitor --json', 'For a program: bytes and milliseconds as integers'],
  ],
  read: async (session, context) => {
    const { monitorOverview } = await import('../../../features/monitor/overview.js');
    return monitorOverview(session, context.config.schema, await thresholdsOf(context));
  },
  render,
  notes,
});
