import { didYouMean } from '../../base/did-you-mean.js';
import { AisecError } from '../../base/errors.js';
import { isBundled, labelOf, type SourcedName } from './files/source.js';

/**
 * Where the migration stands that a user names: `0012_knowledge`, `app/0001_add_invoices`, or without its source where
 * only one has a file of that name. A bundled one wins over others of its name.
 *
 * @throws AisecError MIGRATION_UNKNOWN with the nearest name.
 */
export function indexOfMigration(name: string, migrations: readonly SourcedName[]): number {
  const exact = migrations.findIndex((migration) => labelOf(migration) === name);
  if (exact !== -1) return exact;
  const namesakes = migrations.filter((migration) => migration.name === name && !isBundled(migration));
  const [only, ...others] = namesakes;
  if (only !== undefined && others.length === 0) return migrations.indexOf(only);
  const labels = migrations.map(labelOf);
  const near = namesakes.length > 1 ? namesakes.map(labelOf).join('" or "') : didYouMean(name, labels);
  throw new AisecError('MIGRATION_UNKNOWN', `there is no migration "${name}"`, {
    hint: near === undefined ? 'See: aisec migrate status' : `Did you mean "${near}"?`,
  });
}
