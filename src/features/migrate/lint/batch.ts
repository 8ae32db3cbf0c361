import { resolve } from 'node:path';

import { packageFile } from '../../../base/package-file.js';

/**
 * Whether the directory has the bundled migrations. They reach a database together, before it has a row: no release has
 * ended between two of them.
 */
export function isBundled(migrationsDir: string): boolean {
  return resolve(migrationsDir) === packageFile('migrations');
}
