import { spawn, type ChildProcess } from 'node:child_process';

import { AisecError, messageOf } from '../../base/errors.js';
import { interruptionError, sleep } from '../../base/interruption.js';
import type { Environment } from '../../config/settings.js';
import { isErrorLine, toolError, wasRefusedForNow } from './classify.js';
import { toolEnvironment } from './environment.js';
import { ToleratedErrors, withoutTolerated } from './older-server.js';
import type { PgTool } from './tool.js';

/** Enough for the last words of a program that says much. */
const STDERR_BYTES = 64 * 1024;
const STDOUT_BYTES = 64 * 1024 * 1024;
const KILL_AFTER_MS = 5000;
const RETRY_PAUSE_MS = 250;

export interface ToolSurroundings {
  /** The toolkit's own; only harmless variables of it are passed on. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

export interface ToolRun extends ToolSurroundings {
  readonly tool: PgTool;
  readonly args: readonly string[];
  /** PGSERVICEFILE and its like. */
  readonly more?: Readonly<Record<string, string>>;
  /** Each line of stderr as it comes, such as --verbose writes them. */
  readonly onLine?: (line: string) => void;
  /** It continues after an error, and is ended at the first that is not to be expected of an older server. */
  readonly toleratesOlderServer?: boolean;
  /** It reads an archive, and works on nothing else: what it does not survive is the archive's fault. */
  readonly readsOnly?: boolean;
  /** How long it is started again while the server has no connection left, or is starting: it has done nothing then. */
  readonly waitForServerMs?: number;
  /** Gets what it writes on stdout as it comes, and is waited for; the result has no stdout then. */
  readonly onStdout?: (chunk: Buffer) => Promise<void>;
}

export interface ToolResult {
  readonly stdout: string;
  /** Its last 64 kB. */
  readonly stderr: string;
}

/** Signals the child and whatever it has started; it leads a process group of its own. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

/** Ends what a program that was killed has left running, such as the jobs of pg_dump, each of which would first do what it is at. */
function killOrphans({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It left none.
  }
}

function collectLines(onLine: (line: string) => void): { push: (text: string) => void; flush: () => void } {
  let rest = '';
  return {
    push: (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    },
    flush: () => {
      if (rest !== '') onLine(rest);
    },
  };
}

interface Ending extends ToolResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly hasFailed: boolean;
}

async function consume(stream: AsyncIterable<Buffer>, onStdout: (chunk: Buffer) => Promise<void>): Promise<void> {
  for await (const chunk of stream) await onStdout(chunk);
}

function start({
  tool,
  args,
  environment,
  more,
  signal,
  onLine,
  toleratesOlderServer,
  onStdout,
}: ToolRun): Promise<Ending> {
  const child = spawn(tool.path, args, {
    // A group of its own: a Ctrl-C at the terminal reaches aisec alone, which then ends it in order.
    detached: true,
    env: toolEnvironment(environment, more),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let hasErrorLine = false;
  const tolerated = toleratesOlderServer === true ? new ToleratedErrors() : undefined;
  const lines = collectLines((line) => {
    hasErrorLine ||= isErrorLine(line);
    if (tolerated?.accepts(line) === false) killGroup(child, 'SIGTERM');
    onLine?.(line);
  });
  let consumed: Promise<void> = Promise.resolve();
  if (onStdout === undefined)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.length > STDOUT_BYTES) killGroup(child, 'SIGTERM');
    });
  else
    consumed = consume(child.stdout, onStdout).catch((error: unknown) => {
      killGroup(child, 'SIGTERM');
      throw error;
    });
  // It is waited for below; until then a failure must not count as unhandled.
  consumed.catch(() => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES);
    lines.push(text);
  });
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    killGroup(child, 'SIGTERM');
    timer = setTimeout(() => killGroup(child, 'SIGKILL'), KILL_AFTER_MS).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  // A second Ctrl-C ends aisec at once; the program must not outlive it.
  const onExit = (): void => killGroup(child, 'SIGKILL');
  process.once('exit', onExit);
  return new Promise<Ending>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (_exitCode, endedBy) => {
      if (endedBy !== null) killOrphans(child);
    });
    child.once('close', (exitCode, endedBy) => {
      lines.flush();
      // With errors that it went past its exit code is 1.
      const hasFailed =
        tolerated === undefined || exitCode !== 1 ? exitCode !== 0 || hasErrorLine : !tolerated.hasOnlyTolerated;
      resolve({ exitCode, signal: endedBy, stdout, stderr, hasFailed });
    });
  })
    .then(async (ending) => {
      await consumed;
      return ending;
    })
    .finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      process.off('exit', onExit);
    });
}

async function startOnce(run: ToolRun): Promise<Ending> {
  const { tool, signal } = run;
  if (signal.aborted) throw interruptionError(signal);
  try {
    return await start(run);
  } catch (error) {
    if (error instanceof AisecError) throw error;
    throw new AisecError('PG_TOOL_FAILED', `could not start ${tool.path}`, {
      detail: `${messageOf(error)}.`,
      cause: error,
    });
  }
}

/**
 * Runs a PostgreSQL program without a shell. It has done its work only when its exit code is 0 and it reported no
 * error. On an abort its process group gets SIGTERM, then SIGKILL.
 *
 * @throws AisecError by what it wrote (see `classify`): PG_TOOL_FAILED, DISK_FULL, CONNECTION_LOST, LOCK_TIMEOUT …;
 *   INTERRUPTED, TERMINATED, or the AisecError the signal was aborted with.
 */
export async function runTool(run: ToolRun): Promise<ToolResult> {
  const { tool, signal } = run;
  const endMs = performance.now() + (run.waitForServerMs ?? 0);
  for (;;) {
    const ending = await startOnce(run);
    if (signal.aborted) throw interruptionError(signal);
    if (!ending.hasFailed) return { stdout: ending.stdout, stderr: ending.stderr };
    if (!wasRefusedForNow(ending.stderr) || performance.now() >= endMs)
      throw toolError({ tool, ...ending, stderr: withoutTolerated(ending.stderr), readsOnly: run.readsOnly });
    await sleep(Math.min(RETRY_PAUSE_MS, Math.max(endMs - performance.now(), 1)), signal);
  }
}
