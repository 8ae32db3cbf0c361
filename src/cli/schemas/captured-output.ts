import { Readable, Writable } from 'node:stream';

import { Output, type OutputOptions } from '../terminal/output.js';
import { createPaint, type Streams } from '../terminal/streams.js';

/** What a command said in one schema. */
export interface Captured {
  readonly document: object | undefined;
  /** Whether --quiet leaves the result out: the command has changed something. */
  readonly isDone: boolean;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

const NOTHING: Captured = { document: undefined, isDone: false, notes: [], warnings: [] };

function nowhere(): Streams {
  const sink = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
  return { stdin: Readable.from([]), stdout: sink(), stderr: sink() };
}

/** Keeps what a command has to say, so that one summary can be made of many: as data, so it is asked as with --json. */
export class CapturedOutput extends Output {
  #said = NOTHING;

  static async create(options: OutputOptions): Promise<CapturedOutput> {
    const paint = await createPaint(false);
    return new CapturedOutput(nowhere(), { ...options, isJson: true }, paint, paint);
  }

  /** What was said since the last time. */
  take(): Captured {
    const said = this.#said;
    this.#said = NOTHING;
    return said;
  }

  override result<Data extends object>(data: Data): void {
    this.#said = { ...this.#said, document: data };
  }

  override done<Data extends object>(data: Data): void {
    this.#said = { ...this.#said, document: data, isDone: !('isDryRun' in data && data.isDryRun === true) };
  }

  override note(line: string): void {
    this.#said = { ...this.#said, notes: [...this.#said.notes, line] };
  }

  override warning(line: string): void {
    this.#said = { ...this.#said, warnings: [...this.#said.warnings, line] };
  }
}
