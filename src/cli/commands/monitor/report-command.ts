import type { Report } from '../../../features/monitor/report.js';
import { sleep } from '../../../base/interruption.js';
import { formatDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import { defineCommand, type CommandSpec, type Context, type OptionSpec, type Session } from '../../command.js';
import { exitCodeOf, type ExitCode } from '../../exit-codes.js';
import { durationOption } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { skipNotes, warnOfSkips } from './words.js';

const LEAST_INTERVAL_MS = 500;
const DEFAULT_INTERVAL_MS = 2000;

interface WatchOptions {
  /** True: given without an interval. */
  readonly watch?: number | true;
}

/** A report of monitor: how it is read and shown, once or again and again. */
export interface ReportSpec<Options extends object, Data extends Report> extends Omit<CommandSpec, 'run' | 'argument'> {
  readonly read: (session: Session, context: Context, options: Options) => Promise<Data>;
  readonly render: (data: Data, renderer: Renderer, options: Options) => string;
  /** Sentences below the table: sums, since when it is counted, what to run next. */
  readonly notes: (data: Data, options: Options) => readonly string[];
  /** What --json prints; without it the whole report. */
  readonly document?: (data: Data, options: Options) => object;
  /** Whether there was nothing to report but that it could not be. */
  readonly isSkipped?: (data: Data) => boolean;
}

function intervalOption(text: string): number {
  const intervalMs = durationOption(text);
  if (intervalMs >= LEAST_INTERVAL_MS) return intervalMs;
  throw new AisecError('USAGE', `invalid interval "${text}": expected ${formatDurationMs(LEAST_INTERVAL_MS)} or more`, {
    hint: 'See --help.',
  });
}

const WATCH_OPTION: OptionSpec = {
  flags: '--watch [interval]',
  description: 'look again and again, every 2s if not said otherwise, until Ctrl-C',
  parse: intervalOption,
  isForOneSchema: true,
};

async function watch<Options extends object, Data extends Report>(
  spec: ReportSpec<Options, Data>,
  context: Context,
  options: Options,
  intervalMs: number,
): Promise<ExitCode | undefined> {
  const { output, signal } = context;
  try {
    return await context.withDatabase({}, async (session) => {
      while (output.hasReader) {
        const data = await spec.read(session, context, options);
        const clock = `${data.takenAt}, every ${formatDurationMs(intervalMs)}, Ctrl-C ends`;
        output.frame(
          output.options.isJson ? (spec.document?.(data, options) ?? data) : data,
          (_, renderer) => spec.render(data, renderer, options),
          ['', ...spec.notes(data, options), ...skipNotes(data.skipped), clock],
        );
        await sleep(intervalMs, signal);
      }
      return undefined;
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    return exitCodeOf(signal);
  }
}

async function once<Options extends object, Data extends Report>(
  spec: ReportSpec<Options, Data>,
  context: Context,
  options: Options,
): Promise<ExitCode | undefined> {
  const { output } = context;
  const data = await context.withDatabase({}, (session) => spec.read(session, context, options));
  output.result(output.options.isJson ? (spec.document?.(data, options) ?? data) : data, (_, renderer) =>
    spec.render(data, renderer, options),
  );
  for (const note of spec.notes(data, options)) output.note(note);
  warnOfSkips(output, data.skipped);
  return spec.isSkipped?.(data) === true ? 3 : undefined;
}

/** The command of a report, with `--watch`. */
export function defineReport<Options extends object, Data extends Report>(
  spec: ReportSpec<Options, Data>,
): CommandSpec {
  const { name, summary, description, options, examples, acrossSchemas } = spec;
  return defineCommand<Options & WatchOptions>({
    name,
    summary,
    description,
    options: [...options, WATCH_OPTION],
    examples,
    isPaged: true,
    ...(acrossSchemas && { acrossSchemas }),
    run: (context, given) => {
      if (given.watch === undefined) return once(spec, context, given);
      return watch(spec, context, given, given.watch === true ? DEFAULT_INTERVAL_MS : given.watch);
    },
  });
}
