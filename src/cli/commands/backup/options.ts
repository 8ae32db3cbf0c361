import { resolve } from 'node:path';

import type { Age } from '../../../base/age.js';
import { AisecError } from '../../../base/errors.js';
import type { OptionSpec } from '../../command.js';
import type { Context } from '../../context.js';
import { ageOption, countOption, durationOption } from '../../options.js';

export interface DirectoryOption {
  readonly dir?: string;
}

export const DIRECTORY_OPTION: OptionSpec = {
  flags: '--dir <dir>',
  description: 'directory of the backups (default: AISEC_BACKUP_DIR, else ./backups)',
};

export interface RetentionOptions {
  readonly keep: Age;
  readonly keepLast: number;
}

export const RETENTION_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--keep <age>',
    description: 'delete backups that are older: 30d, 8w, 6mo',
    default: '30d',
    parse: ageOption,
  },
  {
    flags: '--keep-last <n>',
    description: 'always keep the newest n verified backups, whatever their age',
    default: '3',
    parse: countOption(1),
  },
];

export const TIMEOUT_OPTION: OptionSpec = {
  flags: '--timeout <duration>',
  description: 'the longest the whole command may take; 0: no limit',
  default: '12h',
  parse: durationOption,
};

/** Absolute. @throws AisecError USAGE for an empty one, which is a shell variable that was not set. */
export function directoryOf({ config }: Context, { dir }: DirectoryOption): string {
  if (dir === '') throw new AisecError('USAGE', '--dir is empty', { hint: 'Is a shell variable not set?' });
  return dir === undefined ? config.backupDir : resolve(config.cwd, dir);
}
