import type { Interface } from 'node:readline/promises';

import { AisecError } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import type { Streams } from './streams.js';

export interface PromptOptions {
  /** False with --no-input. */
  readonly isAllowed: boolean;
  readonly signal: AbortSignal;
  /** Ctrl-C at the question: in raw mode it is a character, no signal. */
  readonly onInterrupt: () => void;
}

/** Questions to a person. Without a terminal nothing is asked and nothing waits: the command is refused. */
export class Prompt {
  readonly #streams: Streams;
  readonly #options: PromptOptions;

  constructor(streams: Streams, options: PromptOptions) {
    this.#streams = streams;
    this.#options = options;
  }

  get isInteractive(): boolean {
    return this.#options.isAllowed && this.#streams.stdin.isTTY === true && this.#streams.stderr.isTTY === true;
  }

  /**
   * @throws AisecError REFUSED with `hint` when the answer is not `expected`, or there is no terminal to ask on; INTERRUPTED,
   *   TERMINATED.
   */
  async confirmByTyping(question: string, expected: string, hint: string): Promise<void> {
    if (!this.isInteractive) {
      throw new AisecError('REFUSED', 'a confirmation is required, and there is no terminal to ask on', { hint });
    }
    const { createInterface } = await import('node:readline/promises');
    const reader = createInterface({ input: this.#streams.stdin, output: this.#streams.stderr });
    try {
      const answer = await this.#ask(reader, `${question}\nType "${expected}" to continue: `);
      if (answer?.trim() !== expected) throw new AisecError('REFUSED', 'not confirmed; no changes were made', { hint });
    } finally {
      reader.close();
    }
  }

  /** Undefined when the input ended (Ctrl-D): the reader's own promise would stay open for ever. */
  async #ask(reader: Interface, text: string): Promise<string | undefined> {
    const { signal, onInterrupt } = this.#options;
    reader.on('SIGINT', onInterrupt);
    const ended = new Promise<undefined>((resolve) => {
      reader.once('close', () => {
        this.#streams.stderr.write('\n');
        resolve(undefined);
      });
    });
    try {
      return await Promise.race([reader.question(text, { signal }), ended]);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw interruptionError(signal);
    } finally {
      reader.removeAllListeners('close');
    }
  }
}
