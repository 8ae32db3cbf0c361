import { formatDurationMs } from '../../../base/duration.js';
import type { BesideRestoreResult } from '../../../features/backup/restore-beside.js';
import type { Context } from '../../context.js';
import { reportingTo } from '../../reporting.js';
import { erasureSourceOf, givenBackup, requireServer, sourceOf } from './source.js';
import type { GivenTable } from '../../../base/table-name.js';
import type { Outcome } from './outcome.js';
import type { Options } from './usage.js';

function render({ isDryRun, tables, prerequisites }: BesideRestoreResult): string {
  if (!isDryRun) return '';
  return [
    ...tables.map(({ name, as, rows }) => `${name} as ${as}: ${rows} rows`),
    ...(prerequisites.length === 0 ? [] : [`needed and missing: ${prerequisites.join(', ')}`]),
  ].join('\n');
}

/** `restore FILE --table T --as NAME`. */
export async function runBeside(
  context: Context,
  options: Options,
  argument: string,
  { table, as }: { readonly table: GivenTable; readonly as: GivenTable },
): Promise<Outcome<BesideRestoreResult>> {
  const { config } = context;
  await requireServer(context, '--table', argument);
  const access = await context.serverAccess();
  const { restoreTableBeside } = await import('../../../features/backup/restore-beside.js');
  const schema = table.schema ?? config.schema;
  const result = await context.withDatabase({}, async (session) =>
    restoreTableBeside(
      access,
      session,
      await givenBackup(context, argument, options),
      {
        table: { schema, name: table.name },
        as: { schema: as.schema ?? schema, name: as.name },
        erasures: erasureSourceOf(context, options),
        withoutManifest: options.withoutManifest,
        source: sourceOf(context, options),
        withoutOwners: !options.owner,
        withoutPrivileges: !options.privileges,
        waitMs: options.wait,
        isDryRun: options.dryRun,
      },
      reportingTo(context),
    ),
  );
  const left = result.leftOut.length === 0 ? [] : [`the copy has none of: ${result.leftOut.join(', ')}`];
  const done = result.isDryRun
    ? 'dry run; no changes were made.'
    : `${result.table} restored as ${result.as} with ${result.rows} rows in ${formatDurationMs(result.durationMs)}.`;
  return { result, text: render(result), notes: [...left, done] };
}
