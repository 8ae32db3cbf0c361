import { defineCommand, type Context } from '../../command.js';

async function run(context: Context): Promise<void> {
  const { zshCompletion } = await import('../../completion/zsh.js');
  const script = zshCompletion(await context.commandTree());
  context.output.result({ script }, () => script.trimEnd());
}

export const completionZsh = defineCommand({
  name: 'completion zsh',
  summary: 'print the completion script for zsh',
  description:
    'Completes commands, options, their values where these are few, and file names where a file is due. Source it after compinit, or keep it as _aisec in a directory of fpath. ' +
    'The script starts no process. Print it again after an upgrade. Needs no database.',
  options: [],
  acrossSchemas: 'unused',
  examples: [
    ['source <(aisec completion zsh)', 'For this shell, and in ~/.zshrc, after compinit, for every one'],
    ['aisec completion zsh > ~/.zfunc/_aisec', 'With fpath+=(~/.zfunc) before compinit: loaded when it is needed'],
  ],
  run,
});
