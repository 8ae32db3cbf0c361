import { formatDurationMs } from '../../../base/duration.js';
import type { TableRestoreResult } from '../../../features/backup/restore-table.js';
import type { Context } from '../../context.js';
import { reportingTo } from '../../reporting.js';
import { erasureSourceOf, givenBackup, requireServer, sourceOf } from './source.js';
import type { GivenTable } from '../../../base/table-name.js';
import type { Outcome } from './outcome.js';
import type { Options } from './usage.js';

function renderTable(result: TableRestoreResult): string {
  const lines = [
    `tables: ${result.tables.join(', ')}`,
    ...(result.prerequisites.length === 0 ? [] : [`needed and missing: ${result.prerequisites.join(', ')}`]),
    ...(result.leaning.length === 0 ? [] : [`come back with it: ${result.leaning.join(', ')}`]),
    `parts: ${Object.entries(result.parts)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}`,
  ];
  return result.isDryRun ? lines.join('\n') : '';
}

/** `restore FILE --table T`. */
export async function runTable(
  context: Context,
  options: Options,
  argument: string,
  table: GivenTable,
): Promise<Outcome<TableRestoreResult>> {
  const { config } = context;
  await requireServer(context, '--table', argument);
  const access = await context.serverAccess();
  const { restoreTable } = await import('../../../features/backup/restore-table.js');
  const result = await context.withDatabase({}, async (session) =>
    restoreTable(
      access,
      session,
      await givenBackup(context, argument, options),
      {
        table: { schema: table.schema ?? config.schema, name: table.name },
        erasures: erasureSourceOf(context, options),
        withoutManifest: options.withoutManifest,
        source: sourceOf(context, options),
        withoutOwners: !options.owner,
        withoutPrivileges: !options.privileges,
        dangling: options.dangling === undefined || options.dangling === 'set-null' ? 'refuse' : options.dangling,
        waitMs: options.wait,
        isDryRun: options.dryRun,
      },
      reportingTo(context),
    ),
  );
  const note = result.isDryRun
    ? 'dry run; no changes were made.'
    : `${result.tables.join(', ')} restored with ${result.rows} rows in ${formatDurationMs(result.durationMs)}.`;
  return { result, text: renderTable(result), notes: [note], isIncomplete: result.missing.length > 0 };
}
