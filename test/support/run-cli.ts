import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { checkDocument } from './check-document.js';

const program = path.join(import.meta.dirname, '..', '..', 'bin', 'aisec.js');

export interface CliOptions {
  /** The whole environment but PATH and HOME: nothing of the test's own environment reaches the CLI. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: an empty directory of this call, which is HOME too. */
  readonly cwd?: string;
  /** Standard input; without it the CLI finds it closed. */
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Aborting kills the CLI with SIGKILL. */
  readonly signal?: AbortSignal;
}

export interface CliResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

export interface RunningCli {
  readonly child: ChildProcess;
  /** Rejects only when the CLI could not be started or ran into the timeout. */
  readonly finished: Promise<CliResult>;
  readonly isRunning: () => boolean;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when either stream has the text; rejects when the CLI ended without it. */
  waitForOutput(text: string | RegExp): Promise<void>;
}

/** Of .config/vitest.config.ts: it changes how fast an embedded database starts, and nothing else. */
const LARGE_PAGES = { GLIBC_TUNABLES: process.env['GLIBC_TUNABLES'] };

const running = new Set<ChildProcess>();

/** Runs `aisec` to its end, in a process of its own. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).finished;
}

/** Starts `aisec` for a test that interrupts it. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const home = mkdtempSync(path.join(tmpdir(), 'aisec-test-home-'));
  const startedMs = performance.now();
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd ?? home,
    env: { PATH: process.env['PATH'], HOME: home, ...LARGE_PAGES, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(options.signal && { signal: options.signal, killSignal: 'SIGKILL' }),
  });
  running.add(child);

  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // The CLI may end without reading its input.
  child.stdin?.on('error', () => undefined).end(options.input);

  const finished = finish(child, args, options.timeoutMs ?? 200_000).then(
    ([exitCode, signal]): CliResult => {
      checkDocument(args, exitCode, output.stdout);
      return { exitCode, signal, ...output, durationMs: performance.now() - startedMs };
    },
    (error: unknown) => {
      throw new Error(`${String(error)}\nstdout: ${output.stdout}\nstderr: ${output.stderr}`, { cause: error });
    },
  );
  const settled = finished.finally(() => {
    running.delete(child);
    rmSync(home, { recursive: true, force: true });
  });
  // A kill test may look only at the database; an unhandled rejection would fail another test.
  settled.catch(() => undefined);

  return {
    child,
    finished: settled,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    async waitForOutput(text) {
      const isThere = () => Object.values(output).some((stream) => stream.search(asPattern(text)) >= 0);
      while (!isThere()) {
        const hasEnded = await Promise.race([settled.then(() => true), sleep(20, false)]);
        if (hasEnded && !isThere()) {
          throw new Error(`aisec ended without writing ${text}\nstdout: ${output.stdout}\nstderr: ${output.stderr}`);
        }
      }
    },
  };
}

/** Kills what a failed test has left running. */
export function killLeftovers(): void {
  for (const child of running) child.kill('SIGKILL');
}

type Ending = [exitCode: number | null, signal: NodeJS.Signals | null];

function finish(child: ChildProcess, args: readonly string[], timeoutMs: number): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`aisec ${args.join(' ')} did not end within ${timeoutMs} ms`));
    }, timeoutMs);
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve([exitCode, signal]);
    });
    child.once('error', (error) => {
      // Aborted by the test: `close` follows and tells the signal.
      if (error.name === 'AbortError') return;
      clearTimeout(timer);
      reject(error);
    });
  });
}

function asPattern(text: string | RegExp): RegExp {
  return typeof text === 'string' ? new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')) : text;
}
