import { resolve } from 'node:path';

import { AisecError } from '../base/errors.js';
import { packageFile } from '../base/package-file.js';

/** Where the migrations of one source are. */
export interface MigrationPlace {
  /** `aisec` for the bundled ones; it is a part of the names of the source's history tables. */
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
}

export const BUNDLED_SOURCE = 'aisec';
/** What a team's own source is called unless it says otherwise. */
const DEFAULT_SOURCE = 'app';

/** `billing=./db/migrations`. The name fits into that of a table, with `aisec_migrations_` before it. */
const NAMED = /^([a-z][a-z0-9_]{0,30})=(.+)$/;

function readPlace(text: string, cwd: string): MigrationPlace {
  const [, name = DEFAULT_SOURCE, directory = text] = NAMED.exec(text) ?? [];
  return { name, directory: resolve(cwd, directory) };
}

/**
 * The bundled migrations, then those of the setting, in its order: `./db/migrations`, or several, `NAME=DIR` with commas
 * between them. The name `aisec` puts another directory in the place of the bundled one.
 *
 * @throws AisecError CONFIG_INVALID for two sources of one name.
 */
export function migrationPlaces(value: string | undefined, cwd: string): readonly MigrationPlace[] {
  const places = new Map([[BUNDLED_SOURCE, { name: BUNDLED_SOURCE, directory: packageFile('migrations') }]]);
  const given = (value ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => readPlace(text, cwd));
  for (const place of given) {
    const twin = given.find((other) => other.name === place.name);
    if (twin !== place)
      throw new AisecError('CONFIG_INVALID', `two directories of migrations are called "${place.name}"`, {
        detail: `They are "${twin?.directory ?? ''}" and "${place.directory}".`,
        hint: 'Give each a name of its own: --migrations-dir billing=./billing --migrations-dir crm=./crm',
      });
    places.set(place.name, place);
  }
  return [...places.values()];
}
