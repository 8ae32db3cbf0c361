import { resolve } from 'node:path';

import { AisecError } from '../../../base/errors.js';
import { packageFile } from '../../../base/package-file.js';
import { settingValue } from '../../../config/config.js';
import { SETTINGS, type SettingName } from '../../../config/settings.js';
import type { OptionSpec } from '../../command.js';
import type { Context } from '../../context.js';
import { listOption } from '../../options.js';

const URL_FILE = '/etc/aisec/database-url';
/** What decides where and as whom a job works, and is no secret. */
const CARRIED: readonly SettingName[] = ['schema', 'role', 'waitForDatabase', 'pgBin', 'thresholds'];

export interface ScheduleOptions {
  readonly only?: readonly string[];
  readonly dir?: string;
}

export const ONLY_OPTION: OptionSpec = {
  flags: '--only <list>',
  description: 'these jobs only, with commas',
  parse: listOption,
};

/** A line break would begin a line of its own in what is printed. @throws AisecError USAGE. */
export function oneLine(name: string, text: string): string {
  if (text !== '' && !/\p{Cc}/u.test(text)) return text;
  throw new AisecError('USAGE', `${name}: invalid value ${JSON.stringify(text)}`, {
    hint: 'Give one line of text without control characters.',
  });
}

/** The settings that were given to this command, for the jobs. A job never opens the embedded database. */
export function carriedSettings({ config }: Context): Readonly<Record<string, string>> {
  const given = CARRIED.flatMap((name) => {
    const { env, default: preset } = SETTINGS[name] as { env: string; default?: string };
    const value = settingValue(name, config.flags, config.environment);
    return value === undefined || value === preset ? [] : [[env, oneLine(env, value)] as const];
  });
  return { AISEC_ENV: 'production', ...Object.fromEntries(given) };
}

/** Absolute. The URL itself may have a password and is never printed. */
export function databaseUrlFile({ config }: Context): string {
  const given = settingValue('databaseUrlFile', config.flags, config.environment);
  return oneLine('--database-url-file', given === undefined ? URL_FILE : resolve(config.cwd, given));
}

/** Node and this very aisec. */
export function programWords(): readonly string[] {
  return [process.execPath, packageFile('bin/aisec.js')];
}
