import { resolve } from 'node:path';

import { didYouMean } from '../base/did-you-mean.js';
import { parseDurationMs } from '../base/duration.js';
import { AisecError } from '../base/errors.js';
import { packageFile } from '../base/package-file.js';
import { migrationPlaces, type MigrationPlace } from './migration-places.js';
import { checkSchemaName, readSchemaChoice, type SchemaChoice } from './schema-choice.js';
import { SETTINGS, type Environment, type Flags, type Setting, type SettingName } from './settings.js';

export interface Config {
  readonly cwd: string;
  readonly environment: Environment;
  readonly flags: Flags;
  /** The variables that would name a server and are set but empty. */
  readonly emptyAddresses: readonly string[];
  /** Where several are chosen: the text that chooses them, which names none. */
  readonly schema: string;
  /** Undefined: one schema. */
  readonly schemas: SchemaChoice | undefined;
  /** The role to work as, where it is not the one that logs in. */
  readonly role: string | undefined;
  /** How long a server may take to come up. */
  readonly waitForDatabaseMs: number;
  readonly extensionSchema: string;
  /** The bundled migrations first, then the team's own. */
  readonly migrationPlaces: readonly MigrationPlace[];
  /** Absolute paths. */
  readonly seedsDir: string;
  readonly dataDir: string;
  readonly cacheDir: string;
  /** Of the PostgreSQL programs; undefined: look for them. */
  readonly pgBinDir: string | undefined;
  /** Absolute; need not exist. */
  readonly backupDir: string;
  /** A secret: its holder can answer for the job. */
  readonly pingUrl: string | undefined;
  readonly notifyUrl: string | undefined;
  /** Absolute. */
  readonly notifyUrlFile: string | undefined;
  /** Secret that a subset is masked by. */
  readonly maskKey: string | undefined;
  /** Password that the users of a masked subset get. */
  readonly subsetPassword: string | undefined;
  /** As it was given; undefined: as the checks come. */
  readonly thresholds: string | undefined;
  readonly isProduction: boolean;
}

/** The value of a setting: flag, then environment (with `.env`), then default. */
export function settingValue(name: SettingName, flags: Flags, environment: Environment): string | undefined {
  const setting: { env: string; default?: string } = SETTINGS[name];
  return flags[name] ?? environment[setting.env] ?? setting.default;
}

/** An empty flag is a shell variable that was not set; the default would be another place than the one meant. */
function refuseEmptyFlags(flags: Flags): void {
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    if (flags[name as SettingName] !== '') continue;
    throw new AisecError('USAGE', `${setting.flag?.split(' ', 1)[0] ?? name} is empty`, {
      hint: 'Give a value, or leave the option out. Is a shell variable not set?',
    });
  }
}

/** They hold an address or a secret, and no message repeats them. */
const MAY_HOLD_SECRETS: readonly string[] = [
  'databaseUrl',
  'redisUrl',
  'pingUrl',
  'notifyUrl',
  'adminPassword',
  'maskKey',
  'subsetPassword',
] satisfies readonly SettingName[];

/** An address of a database may have a password, and messages repeat the names of files and schemas. */
function refuseAddresses(flags: Flags, environment: Environment): void {
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const value = settingValue(name as SettingName, flags, environment);
    if (MAY_HOLD_SECRETS.includes(name) || !/^\s*(?:postgres|postgresql|rediss?):\/\//i.test(value ?? '')) continue;
    const isFlag = flags[name as SettingName] !== undefined;
    const given = isFlag ? (setting.flag?.split(' ', 1)[0] ?? name) : setting.env;
    throw new AisecError(isFlag ? 'USAGE' : 'CONFIG_INVALID', `${given} holds the address of a database`, {
      hint: 'Put the address into DATABASE_URL or REDIS_URL.',
    });
  }
}

/** A mistyped `production` must not switch the guards off. */
function readIsProduction(value: string | undefined): boolean {
  const environment = value?.trim().toLowerCase() ?? '';
  if (environment === 'production') return true;
  if (environment === '' || didYouMean(environment, ['production']) === undefined) return false;
  throw new AisecError('CONFIG_INVALID', `AISEC_ENV has the unknown value "${value ?? ''}"`, {
    hint: 'Did you mean "production"?',
  });
}

function readWait(value: string): number {
  const waitMs = parseDurationMs(value);
  if (waitMs !== undefined) return waitMs;
  throw new AisecError('CONFIG_INVALID', `invalid duration "${value}" of --wait-for-database`, {
    hint: 'Give a number with a unit: 500ms, 30s, 5m.',
  });
}

/**
 * Settings that need no file and no database. Which database: see `resolveDatabaseTarget`.
 *
 * @throws AisecError USAGE, CONFIG_INVALID.
 */
export function resolveConfig(
  flags: Flags,
  environment: Environment,
  cwd: string,
  emptyAddresses: readonly string[] = [],
): Config {
  refuseEmptyFlags(flags);
  refuseAddresses(flags, environment);
  const value = (name: SettingName): string | undefined => settingValue(name, flags, environment);
  const [pgBin, notifyUrlFile] = [value('pgBin'), value('notifyUrlFile')];
  const schemaText = value('schema') ?? SETTINGS.schema.default;
  const schema = readSchemaChoice(schemaText);
  return {
    cwd,
    environment,
    flags,
    emptyAddresses,
    schema: typeof schema === 'string' ? schema : schemaText,
    schemas: typeof schema === 'string' ? undefined : schema,
    role: value('role'),
    waitForDatabaseMs: readWait(value('waitForDatabase') ?? SETTINGS.waitForDatabase.default),
    extensionSchema: checkSchemaName(
      value('extensionSchema') ?? SETTINGS.extensionSchema.default,
      'the schema of the extensions',
    ),
    migrationPlaces: migrationPlaces(value('migrationsDir'), cwd),
    seedsDir: resolve(cwd, value('seedsDir') ?? packageFile('seeds')),
    dataDir: resolve(cwd, value('dataDir') ?? SETTINGS.dataDir.default),
    cacheDir: resolve(cwd, value('cacheDir') ?? SETTINGS.cacheDir.default),
    pgBinDir: pgBin === undefined ? undefined : resolve(cwd, pgBin),
    backupDir: resolve(cwd, value('backupDir') ?? SETTINGS.backupDir.default),
    pingUrl: value('pingUrl'),
    notifyUrl: value('notifyUrl'),
    notifyUrlFile: notifyUrlFile === undefined ? undefined : resolve(cwd, notifyUrlFile),
    maskKey: value('maskKey'),
    subsetPassword: value('subsetPassword'),
    thresholds: value('thresholds'),
    isProduction: readIsProduction(value('environment')),
  };
}
