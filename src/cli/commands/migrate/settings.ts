import type { CompareOptions } from '../../../features/migrate/drift/drift.js';
import type { Context } from '../../context.js';
import { migrateSettings } from '../../migrate-settings.js';

export { migrateSettings } from '../../migrate-settings.js';

/** The same for commands that replay migrations in memory. @throws AisecError MIGRATION_FILE_INVALID. */
export async function replaySettings(context: Context): Promise<CompareOptions> {
  return {
    ...(await migrateSettings(context)),
    withScratch: (use) => context.withScratchDatabase(use, { isSilent: true }),
    cacheDir: context.config.cacheDir,
    onProgress: context.progress.report,
  };
}
