import type { MigrationPlace } from '../config/migration-places.js';
import type { MigrateSettings } from '../features/migrate/prepare.js';
import type { Context } from './context.js';

type ReadFiles = Required<Pick<MigrateSettings, 'files' | 'hooks'>>;

/** Read once for all schemas of a run, which share the list of places. */
const filesOfPlaces = new WeakMap<readonly MigrationPlace[], Promise<ReadFiles>>();

async function readFiles(places: readonly MigrationPlace[], cwd: string): Promise<ReadFiles> {
  const { readAllHooks, readMigrations } = await import('../features/migrate/files/read-migrations.js');
  const files = await readMigrations(places, cwd);
  return { files, hooks: await readAllHooks(places, cwd) };
}

/**
 * Reads and checks the migration files of all sources, before anything is opened.
 *
 * @throws AisecError MIGRATION_FILE_INVALID, CONFIG_INVALID.
 */
export async function migrateSettings({ config }: Context): Promise<MigrateSettings> {
  const { cwd, migrationPlaces, schema, extensionSchema } = config;
  const reading = filesOfPlaces.get(migrationPlaces) ?? readFiles(migrationPlaces, cwd);
  filesOfPlaces.set(migrationPlaces, reading);
  return { ...(await reading), schema, extensionSchema };
}
