import { resolve } from 'node:path';

import { defineCommand, type Context } from '../../command.js';
import { leftOutLines, SOURCE_OPTIONS, typesFrom, type SourceOptions } from './source.js';

interface Options extends SourceOptions {
  readonly out?: string;
  readonly dryRun: boolean;
}

async function run(context: Context, options: Options): Promise<void> {
  const { config, output } = context;
  const { text, leftOut } = await typesFrom(context, options);
  for (const line of leftOutLines(leftOut)) output.note(line);
  if (options.out === undefined) {
    output.result({ file: null, types: text, leftOut }, () => text.trimEnd());
    return;
  }
  const { updateTypesFile } = await import('../../../features/types/file.js');
  const result = updateTypesFile(resolve(config.cwd, options.out), text, options.dryRun);
  output.result({ file: options.out, ...result, leftOut }, () => '');
  const verb = options.dryRun ? 'would write' : 'wrote';
  output.note(result.isChanged ? `${verb} ${options.out}` : `${options.out} is up to date; nothing to do`);
}

export const typesGenerate = defineCommand<Options>({
  name: 'types generate',
  summary: 'write the TypeScript types of the schema, for Kysely',
  description:
    'Prints the types of what role authenticated may use: tables and views with their comments, CHECK lists as unions, generated columns and views ' +
    'that cannot be written. The types are those that createDatabase reads. What is left out is listed on stderr. The package has the types of its own migrations in aisec/schema.',
  options: [
    ...SOURCE_OPTIONS,
    { flags: '--out <file>', description: 'write to this file instead of stdout, if it is not the same already' },
    { flags: '--dry-run', description: 'report whether the file would be written; write nothing' },
  ],
  examples: [
    ['aisec types generate', 'Print the types of the migrations'],
    ['aisec types generate --migrations-dir ./db --out src/db.ts', 'Write those of your own migrations'],
    [
      'aisec types generate --schemas billing --exclude "audit_*" --out src/db.ts',
      'With a second schema, without some tables',
    ],
    ['aisec types generate --source database --out src/db.ts', 'Write those of the database as it is'],
  ],
  run,
});
