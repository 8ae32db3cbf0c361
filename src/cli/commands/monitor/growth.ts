import { formatBytes } from '../../../base/bytes.js';
import type { Range } from '../../../features/monitor/growth/forecast.js';
import type { GrowthReport } from '../../../features/monitor/growth/growth.js';
import { defineCommand, type Context } from '../../command.js';
import { countOption } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { limitSentence, methodSentences } from '../../../features/monitor/growth/sentences.js';
import { SIZE_LIMIT_OPTION } from './size-limit-option.js';
import { cellsFor } from './cells.js';
import { changeText, warnOfSkips } from './words.js';

interface Options {
  readonly ahead: number;
  readonly sizeLimit?: number;
  readonly tables: boolean;
}

interface Line {
  readonly month: string;
  readonly state: 'closed' | 'current' | 'to come';
  readonly rows: number | null;
  readonly messagesBytes: number;
  /** At the end of the month; null for the past. */
  readonly databaseBytes: Range | null;
}

const SHOWN_MONTHS = 12;

function linesOf({ months, forecast }: GrowthReport): readonly Line[] {
  const past = months.slice(-SHOWN_MONTHS - 1).map(({ month, state, rows, sizeBytes }): Line => {
    const point = forecast?.points.find((known) => known.month === month);
    return { month, state, rows, messagesBytes: sizeBytes, databaseBytes: point?.databaseBytes ?? null };
  });
  const points = forecast?.points.filter(({ month }) => !past.some((line) => line.month === month)) ?? [];
  return [
    ...past,
    ...points.map(({ month, messagesBytes, databaseBytes }): Line => ({
      month,
      state: 'to come',
      rows: null,
      messagesBytes: messagesBytes.expected,
      databaseBytes,
    })),
  ];
}

function renderMonths(report: GrowthReport, renderer: Renderer): string {
  const { table, paint } = renderer;
  const { bytes, count } = cellsFor(renderer);
  const size = (known: number | undefined): string => (known === undefined ? '' : bytes(known));
  const lines = linesOf(report);
  if (lines.length === 0) return '';
  return table(lines, [
    { title: 'month', value: (row) => row.month },
    { title: 'state', value: (row) => (row.state === 'current' ? paint.green(row.state) : row.state) },
    { title: 'rows', value: (row) => (row.state === 'to come' ? '' : count(row.rows)), align: 'right' },
    { title: 'messages', value: (row) => size(row.messagesBytes), align: 'right' },
    { title: 'database at its end', value: (row) => size(row.databaseBytes?.expected), align: 'right' },
    { title: 'at least', value: (row) => size(row.databaseBytes?.low), align: 'right' },
    { title: 'at most', value: (row) => size(row.databaseBytes?.high), align: 'right' },
  ]);
}

function renderTables({ tables }: GrowthReport, { table, isTTY }: Renderer): string {
  if (tables.length === 0) return '';
  const change = (bytes: number | undefined): string => {
    if (bytes === undefined) return isTTY ? '?' : '';
    return isTTY ? changeText(bytes) : String(bytes);
  };
  return table(tables, [
    { title: 'table', value: (row) => row.table },
    { title: 'size', value: (row) => (isTTY ? formatBytes(row.sizeBytes) : String(row.sizeBytes)), align: 'right' },
    { title: 'grown', value: (row) => change(row.grownBytes), align: 'right' },
    { title: 'since', value: (row) => row.since.slice(0, isTTY ? 10 : undefined) },
    { title: 'a day', value: (row) => change(row.bytesPerDay?.expected), align: 'right' },
    { title: 'at least', value: (row) => change(row.bytesPerDay?.low), align: 'right' },
    { title: 'at most', value: (row) => change(row.bytesPerDay?.high), align: 'right' },
  ]);
}

function printNotes({ output }: Context, report: GrowthReport, isTables: boolean): void {
  const { database, databaseBytes, forecast, records } = report;
  const monthly = forecast?.monthlyBytes;
  const pace =
    monthly === undefined
      ? 'no forecast'
      : `messages add ${formatBytes(monthly.expected)} a month (${formatBytes(monthly.low)} to ${formatBytes(monthly.high)})`;
  output.note(`${database}: ${formatBytes(databaseBytes)}; ${pace}.`);
  if (report.limit !== null) output.note(limitSentence(report));
  for (const sentence of methodSentences(report)) output.detail(sentence);
  if (isTables && records.length < 2)
    output.note(`${records.length === 0 ? 'No records' : 'One record'} so far. Next: aisec monitor record, daily.`);
}

async function run(context: Context, options: Options): Promise<void> {
  const { config, output } = context;
  const report = await context.withDatabase({}, async (session) => {
    const { monitorGrowth } = await import('../../../features/monitor/growth/growth.js');
    return monitorGrowth(session, {
      schema: config.schema,
      ahead: options.ahead,
      limitBytes: options.sizeLimit ?? null,
    });
  });
  output.result(report, options.tables ? renderTables : renderMonths);
  printNotes(context, report, options.tables);
  warnOfSkips(output, report.skipped);
}

export const monitorGrowthCommand = defineCommand<Options>({
  name: 'monitor growth',
  summary: 'show how fast the database grows and how large it will be',
  description:
    'Shows what each month of messages takes, live and archived together with its share of message_keys, and how large the database will be. Closed months are a history ' +
    'that is there on the first run: the median of the last twelve continues, or, when they grow steadily, the line through them. The range is what the smallest and the ' +
    'largest month would give, and, from six months on, what the uncertainty of the slope adds. Everything else is known from `monitor record` once it has run for a week, before that by ' +
    'created_at of its tables. There is no forecast beyond twice the months that are known, or three years. --verbose shows how well the method would have forecast the past.',
  options: [
    {
      flags: '--ahead <n>',
      description: 'months after the current one to forecast, 0 to 60',
      default: '3',
      parse: countOption(0, 60),
    },
    SIZE_LIMIT_OPTION,
    { flags: '--tables', description: 'how every table has grown, by the records' },
  ],
  examples: [
    ['aisec monitor growth', 'What the months take, and the next three'],
    [
      'aisec monitor growth --size-limit 500GB --verbose',
      'In which month the disk will be full, and how that is known',
    ],
    ['aisec monitor growth --tables', 'Which table grows, once monitor record has run for a while'],
  ],
  run,
});
