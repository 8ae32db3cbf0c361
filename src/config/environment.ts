import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { AisecError, messageOf } from '../base/errors.js';
import { packageSettings } from './package-settings.js';
import { SETTINGS, type Environment } from './settings.js';

/** Any of these means that a server is wanted: https://www.postgresql.org/docs/16/libpq-envars.html */
export const NAMES_A_SERVER = ['PGHOST', 'PGHOSTADDR', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGSERVICE'] as const;
/** An empty one of these is a secret or a variable that did not arrive: a server was meant. */
const MEANS_A_SERVER = [
  SETTINGS.databaseUrl.env,
  SETTINGS.databaseUrlFile.env,
  'PGHOST',
  'PGHOSTADDR',
  'PGDATABASE',
  'PGSERVICE',
] as const;
const URL_VARIABLES: readonly string[] = [SETTINGS.databaseUrl.env, SETTINGS.databaseUrlFile.env];

/** The variables of the process: the one place that reads them. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Of venv, conda and old versions of virtualenv, for which `.env` is a usual name. */
const IN_A_PYTHON_ENVIRONMENT = ['pyvenv.cfg', 'conda-meta', 'bin/activate'];

function unreadableDirectory(file: string): AisecError {
  return new AisecError('CONFIG_INVALID', `"${file}" is a directory, expected a file`, {
    detail:
      'Docker makes a directory where the file of a mount is missing: settings in it, such as DATABASE_URL, did not arrive.',
    hint: 'Put the file there, or remove the directory.',
  });
}

function readEnvFile(file: string): Environment {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    if (code === 'EISDIR' && IN_A_PYTHON_ENVIRONMENT.some((name) => existsSync(join(file, name)))) return {};
    if (code === 'EISDIR') throw unreadableDirectory(file);
    throw new AisecError('CONFIG_INVALID', `could not read "${file}"`, {
      detail: `${messageOf(error)}.`,
      hint: 'Make it readable, or run aisec in another directory.',
      cause: error,
    });
  }
}

/** An empty variable counts as not set. */
export function withoutEmpty(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
  );
}

export interface LoadedEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** The variables that would name a server and are set but empty. */
  readonly emptyAddresses: readonly string[];
}

/**
 * The environment with what `.env` and package.json in `cwd` add to it; a variable of the environment wins over `.env`, and
 * that over package.json. So does
 * the server that the environment names: `PGHOST=staging aisec ...` in a project whose `.env` has the DATABASE_URL of
 * production must not reach production.
 */
export function loadEnvironment(environment: Environment, cwd: string): LoadedEnvironment {
  const own = withoutEmpty(environment);
  const given = readEnvFile(join(cwd, '.env'));
  const file = { ...withoutEmpty(given) };
  const hasUrl = URL_VARIABLES.some((name) => own[name] !== undefined);
  const overruled = [
    ...(hasUrl || NAMES_A_SERVER.some((name) => own[name] !== undefined) ? URL_VARIABLES : []),
    ...(hasUrl ? NAMES_A_SERVER : []),
  ];
  for (const name of overruled) delete file[name];
  return {
    variables: { ...withoutEmpty(packageSettings(cwd)), ...file, ...own },
    emptyAddresses: MEANS_A_SERVER.filter((name) => environment[name] === '' || given[name] === ''),
  };
}
