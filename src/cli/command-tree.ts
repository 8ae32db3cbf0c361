import type { Command } from 'commander';

import { didYouMean } from '../base/did-you-mean.js';
import { AisecError } from '../base/errors.js';

/** The command that the words name, as far as they name one: `['migrate', 'upp']` gives `migrate` and `upp`. */
export function findCommand(program: Command, words: readonly string[]): readonly [command: Command, unknown?: string] {
  let command = program;
  for (const word of words) {
    const found = command.commands.find((each) => each.name() === word);
    if (found === undefined) return [command, word];
    command = found;
  }
  return [command];
}

/** The command line that shows the help of a command. */
export function helpHint(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) names.unshift(each.name());
  return `See: ${names.join(' ')} --help`;
}

/**
 * The help of the command that the words name, of the whole program when there are none.
 *
 * @throws AisecError USAGE with the nearest name.
 */
export function helpText(program: Command, words: readonly string[]): string {
  const [command, unknown] = findCommand(program, words);
  if (unknown === undefined) {
    let text = '';
    const collect = (chunk: string): void => {
      text += chunk;
    };
    command.configureOutput({ ...command.configureOutput(), writeOut: collect }).outputHelp();
    return text;
  }
  const names = command.commands.map((each) => each.name());
  const near = didYouMean(unknown, names);
  throw new AisecError('USAGE', `there is no command "${words.join(' ')}"`, {
    hint: near === undefined ? helpHint(command) : `Did you mean "${near}"?`,
  });
}
