import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SETTINGS, type Environment, type Flags, type SettingName } from './settings.js';

export interface Config {
  readonly cwd: string;
  readonly environment: Environment;
  readonly flags: Flags;
  readonly schema: string;
  readonly extensionSchema: string;
  /** Absolute paths. */
  readonly migrationsDir: string;
  readonly seedsDir: string;
  readonly dataDir: string;
  readonly isProduction: boolean;
}

function bundled(folder: string): string {
  return fileURLToPath(new URL(`../../${folder}`, import.meta.url));
}

/** The value of a setting: flag, then environment (with `.env`), then default. */
export function settingValue(name: SettingName, flags: Flags, environment: Environment): string | undefined {
  const setting: { env: string; default?: string } = SETTINGS[name];
  return flags[name] ?? environment[setting.env] ?? setting.default;
}

/** Settings that need no file and no database. Which database: see `resolveDatabaseTarget`. */
export function resolveConfig(flags: Flags, environment: Environment, cwd: string): Config {
  const value = (name: SettingName): string | undefined => settingValue(name, flags, environment);
  return {
    cwd,
    environment,
    flags,
    schema: value('schema') ?? SETTINGS.schema.default,
    extensionSchema: value('extensionSchema') ?? SETTINGS.extensionSchema.default,
    migrationsDir: resolve(cwd, value('migrationsDir') ?? bundled('migrations')),
    seedsDir: resolve(cwd, value('seedsDir') ?? bundled('seeds')),
    dataDir: resolve(cwd, value('dataDir') ?? SETTINGS.dataDir.default),
    isProduction: value('environment') === 'production',
  };
}
