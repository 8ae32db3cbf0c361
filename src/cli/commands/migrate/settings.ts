import type { CompareOptions } from '../../../features/migrate/drift/drift.js';
import type { MigrateSettings } from '../../../features/migrate/prepare.js';
import type { Context } from '../../context.js';

/** Reads and checks the migration files, before anything is opened. @throws AisecError MIGRATION_FILE_INVALID. */
export async function migrateSettings({ config }: Context): Promise<MigrateSettings> {
  const { readMigrationFolder } = await import('../../../features/migrate/files/migration-folder.js');
  const { cwd, migrationsDir, schema, extensionSchema } = config;
  return { files: await readMigrationFolder(migrationsDir, cwd), schema, extensionSchema };
}

/** The same for commands that replay migrations in memory. @throws AisecError MIGRATION_FILE_INVALID. */
export async function replaySettings(context: Context): Promise<CompareOptions> {
  return {
    ...(await migrateSettings(context)),
    withScratch: (use) => context.withScratchDatabase(use, { isSilent: true }),
    cacheDir: context.config.cacheDir,
    onProgress: context.progress.report,
  };
}
