import type { Command, Option } from 'commander';

import { COMMANDS } from '../commands.js';
import { buildProgram } from '../program.js';
import type { CompletionNode, CompletionOption, ValueKind } from './node.js';

const KINDS: Readonly<Record<string, ValueKind>> = { '<file>': 'file', '<dir>': 'directory' };

function valueOf({ required, flags }: Option): ValueKind {
  // Where it may be left out, the next word may be something else.
  if (!required) return 'none';
  return KINDS[/<[^>]*>/.exec(flags)?.[0] ?? ''] ?? 'text';
}

function optionsOf(command: Command, words: readonly string[]): readonly CompletionOption[] {
  const spec = COMMANDS.find(({ name }) => name === words.join(' '));
  const help = { name: '--help', description: 'display help for command', value: 'none', values: [] } as const;
  const own = command.options.filter(({ hidden }) => !hidden);
  return [
    ...own.map((option) => ({
      name: option.long ?? option.flags,
      description: option.description,
      value: valueOf(option),
      values: spec?.options.find(({ flags }) => flags === option.flags)?.values ?? [],
    })),
    ...(words.length === 0 ? [help] : []),
  ];
}

function nodeOf(command: Command, words: readonly string[], inherited: readonly CompletionOption[]): CompletionNode {
  const options = [...optionsOf(command, words), ...inherited];
  return {
    words,
    summary: command.summary(),
    commands: command.commands.map((each) =>
      nodeOf(each, [...words, each.name()], words.length === 0 ? options : inherited),
    ),
    options,
    takesFile: command.registeredArguments.some((argument) => /^files?$/.test(argument.name())),
  };
}

/** `help migrate up`: the names of commands, and nothing else. */
function asHelp(node: CompletionNode): CompletionNode {
  const commands = node.commands.map(asHelp);
  return { ...node, words: ['help', ...node.words], commands, options: [], takesFile: false };
}

/** All commands with their options, as the program itself reads them. */
export function completionTree(): CompletionNode {
  const root = nodeOf(
    buildProgram(() => undefined),
    [],
    [],
  );
  const topic = {
    words: ['help', 'exit-codes'],
    summary: 'what the exit codes mean',
    commands: [],
    options: [],
    takesFile: false,
  };
  const help = asHelp({ ...root, summary: 'display help for command' });
  return { ...root, commands: [...root.commands, { ...help, commands: [...help.commands, topic] }] };
}
