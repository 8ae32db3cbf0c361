import type { MigrateSettings } from '../../../operations/migrate/prepare.js';
import type { Reporting } from '../../../operations/migrate/reporting.js';
import type { Context } from '../../context.js';

export function migrateSettings({ config }: Context): MigrateSettings {
  const { cwd, migrationsDir, schema, extensionSchema } = config;
  return { cwd, migrationsDir, schema, extensionSchema };
}

export function reportingTo({ output, progress }: Context): Reporting {
  return { onProgress: progress.report, onWarning: (text) => output.warning(text) };
}
