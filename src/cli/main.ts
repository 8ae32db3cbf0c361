import { AisecError, isAisecError, messageOf } from '../base/errors.js';
import { redactText } from '../base/redact.js';
import { resolveConfig } from '../config/config.js';
import { loadEnvironment, processEnvironment } from '../config/environment.js';
import type { Environment } from '../config/settings.js';
import { createContext } from './context.js';
import { EXIT_CODE_BY_ERROR, type ExitCode } from './exit-codes.js';
import { parseCommandLine, type Invocation } from './program.js';
import { listenForSignals } from './signals.js';
import { errorDocument, renderError } from './terminal/error.js';
import { Output } from './terminal/output.js';
import { Progress } from './terminal/progress.js';
import { Prompt } from './terminal/prompt.js';
import { createPaint, wantsColor, type Paint, type Streams } from './terminal/streams.js';

export interface Surroundings {
  readonly environment?: Environment;
  readonly cwd?: string;
  readonly streams?: Streams;
}

interface Face {
  readonly streams: Streams;
  readonly isJson: boolean;
  readonly errorPaint: Paint;
}

/** A reader that went away (`aisec … | head -1`) is no fault of the run. */
function ignoreClosedPipe(streams: Streams): void {
  for (const stream of [streams.stdout, streams.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

function asAisecError(error: unknown): AisecError {
  if (isAisecError(error)) return error;
  return new AisecError('INTERNAL', redactText(messageOf(error)), {
    detail: error instanceof Error ? redactText(error.stack ?? '') : undefined,
    hint: 'This is a fault in aisec. Please report it with the lines above.',
    cause: error,
  });
}

function reportError(error: unknown, { streams, isJson, errorPaint }: Face): ExitCode {
  const known = asAisecError(error);
  const text = isJson ? JSON.stringify(errorDocument(known)) : renderError(known, errorPaint);
  streams.stderr.write(`${text}\n`);
  return EXIT_CODE_BY_ERROR[known.code];
}

async function runCommand(
  { spec, options, argument, globals }: Invocation,
  face: Face,
  environment: Environment,
  cwd: string,
): Promise<ExitCode> {
  const { streams, isJson, errorPaint } = face;
  const { isQuiet, isVerbose } = globals;
  const wishes = {
    flag: globals.color,
    noColor: environment['NO_COLOR'],
    forceColor: environment['FORCE_COLOR'],
    term: environment['TERM'],
  };
  const paint = await createPaint(wantsColor(wishes, streams.stdout.isTTY === true));
  const output = new Output(streams, { isJson, isQuiet, isVerbose }, paint, errorPaint);
  const progress = new Progress(streams, isQuiet);
  output.onBeforeWrite(progress.clear);
  const signals = listenForSignals((line) => output.note(line));
  try {
    const context = createContext({
      commandName: spec.name,
      config: resolveConfig(globals.flags, environment, cwd),
      output,
      progress,
      prompt: new Prompt(streams, { isAllowed: globals.allowsInput, signal: signals.signal }),
      signal: signals.signal,
    });
    return (await spec.run(context, options, argument)) ?? 0;
  } finally {
    progress.clear();
    signals.stop();
  }
}

/** Runs one command line and returns its exit code. Never exits the process, except on a second Ctrl-C. */
export async function main(argv: readonly string[], surroundings: Surroundings = {}): Promise<ExitCode> {
  const streams = surroundings.streams ?? process;
  const cwd = surroundings.cwd ?? process.cwd();
  ignoreClosedPipe(streams);
  let face: Face = { streams, isJson: argv.includes('--json'), errorPaint: await createPaint(false) };
  try {
    const parsed = await parseCommandLine(argv);
    if (parsed.kind === 'text') {
      (parsed.isError ? streams.stderr : streams.stdout).write(parsed.text);
      return parsed.isError ? 2 : 0;
    }
    const environment = loadEnvironment(surroundings.environment ?? processEnvironment(), cwd);
    const wishes = {
      flag: parsed.invocation.globals.color,
      noColor: environment['NO_COLOR'],
      forceColor: environment['FORCE_COLOR'],
      term: environment['TERM'],
    };
    face = { ...face, errorPaint: await createPaint(wantsColor(wishes, streams.stderr.isTTY === true)) };
    return await runCommand(parsed.invocation, face, environment, cwd);
  } catch (error) {
    return reportError(error, face);
  }
}
