import type { Age } from '../../../base/age.js';
import type { OptionSpec } from '../../command.js';
import { ageOption, countOption, durationOption } from '../../options.js';

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
