import { aisecCommand } from '../../../base/package/aisec-command.js';
import { countEach, countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { labelOf } from '../../../features/migrate/files/source.js';
import type { MigrationOverview, StatusEntry } from '../../../features/migrate/status.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { migrateSettings } from './settings.js';

const FAULTS = ['late', 'edited', 'renamed', 'missing', 'newer', 'foreign'] as const;

function stateText(entry: StatusEntry, paint: Paint): string {
  switch (entry.state) {
    case 'applied':
      return paint.green('applied');
    case 'incomplete':
      return paint.red(`incomplete (${entry.statementsDone ?? 0} of ${entry.statementsTotal ?? 0} statements)`);
    case 'renamed':
      return paint.red(`renamed to ${entry.renamedTo ?? ''}`);
    case 'unpaired':
      return paint.red(`not in ${entry.missingFrom ?? ''}`);
    case 'pending':
      return paint.yellow('pending');
    case 'late':
    case 'edited':
    case 'missing':
    case 'newer':
    case 'foreign':
      return paint.red(entry.state);
  }
}

function renderStatus(overview: MigrationOverview, { table, paint, isTTY }: Renderer): string {
  const time = (iso: string): string => (isTTY ? iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC') : iso);
  return table(overview.migrations, [
    { title: 'migration', value: labelOf },
    { title: 'state', value: (row) => stateText(row, paint) },
    { title: 'applied at', value: (row) => (row.appliedAt === null ? '' : time(row.appliedAt)) },
    { title: 'by', value: (row) => row.appliedBy ?? '' },
    {
      title: 'time',
      value: (row) => (row.durationMs === null ? '' : formatDurationMs(row.durationMs)),
      align: 'right',
    },
  ]);
}

function countsText({ migrations }: MigrationOverview): string {
  return countEach(migrations.map(({ state }) => state)) || 'no migrations';
}

function summary(overview: MigrationOverview): string {
  return `${overview.database}, schema ${overview.schema}: ${countsText(overview)}.`;
}

function acrossText(overview: MigrationOverview): string {
  const { invalidIndexes } = overview;
  const invalid =
    invalidIndexes.length === 0 ? '' : `, ${countText(invalidIndexes.length, 'INVALID index', 'INVALID indexes')}`;
  return `${countsText(overview)}${invalid}`;
}

/** Faults first: `migrate up` refuses to continue beside them, and `migrate check` has the fix of each. */
function nextCommand({ migrations }: MigrationOverview): string | undefined {
  const states = new Set(migrations.map(({ state }) => state));
  if (states.has('unpaired')) return 'migrate repair';
  if (FAULTS.some((state) => states.has(state))) return 'migrate check';
  return states.has('pending') || states.has('incomplete') ? 'migrate up' : undefined;
}

async function run(context: Context): Promise<void> {
  const settings = await migrateSettings(context);
  const overview = await context.withDatabase({ statementTimeoutMs: 30_000, seesFewTables: true }, async (session) => {
    const { migrationStatus } = await import('../../../features/migrate/status.js');
    return migrationStatus(session, settings);
  });
  context.output.result(overview, renderStatus);
  context.output.note(summary(overview));
  for (const { index, table } of overview.invalidIndexes)
    context.output.warning(
      `index ${index} on ${table} is INVALID: rebuild it (reindex index concurrently ${index}) or drop it`,
    );
  if (overview.otherSources.length > 0)
    context.output.note(
      `The database also has migrations of: ${overview.otherSources.join(', ')}. No directory was given for them (--migrations-dir NAME=DIR).`,
    );
  const next = nextCommand(overview);
  if (next !== undefined) context.output.note(`Next: ${aisecCommand(next, overview.schema)}`);
}

export const migrateStatus = defineCommand({
  name: 'migrate status',
  summary: 'show which migrations are applied, pending, edited, missing or late',
  description:
    'Compares the migration files with the history of the database. Reads only. States: applied; pending; late (pending, but older than an applied one); ' +
    'edited, renamed, missing (applied, but the file changed); newer (applied by a newer version); foreign (recorded by another program); `not in TABLE` (only one of the two tables of the history has it, see `migrate repair`); incomplete (stopped half-way, `migrate up` continues).',
  options: [],
  acrossSchemas: acrossText,
  examples: [
    ['aisec migrate status', 'Show where the database stands'],
    ["aisec migrate status --schema 'tenant_*'", 'Show where every tenant stands'],
    ['aisec migrate status --json', 'For a program; for a pipeline, see aisec migrate check'],
  ],
  isPaged: true,
  run,
});
