import type { RetentionRule } from '../../../features/backup/catalog/retention.js';
import type { KeptByRule } from '../../../features/backup/prune.js';
import type { OptionSpec } from '../../command.js';
import { countOption, durationOption } from '../../options.js';
import { keepOption } from './keep-option.js';

export type RetentionOptions = RetentionRule;

export const RETENTION_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--keep <age>',
    description:
      'delete backups that are older: 30d, 8w, 6mo; or the last of each of so many days, weeks, months and years, and delete the others: 7d,5w,12m,3y',
    default: '30d',
    parse: keepOption,
  },
  {
    flags: '--keep-last <n>',
    description: 'always keep the newest n verified backups, whatever their age',
    default: '3',
    parse: countOption(1),
  },
];

export interface CopyOptions {
  readonly readBack: boolean;
  readonly retry: number;
}

/** What making a copy in a store understands. */
export const COPY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--read-back', description: 'with --store: download the copy again and compare it' },
  {
    flags: '--retry <duration>',
    description: 'with --store: how long a copy is tried again while the store does not answer; 0: once',
    default: '10m',
    parse: durationOption,
  },
];

export const TIMEOUT_OPTION: OptionSpec = {
  flags: '--timeout <duration>',
  description: 'the longest the whole command may take; 0: no limit',
  default: '12h',
  parse: durationOption,
};

export const DUMP_JOBS_OPTION: OptionSpec = {
  flags: '--jobs <n>',
  description:
    'tables dumped at once, each in a connection of its own beside the first; faster where server and client have more than two cores and there are several large tables',
  default: '1',
  parse: countOption(1),
};

const REASONS: Readonly<Record<KeptByRule['reason'], string>> = {
  pinned: 'kept: pinned',
  future: 'kept: dated in the future',
  young: 'kept: young',
  place: 'kept',
  last: 'kept: one of the last',
  unverified: 'kept: not verified, and young',
  partial: 'kept: partial, and young',
};

/** Why a backup stays, and the places it fills: `kept: day 2026-11-25, week 2026-W48`. */
export function keptText({ reason, places }: Pick<KeptByRule, 'reason' | 'places'>): string {
  const filled = places.map(({ unit, period }) => `${unit} ${period}`).join(', ');
  return filled === '' ? REASONS[reason] : `${REASONS[reason]}${reason === 'place' ? ':' : ','} ${filled}`;
}
