import { defineCommand, type Context } from '../../command.js';
import { shellWord } from '../../../base/package/aisec-command.js';

interface Options {
  readonly dryRun: boolean;
}

async function run(context: Context, { dryRun }: Options, title: string): Promise<void> {
  const { newMigration } = await import('../../../features/migrate/new.js');
  const { config, output } = context;
  const place = { places: config.migrationPlaces, cwd: config.cwd, isDryRun: dryRun };
  const created = await newMigration(title, place);
  output.result(created, ({ path }) => path);
  const { migrationsDir: given } = config.flags;
  const flag = given === undefined ? '' : ` --migrations-dir ${shellWord(given)}`;
  if (dryRun) output.note('dry run; no file was written.');
  else
    output.note(
      `Write its Up and Down sections, then: aisec migrate up${flag}, and aisec migrate redo${flag} to try both.`,
    );
  if (given !== undefined)
    output.note(
      `Every command needs that directory. To leave the option out, put into package.json: "aisec": { "migrationsDir": ${JSON.stringify(given)} }`,
    );
}

export const migrateNew = defineCommand<Options>({
  name: 'migrate new',
  summary: 'write an empty migration with the next number',
  description:
    'Writes an empty migration file, with its Up and Down markers, under the next free number of your own directory. ' +
    'Where there are several, their name stands before that of the migration.',
  argument: { syntax: '<name>', description: 'what it does: add_invoices, or billing/add_invoices' },
  options: [{ flags: '--dry-run', description: 'print the name of the file; write nothing' }],
  acrossSchemas: 'unused',
  examples: [
    ['aisec migrate new add_invoices', 'Write NNNN_add_invoices.sql'],
    ['aisec migrate new add_invoices --migrations-dir ./db/migrations', 'Start a directory of your own'],
  ],
  run,
});
