import type { Ora } from 'ora';

import type { Streams } from './streams.js';

const SHOW_AFTER_MS = 1000;
const LINE_EVERY_MS = 10_000;

/**
 * What a long step is doing. On a terminal one live line (ora) appears after a second; elsewhere a plain line at most
 * every 10 seconds: ora leaks ANSI into a redirected stderr and drops updates there, so it only ever sees a terminal.
 */
export class Progress {
  readonly #streams: Streams;
  readonly #isSilent: boolean;
  #text = '';
  #timer: NodeJS.Timeout | undefined;
  #spinner: Ora | undefined;

  constructor(streams: Streams, isSilent: boolean) {
    this.#streams = streams;
    this.#isSilent = isSilent;
  }

  readonly report = (text: string): void => {
    this.#text = text;
    if (this.#isSilent) return;
    if (this.#spinner !== undefined) this.#spinner.text = text;
    this.#timer ??= setTimeout(() => void this.#show(), SHOW_AFTER_MS).unref();
  };

  /** Takes the live line away; it comes back with the next report. */
  readonly clear = (): void => {
    this.#spinner?.stop();
    this.#spinner = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  };

  async #show(): Promise<void> {
    if (this.#streams.stderr.isTTY !== true) {
      this.#streams.stderr.write(`${this.#text} ...\n`);
      this.#timer = setTimeout(() => void this.#show(), LINE_EVERY_MS).unref();
      return;
    }
    const { default: ora } = await import('ora');
    // Cleared while ora was loading: the step is over.
    if (this.#timer === undefined) return;
    this.#spinner = ora({
      text: this.#text,
      stream: this.#streams.stderr as NodeJS.WriteStream,
      discardStdin: false,
    }).start();
  }
}
