import type { MigrationPlace } from '../../../config/migration-places.js';
import type { MigrationFile } from './migration-file.js';
import { readHooks, readMigrationFolder } from './migration-folder.js';

/**
 * The migrations of all sources in the order in which they run: the bundled ones, then each of the team's own. Every file
 * is checked and knows its source. This is what a command that reads migrations starts from; `compareWithDatabase` puts
 * the history of each source beside them.
 *
 * @throws AisecError MIGRATION_FILE_INVALID with file and line of every problem of a directory; CONFIG_INVALID for a
 *   directory that cannot be read or has no migration.
 */
export async function readMigrations(
  places: readonly MigrationPlace[],
  cwd: string,
): Promise<readonly MigrationFile[]> {
  const files: MigrationFile[] = [];
  for (const { name, directory } of places)
    files.push(...(await readMigrationFolder(directory, cwd, { source: name })));
  return files;
}

/** The hooks of all sources, in the order of the sources. @throws AisecError MIGRATION_FILE_INVALID. */
export async function readAllHooks(places: readonly MigrationPlace[], cwd: string): Promise<readonly MigrationFile[]> {
  const hooks = await Promise.all(places.map(({ name, directory }) => readHooks(directory, cwd, name)));
  return hooks.flat();
}
