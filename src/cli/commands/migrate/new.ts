import { defineCommand } from '../../command.js';
import type { Context } from '../../context.js';
import type { ExitCode } from '../../exit-codes.js';

interface Options {
  readonly dryRun: boolean;
}

async function run(context: Context, { dryRun }: Options, title: string): Promise<ExitCode | undefined> {
  const { newMigration } = await import('../../../features/migrate/new.js');
  const { config, output } = context;
  const created = await newMigration(title, { migrationsDir: config.migrationsDir, cwd: config.cwd, isDryRun: dryRun });
  output.result(created, ({ path }) => path);
  if (dryRun) output.note('dry run; no file was written.');
  else output.note('Write its Up and Down sections, then: aisec migrate redo (to try both) or aisec migrate up');
  return undefined;
}

export const migrateNew = defineCommand<Options>({
  name: 'migrate new',
  summary: 'write an empty migration with the next number',
  description: 'Writes an empty migration file, with its Up and Down markers, under the next free number.',
  argument: { syntax: '<name>', description: 'what it does: add_inbox_view' },
  options: [{ flags: '--dry-run', description: 'print the name of the file; write nothing', default: false }],
  examples: [
    ['aisec migrate new add_inbox_view', 'Write migrations/NNNN_add_inbox_view.sql'],
    ['aisec migrate new add_inbox_view --migrations-dir ./db', 'The same in a directory of your own'],
  ],
  run,
});
