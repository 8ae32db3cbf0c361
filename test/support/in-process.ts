import { PassThrough, Readable } from 'node:stream';
import { tmpdir } from 'node:os';

import { main } from '../../src/cli/main.js';

export interface InProcessResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface InProcessOptions {
  /** The whole environment of the command. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input; without it the command finds it at its end. */
  readonly input?: string;
}

/** Runs one command line in this process: for everything but signals, pipes, kills and start-up, which `runCli` is for. */
export async function runInProcess(args: readonly string[], options: InProcessOptions = {}): Promise<InProcessResult> {
  const output = { stdout: '', stderr: '' };
  const collect = (name: keyof typeof output): PassThrough => {
    const stream = new PassThrough();
    stream.setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    return stream;
  };
  const streams = { stdin: Readable.from([options.input ?? '']), stdout: collect('stdout'), stderr: collect('stderr') };
  const environment = { HOME: tmpdir(), ...options.env };
  const exitCode = await main(args, { environment, cwd: options.cwd ?? tmpdir(), streams });
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode, ...output };
}
