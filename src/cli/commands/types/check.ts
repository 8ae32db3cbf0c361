import { resolve } from 'node:path';

import type { ChangedLine } from '../../../features/types/compare.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import { SOURCE_OPTIONS, typesFrom, type SourceOptions } from './source.js';
import { shellWord } from '../../../base/package/aisec-command.js';

interface Check {
  readonly file: string;
  readonly source: SourceOptions['source'];
  readonly isCurrent: boolean;
  readonly changes: readonly ChangedLine[];
}

function renderCheck({ file, source, isCurrent, changes }: Check, { paint }: Renderer): string {
  if (isCurrent) return '';
  const lines = changes.map(({ sign, line, text }) => {
    const shown = `${sign} ${String(line).padStart(4)}  ${text}`;
    return sign === '+' ? paint.green(shown) : paint.red(shown);
  });
  return [`--- ${file}`, `+++ ${source}`, ...lines].join('\n');
}

async function run(context: Context, options: SourceOptions, file: string): Promise<ExitCode | undefined> {
  const { config, output } = context;
  const { compareWithFile, readTypesFile } = await import('../../../features/types/file.js');
  // Before the migrations are replayed, which takes seconds.
  const current = readTypesFile(resolve(config.cwd, file), file);
  const { text } = await typesFrom(context, options);
  const comparison = compareWithFile(current, text);
  output.result({ file, source: options.source, ...comparison }, renderCheck);
  if (comparison.isCurrent) output.note(`${file} has the types of the ${options.source}.`);
  else output.note(`${file} is not up to date. Run: aisec types generate --out ${shellWord(file)}`);
  return comparison.isCurrent ? undefined : 3;
}

export const typesCheck = defineCommand<SourceOptions>({
  name: 'types check',
  summary: 'check that a file of types matches the migrations',
  description:
    'Compares the file with what `types generate` would write and exits 3 with the lines that differ: - is in the file only, + in the migrations (or ' +
    'the database) only. How the file is formatted does not count.',
  argument: { syntax: '<file>', description: 'the file that types generate wrote' },
  options: SOURCE_OPTIONS,
  examples: [
    ['aisec types check src/db.ts', 'In CI: exit 3 when the migrations have moved on'],
    ['aisec types check src/db.ts --source database', 'Is the database the one that the code was written for?'],
  ],
  run,
});
