import { aisecCommand } from '../../../base/package/aisec-command.js';
import { countText } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import { labelOf } from '../../../features/migrate/files/source.js';
import type { RepairAction } from '../../../features/migrate/repair/plan.js';
import type { RepairResult } from '../../../features/migrate/repair/repair.js';
import { defineCommand, type Context } from '../../command.js';
import { WAIT_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import type { Renderer } from '../../terminal/output.js';
import { migrateSettings } from './settings.js';

interface Options {
  readonly reason?: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly wait: number;
}

const OTHER_TABLE = 'pgmigrations_of_other';

/** What it does, in a sentence without its full stop. */
function describe(action: RepairAction): string {
  const names =
    'names' in action ? action.names.map((name) => labelOf({ source: action.source, name })).join(', ') : '';
  const name = 'name' in action ? labelOf(action) : '';
  switch (action.kind) {
    case 'restore pgmigrations':
      return `insert into pgmigrations what aisec_migrations records: ${names}`;
    case 'restore aisec_migrations':
      return `record checksum and text of the files in aisec_migrations: ${names}`;
    case 'move foreign rows':
      return `move rows of another program from pgmigrations to ${OTHER_TABLE}: ${names}`;
    case 'accept edit':
      return `record the file ${name} as it is now (checksum ${action.before.slice(0, 12)} → ${action.after.slice(0, 12)})`;
    case 'rename':
      return `record ${name} under its new name ${action.to}`;
    case 'forget':
      return `remove ${name} from the history; what it made stays in the database`;
  }
}

function renderRepair({ actions }: RepairResult, { table }: Renderer): string {
  if (actions.length === 0) return '';
  return table(actions, [
    { title: 'repair', value: (row) => row.kind },
    { title: 'what', value: describe },
  ]);
}

async function confirm(context: Context, actions: readonly RepairAction[], yes: boolean): Promise<void> {
  if (yes) return;
  for (const action of actions) context.output.note(describe(action));
  await context.prompt.confirmByTyping(
    'The history of the database changes; the schema does not.',
    'repair',
    'Give --yes.',
  );
}

async function run(context: Context, options: Options, name: string): Promise<void> {
  const reason = options.reason?.trim();
  if (reason === '') throw new AisecError('USAGE', '--reason is empty', { hint: 'Say why the history is changed.' });
  const settings = {
    ...(await migrateSettings(context)),
    accept: name === '' ? undefined : name,
    reason,
    isDryRun: options.dryRun,
    waitMs: options.wait,
    confirm: (actions: readonly RepairAction[]) => confirm(context, actions, options.yes),
  };
  const result = await context.withDatabase({}, async (session) => {
    const { repairHistory } = await import('../../../features/migrate/repair/repair.js');
    return repairHistory(session, settings, reportingTo(context));
  });
  const { actions, database, isDryRun } = result;
  context.output.result(result, renderRepair);
  const count = countText(actions.length, 'repair');
  if (actions.length === 0) context.output.note(`${database}: nothing to do, the tables of the history agree.`);
  else
    context.output.note(
      `${database}: ${isDryRun ? `dry run, ${count} to make` : `${count} made, recorded in aisec_migration_repairs`}.`,
    );
  if (!isDryRun && actions.some(({ kind }) => kind === 'move foreign rows'))
    context.output.note(`The other program finds its history there: node-pg-migrate --migrations-table ${OTHER_TABLE}`);
  if (actions.some(({ kind }) => kind === 'restore aisec_migrations'))
    context.output.note(
      `The schema is not compared with these files by a repair. Next: ${aisecCommand('migrate drift', settings.schema)}`,
    );
}

export const migrateRepair = defineCommand<Options>({
  name: 'migrate repair',
  summary: 'repair the history of the migrations',
  description:
    'Restores rows that one of the two history tables has lost (dropped, truncated), and moves rows of another program to a table of their own. With <name> it also accepts what ' +
    'differs between that recorded migration and its file: edited (recorded as it is now), renamed, or removed. Only the history changes, in one transaction, and aisec_migration_repairs keeps who, when, why and the text that was recorded before. ' +
    'When both tables are lost, see migrate baseline.',
  argument: { syntax: '[name]', description: 'a recorded migration whose file was edited, renamed or removed' },
  options: [
    { flags: '--reason <text>', description: 'why, for those who read the history later; needed with <name>' },
    { flags: '--yes', description: 'do not ask' },
    { flags: '--dry-run', description: 'show what would be changed; change nothing' },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec migrate repair --dry-run', 'See whether the tables of the history agree'],
    ['aisec migrate repair 0007_add_tags --reason "the Down was wrong" --yes', 'Accept an edited file'],
  ],
  run,
});
