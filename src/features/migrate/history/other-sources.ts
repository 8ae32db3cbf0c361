import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { isBundled, type SourcedName } from '../files/source.js';

/** A source that the database has a history of, and that this run was given no directory for. */
export interface OtherSource {
  readonly name: string;
}

/** The sources in the database beside the `known` ones. Reads only, needs nothing. */
export async function readOtherSources(
  session: Session,
  schema: string,
  known: readonly string[],
): Promise<readonly OtherSource[]> {
  const { rows } = await session.query<{ source: string }>(sqlFile('migrate/other-sources'), [schema, known]);
  return rows.map(({ source }) => ({ name: source }));
}

/**
 * Refuses to revert bundled migrations below those of a source that is not looked at: they may need what would be dropped.
 * A source loses its history tables with its last migration.
 *
 * @throws AisecError MIGRATION_HISTORY.
 */
export function refuseOtherSources(others: readonly OtherSource[], plan: readonly SourcedName[]): void {
  const [first] = others;
  if (first === undefined || !plan.some(isBundled)) return;
  const names = others.map(({ name }) => `"${name}"`).join(', ');
  throw new AisecError(
    'MIGRATION_HISTORY',
    `the database has migrations of ${others.length === 1 ? 'the source' : 'the sources'} ${names}, and no directory was given for them`,
    {
      detail: 'They may need what would be reverted. No changes were made.',
      hint: `Give it: --migrations-dir ${first.name}=DIR`,
    },
  );
}
