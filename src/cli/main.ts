import { setImmediate as nextTurn } from 'node:timers/promises';

import { AisecError, isAisecError, messageOf } from '../base/errors.js';
import { resolveConfig } from '../config/config.js';
import { loadEnvironment, processEnvironment, type LoadedEnvironment } from '../config/environment.js';
import { SETTINGS, type Environment } from '../config/settings.js';
import { loadPager } from './context.js';
import { EXIT_CODE_BY_ERROR, type ExitCode } from './exit-codes.js';
import { runCommand } from './failover.js';
import { parseCommandLine, type Invocation, type Parsed } from './program.js';
import { listenForSignals } from './signals.js';
import { asAisecError, errorDocument, renderError } from './terminal/error.js';
import { Output } from './terminal/output.js';
import { pagerOf } from './terminal/pager.js';
import { Progress } from './terminal/progress.js';
import { Prompt } from './terminal/prompt.js';
import { pluginFailure } from './terminal/plugin.js';
import { createPaint, wantsColor, type ColorSettings, type Paint, type Streams } from './terminal/streams.js';

export interface Surroundings {
  readonly environment?: Environment;
  readonly cwd?: string;
  readonly streams?: Streams;
}

interface Terminal {
  readonly streams: Streams;
  readonly isJson: boolean;
  /** With --nagios, also where it is not an option: exit codes are those of a plugin. */
  readonly isPlugin: boolean;
  readonly errorPaint: Paint;
}

/** A reader that went away (`aisec … | head -1`) is no fault of the run; a result that could not be written is. */
function watchOutput(streams: Streams): { readonly failure?: AisecError } {
  const state: { failure?: AisecError } = {};
  for (const stream of [streams.stdout, streams.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      state.failure ??= new AisecError(
        error.code === 'ENOSPC' ? 'DISK_FULL' : 'INTERNAL',
        'could not write the output',
        { detail: `${messageOf(error)}.`, hint: 'The command itself was done; its result is what is missing.' },
      );
    });
  }
  return state;
}

/** As the words alone say, before they are read; without colours. */
async function plainTerminal(argv: readonly string[], streams: Streams): Promise<Terminal> {
  const isPlugin = argv.some((word) => word === '--nagios' || word.startsWith('--nagios='));
  return { streams, isJson: argv.includes('--json'), isPlugin, errorPaint: await createPaint(false) };
}

function reportError(error: unknown, { streams, isJson, isPlugin, errorPaint }: Terminal): ExitCode {
  const known = asAisecError(error);
  // A monitoring program reads the first line of stdout and takes 2 for critical, so a wrong option is reported its way.
  if (isPlugin) {
    const { text, code } = pluginFailure(known);
    streams.stdout.write(text);
    return code;
  }
  const text = isJson ? JSON.stringify(errorDocument(known)) : renderError(known, errorPaint);
  streams.stderr.write(`${text}\n`);
  return EXIT_CODE_BY_ERROR[known.code];
}

function colorSettings(flag: boolean | undefined, environment: Environment): ColorSettings {
  const { NO_COLOR: noColor, FORCE_COLOR: forceColor, TERM: term } = environment;
  return { flag, noColor, forceColor, term };
}

async function page(
  text: string,
  pager: readonly string[],
  { streams, own }: { readonly streams: Streams; readonly own: Environment },
): Promise<void> {
  const { showInPager } = await loadPager();
  if (!(await showInPager(text, pager, own))) streams.stdout.write(text);
}

async function runInvocation(
  invocation: Invocation,
  terminal: Terminal,
  { variables: environment, emptyAddresses }: LoadedEnvironment,
  { cwd, own }: { readonly cwd: string; readonly own: Environment },
): Promise<ExitCode> {
  const { spec, globals } = invocation;
  const { streams, isJson, errorPaint } = terminal;
  const { isQuiet, isVerbose } = globals;
  const settings = colorSettings(globals.color, environment);
  const paint = await createPaint(wantsColor(settings, streams.stdout.isTTY === true));
  // A file in the current directory does not choose a program.
  const pager = spec.isPaged === true && !isJson ? pagerOf(own['PAGER']) : undefined;
  const shown = { isJson, isQuiet, isVerbose, term: environment['TERM'], keepsLong: pager !== undefined };
  const output = new Output(streams, shown, paint, errorPaint);
  const isColored = wantsColor(settings, streams.stderr.isTTY === true);
  const progress = new Progress(streams, { isQuiet, isColored, term: environment['TERM'] });
  output.onBeforeWrite(progress.suspend);
  const signals = listenForSignals((line) => output.note(line));
  try {
    const given = resolveConfig(globals.flags, environment, cwd, emptyAddresses);
    const isUnused = given.schemas !== undefined && spec.acrossSchemas === 'unused';
    const config = isUnused ? { ...given, schema: SETTINGS.schema.default, schemas: undefined } : given;
    const parts = {
      commandName: spec.name,
      isFirstSchema: true,
      isWithinSchema: typeof spec.acrossSchemas === 'function',
      config,
      output,
      progress,
      prompt: new Prompt(streams, {
        isAllowed: globals.allowsInput,
        signal: signals.signal,
        onInterrupt: signals.interrupt,
      }),
      signal: signals.signal,
      commandTree: async () => (await import('./completion/tree.js')).completionTree(),
    };
    if (config.schemas !== undefined) {
      const { acrossSchemas, refuseSeveral } = await import('./schemas/across-schemas.js');
      refuseSeveral(invocation, globals.flags.schema !== undefined);
      return await acrossSchemas(invocation, parts, streams, config.schemas);
    }
    return await runCommand(invocation, parts, ({ detail }) =>
      output.warning(
        `lost the connection to the database; ${spec.name} begins again on the server that is there${detail === undefined ? '' : `\ndetail: ${detail}`}`,
      ),
    );
  } finally {
    progress.clear();
    signals.stop();
    const kept = output.takeKept();
    if (kept !== undefined && pager !== undefined) await page(kept, pager, { streams, own });
  }
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', 'the current directory does not exist any more', {
      hint: 'Change to another directory.',
      cause: error,
    });
  }
}

function showText(parsed: Parsed & { readonly kind: 'text' }, { streams, isJson }: Terminal): ExitCode {
  if (!parsed.isError) {
    streams.stdout.write(parsed.text);
    return 0;
  }
  if (isJson) throw new AisecError('USAGE', 'no command was given', { hint: 'See: aisec --help' });
  streams.stderr.write(parsed.text);
  return 2;
}

/** `aisec` alone. */
async function standingInvocation(): Promise<Parsed> {
  const { standingCommand: spec } = await import('./standing/standing.js');
  const globals = { flags: {}, isJson: false, isQuiet: false, isVerbose: false, allowsInput: false, color: undefined };
  return { kind: 'command', invocation: { spec, options: {}, argument: '', operands: [], globals } };
}

async function runCommandLine(
  argv: readonly string[],
  surroundings: Surroundings,
  streams: Streams,
): Promise<ExitCode> {
  let terminal = await plainTerminal(argv, streams);
  try {
    const parsed = argv.length === 0 ? await standingInvocation() : await parseCommandLine(argv);
    if (parsed.kind === 'text') return showText(parsed, terminal);
    const cwd = surroundings.cwd ?? currentDirectory();
    const own = surroundings.environment ?? processEnvironment();
    const loaded = loadEnvironment(own, cwd);
    const settings = colorSettings(parsed.invocation.globals.color, loaded.variables);
    terminal = { ...terminal, errorPaint: await createPaint(wantsColor(settings, streams.stderr.isTTY === true)) };
    return await runInvocation(parsed.invocation, terminal, loaded, { cwd, own });
  } catch (error) {
    if (argv.length > 0 || !isAisecError(error, 'CONFIG_INVALID')) return reportError(error, terminal);
    const { standingWithoutSettings } = await import('./standing/standing.js');
    streams.stdout.write(standingWithoutSettings(error));
    return 0;
  }
}

/** Runs one command line and returns its exit code. Never exits the process, except on a second Ctrl-C. */
export async function main(argv: readonly string[], surroundings: Surroundings = {}): Promise<ExitCode> {
  const streams = surroundings.streams ?? process;
  const written = watchOutput(streams);
  const exitCode = await runCommandLine(argv, surroundings, streams);
  // A stream reports its errors a turn later.
  await nextTurn();
  if (written.failure === undefined || exitCode !== 0) return exitCode;
  return reportError(written.failure, await plainTerminal(argv, streams));
}
