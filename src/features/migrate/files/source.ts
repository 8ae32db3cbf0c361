import { BUNDLED_SOURCE } from '../../../config/migration-places.js';

export { BUNDLED_SOURCE };

/** A migration by its source and its name there; two sources may have files of one name. */
export interface SourcedName {
  /** `aisec` for the bundled migrations, else what the team calls its own. */
  readonly source: string;
  /** `0042_add_invoices`. */
  readonly name: string;
}

export function isBundled({ source }: Pick<SourcedName, 'source'>): boolean {
  return source === BUNDLED_SOURCE;
}

/** A repeatable migration is applied again when its text changes; it has no number, no order and no way back of its own. */
export function isRepeatable({ name }: Pick<SourcedName, 'name'>): boolean {
  return name.startsWith('R__');
}

/** Each source once, in the order in which they run. */
export function sourcesOf(migrations: readonly Pick<SourcedName, 'source'>[]): readonly string[] {
  return [...new Set(migrations.map(({ source }) => source))];
}

/** How a migration is called in messages and with `--to`: `0012_knowledge`, and of a team's own `app/0001_add_invoices`. */
export function labelOf({ source, name }: SourcedName): string {
  return source === BUNDLED_SOURCE ? name : `${source}/${name}`;
}
