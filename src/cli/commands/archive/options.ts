import { parseAge, type Age } from '../../../base/age.js';
import { AisecError } from '../../../base/errors.js';
import type { OptionSpec } from '../../command.js';
import { durationOption, WAIT_OPTION } from '../../options.js';

/** Reads `6mo`, `3y`, `90d`. @throws AisecError USAGE. */
export function ageOption(text: string): Age {
  const age = parseAge(text);
  if (age !== undefined) return age;
  throw new AisecError('USAGE', `invalid age "${text}"`, { hint: 'Give a number with a unit: 6mo, 3y, 26w, 90d.' });
}

export interface LockWaits {
  readonly maxWait: number;
  readonly wait: number;
}

/** What every command that moves a whole month understands. */
export const LOCK_WAITS: readonly OptionSpec[] = [
  {
    flags: '--max-wait <duration>',
    description: 'how long the command keeps retrying for locks in all; writers never wait that long',
    default: '30s',
    parse: durationOption,
  },
  WAIT_OPTION,
];
