import type { Ora } from 'ora';

import type { Streams } from './streams.js';

const SHOW_AFTER_MS = 1000;
const LINE_EVERY_MS = 10_000;

export interface ProgressOptions {
  readonly isQuiet: boolean;
  readonly isColored: boolean;
  /** The variable TERM; a dumb terminal cannot take a line back. */
  readonly term: string | undefined;
}

/**
 * What a long step is doing. On a terminal one live line (ora) appears after a second; elsewhere a plain line at most
 * every 10 seconds: ora leaks ANSI into a redirected stderr and drops updates there, so it only ever sees a terminal.
 */
export class Progress {
  readonly #streams: Streams;
  readonly #options: ProgressOptions;
  readonly #isLive: boolean;
  #text: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #spinner: Ora | undefined;
  #lastLineMs = Number.NEGATIVE_INFINITY;

  constructor(streams: Streams, options: ProgressOptions) {
    this.#streams = streams;
    this.#options = options;
    // A terminal without a size (`script`, `docker exec -t`) has 0 columns, and ora then clears lines for ever.
    this.#isLive = streams.stderr.isTTY === true && streams.stderr.columns !== 0 && options.term !== 'dumb';
  }

  readonly report = (text: string): void => {
    if (this.#options.isQuiet) return;
    this.#text = text;
    if (this.#spinner !== undefined) this.#spinner.text = text;
    this.#schedule();
  };

  /** Makes room for another line; the live line comes back when the step continues. */
  readonly suspend = (): void => {
    if (!this.#isLive) return;
    this.#stop();
    if (this.#text !== undefined) this.#schedule();
  };

  /** The step is over. */
  readonly clear = (): void => {
    this.#text = undefined;
    this.#stop();
  };

  #stop(): void {
    this.#spinner?.stop();
    this.#spinner = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    const sinceLastMs = performance.now() - this.#lastLineMs;
    const delayMs = this.#isLive ? SHOW_AFTER_MS : Math.max(SHOW_AFTER_MS, LINE_EVERY_MS - sinceLastMs);
    this.#timer ??= setTimeout(() => void this.#show(), delayMs).unref();
  }

  async #show(): Promise<void> {
    if (!this.#isLive) {
      this.#streams.stderr.write(`${this.#text ?? ''} ...\n`);
      this.#lastLineMs = performance.now();
      this.#timer = undefined;
      this.#schedule();
      return;
    }
    const { default: ora } = await import('ora');
    // Cleared while ora was loading: the step is over.
    if (this.#timer === undefined || this.#text === undefined || this.#spinner !== undefined) return;
    this.#spinner = ora({
      text: this.#text,
      stream: this.#streams.stderr as NodeJS.WriteStream,
      // ora would look at CI and NO_COLOR in its own way.
      isEnabled: true,
      color: this.#options.isColored ? 'cyan' : false,
      discardStdin: false,
    }).start();
  }
}
