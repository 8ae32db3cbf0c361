import { AisecError } from '../../base/errors.js';
import { aisecVersion } from '../../base/package/version.js';
import type { MigrationFile } from './files/migration-file.js';
import { isBundled, labelOf, type SourcedName } from './files/source.js';

function isMeant(required: string, { name }: SourcedName): boolean {
  return name === required || name.startsWith(`${required}_`);
}

/**
 * Refuses a plan in which a file of a team's own would run without the bundled migrations that it requires.
 *
 * @param applied the migrations that the database has.
 * @param known all that there are.
 * @throws AisecError MIGRATION_HISTORY.
 */
export function refuseUnmetRequirements(
  plan: readonly MigrationFile[],
  applied: readonly SourcedName[],
  known: readonly SourcedName[],
): void {
  const met = [...applied, ...plan].filter(isBundled);
  for (const file of plan) {
    const required = file.requires.find((wanted) => !met.some((migration) => isMeant(wanted, migration)));
    if (required === undefined) continue;
    const isKnown = known.some((migration) => isBundled(migration) && isMeant(required, migration));
    throw new AisecError(
      'MIGRATION_HISTORY',
      `migration ${labelOf(file)} requires ${required} of aisec, which is not applied`,
      {
        detail: `${isKnown ? '' : `aisec ${aisecVersion()} has no migration ${required}. `}No changes were made.`,
        hint: isKnown
          ? 'Apply the bundled migrations first: aisec migrate up'
          : 'Install the version of aisec that has it, or correct the number in the file.',
        position: { file: file.path, line: 1 },
      },
    );
  }
}
