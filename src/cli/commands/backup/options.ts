import { resolve } from 'node:path';

import { AisecError } from '../../../base/errors.js';
import type { OptionSpec } from '../../command.js';
import type { Context } from '../../context.js';
import { countOption, durationOption } from '../../options.js';

export interface FolderOption {
  readonly dir?: string;
}

export const FOLDER_OPTION: OptionSpec = {
  flags: '--dir <dir>',
  description: 'folder of the backups (default: AISEC_BACKUP_DIR, else ./backups)',
};

export interface RetentionOptions {
  readonly keepDays: number;
  readonly keepLast: number;
}

export const RETENTION_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--keep-days <n>',
    description: 'backups older than this many days are removed',
    default: '30',
    parse: countOption(0),
  },
  {
    flags: '--keep-last <n>',
    description: 'so many verified ones stay, however old',
    default: '3',
    parse: countOption(1),
  },
];

export const TIMEOUT_OPTION: OptionSpec = {
  flags: '--timeout <duration>',
  description: 'ends the whole run when it takes longer; 0: never',
  default: '12h',
  parse: durationOption,
};

/** Absolute. @throws AisecError USAGE for an empty one, which is a shell variable that was not set. */
export function folderOf({ config }: Context, { dir }: FolderOption): string {
  if (dir === '') throw new AisecError('USAGE', '--dir is empty', { hint: 'Is a shell variable not set?' });
  return dir === undefined ? config.backupDir : resolve(config.cwd, dir);
}
