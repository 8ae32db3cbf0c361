import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { isBundled, type SourcedName } from '../files/source.js';

/** The sources that the database has a history of, beside the `known` ones. Reads only, needs nothing. */
export async function readOtherSources(
  session: Session,
  schema: string,
  known: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await session.query<{ source: string }>(sqlFile('migrate/other-sources'), [schema, known]);
  return rows.map(({ source }) => source);
}

/**
 * Refuses to revert bundled migrations below those of a source that is not looked at: they may need what would be dropped.
 * A source loses its history tables with its last migration.
 *
 * @throws AisecError MIGRATION_HISTORY.
 */
export function refuseOtherSources(others: readonly string[], plan: readonly SourcedName[]): void {
  const [first] = others;
  if (first === undefined || !plan.some(isBundled)) return;
  const names = others.map((name) => `"${name}"`).join(', ');
  throw new AisecError(
    'MIGRATION_HISTORY',
    `the database has migrations of ${others.length === 1 ? 'the source' : 'the sources'} ${names}, and no directory was given for them`,
    {
      detail: 'They may need what would be reverted. No changes were made.',
      hint: `Give it: --migrations-dir ${first}=DIR`,
    },
  );
}
