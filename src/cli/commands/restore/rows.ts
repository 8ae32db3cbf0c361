import { formatDurationMs } from '../../../base/duration.js';
import type { RestoredRows, RowsRestoreResult } from '../../../features/backup/restore-rows.js';
import type { RowsWanted } from '../../../features/backup/rows/start.js';
import type { Context } from '../../context.js';
import { directoryOf } from '../../backup-place.js';
import { reportingTo } from '../../reporting.js';
import type { Outcome } from './outcome.js';
import { givenBackup, requireServer, sourceOf } from './source.js';
import type { Options } from './usage.js';

/** Undefined when something else is to be restored. */
export function rowsWanted({ rows, user, month }: Options, schema: string): RowsWanted | undefined {
  if (rows !== undefined)
    return { table: { schema: rows.table.schema ?? schema, name: rows.table.name }, condition: rows.condition };
  if (user !== undefined) return { user };
  return month === undefined ? undefined : { month };
}

function render({ isDryRun, tables }: RowsRestoreResult): string {
  if (!isDryRun) return '';
  return tables
    .map(({ table, restored, present, differing }) =>
      [
        `${table}: ${restored} to restore`,
        ...(present === 0 ? [] : [`${present} there already`]),
        ...(differing === 0 ? [] : [`${differing} there with other values`]),
      ].join(', '),
    )
    .join('\n');
}

function done({ existing, tables, durationMs }: RowsRestoreResult): string {
  const counted = (count: (rows: RestoredRows) => number): string =>
    tables
      .filter((rows) => count(rows) > 0)
      .map((rows) => `${count(rows)} of ${rows.table}`)
      .join(', ');
  const restored = counted((rows) => rows.restored);
  const differing = counted((rows) => rows.differing);
  const overwritten = existing === 'overwrite' ? differing : '';
  const kept = existing === 'keep' ? differing : '';
  const written = [restored, overwritten && `overwritten ${overwritten}`].filter(Boolean).join('; ');
  return [
    written === ''
      ? `nothing to restore: all of the rows are there${kept && ', some with other values'}.`
      : `rows restored in ${formatDurationMs(durationMs)}: ${written}.`,
    kept && `Left as they are, with other values: ${kept}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** `restore FILE --rows …`, `--user USER` and `--month MONTH`. */
export async function runRows(
  context: Context,
  options: Options,
  argument: string,
  wanted: RowsWanted,
): Promise<Outcome<RowsRestoreResult>> {
  await requireServer(context, 'restoring rows', argument);
  const access = await context.serverAccess();
  const { restoreRows } = await import('../../../features/backup/restore-rows.js');
  const result = await restoreRows(
    access,
    await givenBackup(context, argument, options),
    {
      wanted,
      schema: context.config.schema,
      existing: options.existing ?? 'refuse',
      dangling: options.dangling === undefined || options.dangling === 'not-valid' ? 'refuse' : options.dangling,
      directory: directoryOf(context, options),
      withoutManifest: options.withoutManifest,
      source: sourceOf(context, options),
      waitMs: options.wait,
      isDryRun: options.dryRun,
    },
    reportingTo(context),
  );
  return { result, text: render(result), notes: [result.isDryRun ? 'dry run; no changes were made.' : done(result)] };
}
