import type { Diagnosis, DoctorOptions } from '../features/doctor/run.js';
import type { Context, Session } from './context.js';
import { migrateSettings } from './migrate-settings.js';
import { thresholdsOf } from './thresholds.js';

/** What is asked for beside the settings. */
interface Wishes extends Pick<DoctorOptions, 'isTiming' | 'isOneOfSeveral' | 'onStep'> {
  /** Areas and checks; none: all of them. */
  readonly only: readonly string[];
  readonly ignoreFile?: string | undefined;
}

/**
 * What runs the checks of doctor on a session, as often as it is called. The migration files and the ignore file are read before.
 *
 * @throws AisecError for settings that cannot be used.
 */
export async function diagnoser(
  context: Context,
  { only, ignoreFile, ...wishes }: Wishes,
): Promise<(session: Session) => Promise<Diagnosis>> {
  const { config } = context;
  const [{ selectChecks }, { readDoctorIgnores }, { findRedisTarget }] = await Promise.all([
    import('../features/doctor/select-checks.js'),
    import('../features/doctor/ignore-file.js'),
    import('../config/redis-target.js'),
  ]);
  const checks = selectChecks(only);
  const thresholds = await thresholdsOf(context);
  const ignores = readDoctorIgnores(ignoreFile, config.cwd);
  const redis = findRedisTarget(config) ?? null;
  const migrations = await migrateSettings(context);
  const { schema, backupDir: backupDirectory } = config;
  return async (session) => {
    const { diagnose } = await import('../features/doctor/run.js');
    return diagnose(session, { schema, checks, migrations, backupDirectory, thresholds, redis, ignores, ...wishes });
  };
}
