import { resolve } from 'node:path';

import { AisecError } from '../../../base/errors.js';
import { packageFile } from '../../../base/package-file.js';
import { settingValue } from '../../../config/config.js';
import { SETTINGS, type SettingName } from '../../../config/settings.js';
import type { Context, OptionSpec } from '../../command.js';
import { listOption } from '../../options.js';

const URL_FILE = '/etc/aisec/database-url';
const NOTIFY_URL_FILE = '/etc/aisec/notify-url';
/** What decides where and as whom a job works, and is no secret. */
const CARRIED: readonly SettingName[] = ['schema', 'role', 'waitForDatabase', 'pgBin', 'thresholds'];

export interface ScheduleOptions {
  readonly only?: readonly string[];
  readonly dir?: string;
  readonly notify: boolean;
  readonly history: string;
}

export const ONLY_OPTION: OptionSpec = {
  flags: '--only <list>',
  description: 'these jobs only, with commas',
  parse: listOption,
};

export function notifyOptions(where: string, history: string): readonly OptionSpec[] {
  return [
    {
      flags: '--notify',
      description: `doctor sends what is new and gone to a webhook, once each; its URL is in ${where}`,
    },
    { flags: '--history <file>', description: 'with --notify: where doctor keeps what it found', default: history },
  ];
}

/** What was sent must be known even when the disk of the backups is full. */
const HISTORY_DIR = '/var/lib/aisec';
export const NOTIFY_OPTIONS = notifyOptions(
  `the file AISEC_NOTIFY_URL_FILE, else ${NOTIFY_URL_FILE}`,
  `${HISTORY_DIR}/doctor.json`,
);

/** A line break would begin a line of its own in what is printed. @throws AisecError USAGE. */
export function oneLine(name: string, text: string): string {
  if (text !== '' && !/\p{Cc}/u.test(text)) return text;
  throw new AisecError('USAGE', `${name}: invalid value ${JSON.stringify(text)}`, {
    hint: 'Give one line of text without control characters.',
  });
}

/**
 * The settings that were given to this command, for the jobs, and where the backups are, which doctor looks for. A job never
 * opens the embedded database.
 */
export function carriedSettings({ config }: Context, backupDir: string): Readonly<Record<string, string>> {
  const given = CARRIED.flatMap((name) => {
    const { env, default: preset } = SETTINGS[name] as { env: string; default?: string };
    const value = settingValue(name, config.flags, config.environment);
    return value === undefined || value === preset ? [] : [[env, oneLine(env, value)] as const];
  });
  return { AISEC_ENV: 'production', AISEC_BACKUP_DIR: backupDir, ...Object.fromEntries(given) };
}

/** Absolute; null: no webhook was asked for. */
export function historyFile({ config }: Context, { notify, history }: ScheduleOptions): string | null {
  return notify ? oneLine('--history', resolve(config.cwd, history)) : null;
}

/** How a job on this machine runs this very aisec. URLs may have a password: the files they are in are named, absolute. */
export function onThisMachine(context: Context, { notify }: ScheduleOptions, backupDir: string) {
  const { config } = context;
  const given = settingValue('databaseUrlFile', config.flags, config.environment);
  return {
    program: [process.execPath, packageFile('bin/aisec.js')],
    databaseUrlFile: oneLine('--database-url-file', given === undefined ? URL_FILE : resolve(config.cwd, given)),
    /** Null: no webhook was asked for. */
    notifyUrlFile: notify ? oneLine('AISEC_NOTIFY_URL_FILE', config.notifyUrlFile ?? NOTIFY_URL_FILE) : null,
    settings: carriedSettings(context, backupDir),
  };
}
