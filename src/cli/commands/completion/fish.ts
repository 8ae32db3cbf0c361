import { defineCommand, type Context } from '../../command.js';

async function run(context: Context): Promise<void> {
  const { fishCompletion } = await import('../../completion/fish.js');
  const script = fishCompletion(await context.commandTree());
  context.output.result({ script }, () => script.trimEnd());
}

export const completionFish = defineCommand({
  name: 'completion fish',
  summary: 'print the completion script for fish',
  description:
    'Completes commands, options, their values where these are few, and file names where a file is due. Fish 3 and newer. ' +
    'The script starts no process. Print it again after an upgrade. Needs no database.',
  options: [],
  acrossSchemas: 'unused',
  examples: [
    ['aisec completion fish | source', 'For this shell'],
    ['aisec completion fish > ~/.config/fish/completions/aisec.fish', 'For every one: loaded when it is needed'],
  ],
  run,
});
