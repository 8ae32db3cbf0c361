import { defineCommand, type Context } from '../../command.js';

async function run(context: Context): Promise<void> {
  const { bashCompletion } = await import('../../completion/bash.js');
  const script = bashCompletion(await context.commandTree());
  context.output.result({ script }, () => script.trimEnd());
}

export const completionBash = defineCommand({
  name: 'completion bash',
  summary: 'print the completion script for bash',
  description:
    'Completes commands, options, their values where these are few, and file names where a file is due. Bash 3.2 and newer. ' +
    'The script starts no process. Print it again after an upgrade. Needs no database.',
  options: [],
  acrossSchemas: 'unused',
  examples: [
    ['source <(aisec completion bash)', 'For this shell, and in ~/.bashrc for every one'],
    [
      'aisec completion bash > ~/.local/share/bash-completion/completions/aisec',
      'With the package bash-completion: loaded when it is needed',
    ],
  ],
  run,
});
