import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';

import { inject } from 'vitest';

import { main } from '../../src/cli/main.js';
import { checkDocument } from './check-document.js';
import type {} from './provided.js';
import type { CliResult } from './run-cli.js';

export interface InProcessOptions {
  /** The whole environment but PATH and HOME, as in `runCli`, and the directory of the run's cache. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: an empty directory of this call, which is HOME too. */
  readonly cwd?: string;
  readonly input?: string;
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

/** What replays of the same migrations have made is shared by all tests of a run. */
export function cacheDirOfRun(): string {
  return path.join(inject('runDirectory'), 'cache');
}

/**
 * Runs `aisec` in this process, a hundred times as fast as starting one: for what a command says, refuses and returns.
 * Signals, pipes, kills, start-up and the bundle need `runCli`.
 */
export async function runInProcess(args: readonly string[], options: InProcessOptions = {}): Promise<CliResult> {
  const home = mkdtempSync(path.join(tmpdir(), 'aisec-test-home-'));
  const [stdout, stderr] = [new Collector(), new Collector()];
  const startedMs = performance.now();
  try {
    const exitCode = await main(args, {
      environment: { PATH: process.env['PATH'], HOME: home, AISEC_CACHE_DIR: cacheDirOfRun(), ...options.env },
      cwd: options.cwd ?? home,
      streams: { stdin: Readable.from(options.input === undefined ? [] : [options.input]), stdout, stderr },
    });
    const durationMs = performance.now() - startedMs;
    checkDocument(args, exitCode, stdout.text);
    return { exitCode, signal: null, stdout: stdout.text, stderr: stderr.text, durationMs };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The same where the test is not about it: throws with what it says when it fails. */
export async function runWell(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CliResult> {
  const run = await runInProcess(args, { env });
  if (run.exitCode === 0) return run;
  throw new Error(`aisec ${args.join(' ')} failed (exit code ${run.exitCode}):\n${run.stderr}`);
}
