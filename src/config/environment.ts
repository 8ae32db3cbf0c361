import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { AisecError, messageOf } from '../base/errors.js';
import type { Environment } from './settings.js';

/** The variables of the process: the one place that reads them. */
export function processEnvironment(): Environment {
  return process.env;
}

function readEnvFile(file: string): Environment {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new AisecError('CONFIG_INVALID', `could not read ${file}`, { detail: messageOf(error), cause: error });
  }
}

/** The environment with what `.env` in `cwd` adds to it; a variable of the environment wins over the file's. */
export function loadEnvironment(environment: Environment, cwd: string): Environment {
  const merged: Record<string, string> = {};
  for (const source of [readEnvFile(join(cwd, '.env')), environment]) {
    for (const [name, value] of Object.entries(source)) {
      if (value !== undefined && value !== '') merged[name] = value;
    }
  }
  return merged;
}
