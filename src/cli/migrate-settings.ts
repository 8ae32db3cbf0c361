import type { MigrateSettings } from '../features/migrate/prepare.js';
import type { Context } from './context.js';

/**
 * Reads and checks the migration files of all sources, before anything is opened.
 *
 * @throws AisecError MIGRATION_FILE_INVALID, CONFIG_INVALID.
 */
export async function migrateSettings({ config }: Context): Promise<MigrateSettings> {
  const { readAllHooks, readMigrations } = await import('../features/migrate/files/read-migrations.js');
  const { cwd, migrationPlaces, schema, extensionSchema } = config;
  const files = await readMigrations(migrationPlaces, cwd);
  return { files, hooks: await readAllHooks(migrationPlaces, cwd), schema, extensionSchema };
}
