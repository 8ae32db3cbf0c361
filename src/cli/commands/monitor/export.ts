import path from 'node:path';

import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import type { Readings } from '../../../features/monitor/export/readings.js';
import type { PerformanceFigure, Verdict } from '../../../features/monitor/export/verdict.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { PLUGIN_CODES, pluginLine } from '../../terminal/plugin.js';
import { SIZE_LIMIT_OPTION } from './size-limit-option.js';
import { THRESHOLDS_OPTION, thresholdsOf } from '../../thresholds.js';
import { warnOfSkips } from './words.js';

interface Options {
  readonly prometheus?: string;
  readonly nagios: boolean;
  readonly dryRun: boolean;
  readonly sizeLimit?: number;
}

/** node_exporter runs as a user of its own and must read it; there are sizes and names of tables in it, and no row. */
const READABLE_BY_ALL = 0o644;

function figureText({ label, value, unit, warning, critical }: PerformanceFigure): string {
  return `${label}=${value}${unit};${warning};${critical}`;
}

function verdictText({ tables, growth, partitions }: Readings, { findings }: Verdict): string {
  const { database, totalBytes } = tables;
  const pressing = findings.filter(({ severity }) => severity !== 'notice');
  if (pressing.length > 0) return `${database}: ${pressing.map(({ message }) => message).join('; ')}`;
  const monthly = growth.forecast?.monthlyBytes.expected;
  const pace = monthly === undefined ? '' : `, ${formatBytes(monthly)} a month`;
  return `${database}: ${formatBytes(growth.databaseBytes)} (tables ${formatBytes(totalBytes)})${pace}, ${partitions.monthsAhead} months ahead`;
}

/** Writes the file before it says anything, so that what is said is what was written. */
async function exportNow(context: Context, options: Options): Promise<{ readings: Readings; file: string | null }> {
  const { config, output } = context;
  const isToStdout = options.prometheus === '-';
  const file = options.prometheus === undefined || isToStdout ? null : path.resolve(config.cwd, options.prometheus);
  const { requireWritable, writeReport } = await import('../../../features/monitor/report-file.js');
  const thresholds = await thresholdsOf(context);
  if (file !== null) await requireWritable(file);
  const readings = await context.withDatabase({ lockTimeoutMs: 200, statementTimeoutMs: 10_000 }, async (session) => {
    const { takeReadings } = await import('../../../features/monitor/export/readings.js');
    return takeReadings(session, { schema: config.schema, limitBytes: options.sizeLimit ?? null, thresholds });
  });
  if (options.prometheus === undefined) return { readings, file };
  const [{ metricsOf }, { prometheusText }] = await Promise.all([
    import('../../../features/monitor/export/metrics.js'),
    import('../../../features/monitor/export/prometheus.js'),
  ]);
  const text = prometheusText(metricsOf(readings));
  if (file === null) output.text(text);
  else if (!options.dryRun) writeReport(file, text, READABLE_BY_ALL);
  return { readings, file };
}

async function runAsPlugin(context: Context, options: Options): Promise<ExitCode> {
  const { readings } = await exportNow(context, options);
  const { judgeReadings } = await import('../../../features/monitor/export/verdict.js');
  const verdict = judgeReadings(readings);
  const skipped = readings.live.skipped.length;
  const text = `${verdictText(readings, verdict)}${skipped === 0 ? '' : ` (${skipped} checks skipped)`}`;
  context.output.text(pluginLine(verdict.level, text, verdict.figures.map(figureText)));
  return PLUGIN_CODES[verdict.level];
}

function refuseWhatDoesNotGoTogether({ prometheus, nagios }: Options, isJson: boolean): void {
  const refuse = (message: string, hint: string): AisecError => new AisecError('USAGE', message, { hint });
  if (prometheus === undefined && !nagios)
    throw refuse('nothing to export to was named', 'Give --prometheus FILE, --nagios, or both.');
  if (prometheus === '-' && nagios)
    throw refuse('--prometheus - and --nagios would both write to stdout', 'Name a file for --prometheus.');
  if (isJson && (nagios || prometheus === '-'))
    throw refuse('--json goes with --prometheus FILE only', 'Leave --json out.');
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const { output } = context;
  refuseWhatDoesNotGoTogether(options, output.options.isJson);
  if (options.nagios) return runAsPlugin(context, options);
  const { readings, file } = await exportNow(context, options);
  const { tables, growth } = readings;
  if (file !== null) {
    const written = {
      database: tables.database,
      schema: tables.schema,
      file,
      durationMs: Math.round(readings.durationMs),
      isDryRun: options.dryRun,
    };
    output.done(written, () => file);
    output.note(
      `${tables.database}: ${formatBytes(growth.databaseBytes)}, ${options.dryRun ? 'not written (dry run)' : 'written'}.`,
    );
    if (!file.endsWith('.prom')) output.warning('the textfile collector reads only files whose name ends in .prom');
  }
  // aisec_monitor_skipped and aisec_live_checks_skipped count them; a job that is well has nothing to mail.
  if (!output.options.isQuiet) warnOfSkips(output, [...growth.skipped, ...readings.live.skipped]);
  return undefined;
}

export const monitorExport = defineCommand<Options>({
  name: 'monitor export',
  summary: 'write sizes, months, growth and the state of the server for Prometheus or Nagios',
  description:
    'Writes gauges for the textfile collector of node_exporter, replaced whole, readable by all (node_exporter is another user; there are sizes and names in it, no rows). ' +
    'How many series there are depends on the tables and not on their partitions. When the database cannot be reached the file stays as it was: alert on ' +
    'aisec_monitor_last_run_timestamp_seconds. --nagios prints a plugin line and exits 0 ok, 1 warning, 2 critical, 3 unknown: fewer than 2 months ahead, messages in the default ' +
    'partition (critical from 10,000), --size-limit within 30 days (critical 7), and whatever stops the server now, by --thresholds.',
  options: [
    { flags: '--prometheus <file>', description: 'where to write the metrics; - is stdout' },
    { flags: '--dry-run', description: 'read everything; write no file' },
    { flags: '--nagios', description: 'one line with perfdata, and the exit codes of a plugin' },
    SIZE_LIMIT_OPTION,
    THRESHOLDS_OPTION,
  ],
  examples: [
    ['aisec monitor export --prometheus /var/lib/node_exporter/aisec.prom --quiet', 'For a job, each minute or so'],
    ['aisec monitor export --nagios --size-limit 500GB', 'As a plugin of Nagios, Icinga or the like'],
  ],
  run,
});
