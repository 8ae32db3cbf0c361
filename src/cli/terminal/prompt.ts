import { createInterface } from 'node:readline/promises';

import { AisecError } from '../../base/errors.js';
import type { Streams } from './streams.js';

export interface PromptOptions {
  /** False with --no-input. */
  readonly isAllowed: boolean;
  readonly signal: AbortSignal;
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

  /** @throws AisecError REFUSED with `hint` when the answer is not `expected`, or nobody can be asked. */
  async confirmByTyping(question: string, expected: string, hint: string): Promise<void> {
    if (!this.isInteractive) {
      throw new AisecError('REFUSED', 'this needs a confirmation and there is no terminal to ask on', { hint });
    }
    const reader = createInterface({ input: this.#streams.stdin, output: this.#streams.stderr });
    try {
      const answer = await reader.question(`${question}\nType "${expected}" to go on: `, {
        signal: this.#options.signal,
      });
      if (answer.trim() !== expected) throw new AisecError('REFUSED', 'not confirmed; nothing was changed', { hint });
    } finally {
      reader.close();
    }
  }
}
