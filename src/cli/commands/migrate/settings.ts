import type { MigrateSettings } from '../../../features/migrate/prepare.js';
import type { Context } from '../../context.js';

/** Reads and checks the migration files, before anything is opened. @throws AisecError MIGRATION_FILE_INVALID. */
export async function migrateSettings({ config }: Context): Promise<MigrateSettings> {
  const { readMigrationFolder } = await import('../../../features/migrate/files/migration-folder.js');
  const { cwd, migrationsDir, schema, extensionSchema } = config;
  return { files: await readMigrationFolder(migrationsDir, cwd), schema, extensionSchema };
}
