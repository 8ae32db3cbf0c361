import type { CompareOptions } from '../../../features/migrate/drift/drift.js';
import type { Context, Session } from '../../context.js';
import { migrateSettings } from '../../migrate-settings.js';

export { migrateSettings } from '../../migrate-settings.js';

/** What applying pending migrations understands, to a database or to a copy. */
export interface PlanOptions {
  readonly to?: string;
  readonly allowLate: boolean;
  readonly allowNewer: boolean;
}

export const TO_OPTION = { flags: '--to <name>', description: 'stop after this migration' } as const;

export const ALLOW_OPTIONS = [
  { flags: '--allow-late', description: 'also apply a file that sorts before an applied one' },
  {
    flags: '--allow-newer',
    description: 'continue where a newer version has migrated the database, as after a rolled-back deployment',
  },
] as const;

/** Reads the files. @throws AisecError MIGRATION_FILE_INVALID. */
export async function planSettings(context: Context, { to, allowLate, allowNewer }: PlanOptions) {
  return { ...(await migrateSettings(context)), to, allowsLate: allowLate, allowsNewer: allowNewer };
}

export const REPLAY_ON_SERVER_OPTION = {
  flags: '--server',
  description: 'replay in a new database on the configured server, which is dropped afterwards (needs CREATEDB)',
} as const;

/**
 * For migrations that need an extension which the embedded PostgreSQL lacks: a scratch database on the server of the
 * session, as `migrate test --server` uses it.
 */
export async function replayOnServer(
  context: Context,
  session: Session,
): Promise<Pick<CompareOptions, 'withScratch' | 'scratchServerVersion'>> {
  const { withScratchOnServer } = await import('../../../features/migrate/round-trip/scratch-database.js');
  return {
    scratchServerVersion: session.info.serverVersion,
    withScratch: (use) =>
      withScratchOnServer(session, (database) => context.withDatabase({ database, isSilent: true }, use)),
  };
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
