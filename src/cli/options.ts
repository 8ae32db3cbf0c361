import { parseAge, type Age } from '../base/age.js';
import { parseDurationMs } from '../base/duration.js';
import { AisecError } from '../base/errors.js';
import { parseMonth, type Month } from '../base/month.js';

/** One option of a command, as data. */
export interface OptionSpec {
  /** As commander takes it: `--lock-timeout <duration>`. */
  readonly flags: string;
  readonly description: string;
  /** Of an option with a value; one without is false until it is given. */
  readonly default?: string;
  /** Reads the text; throws AisecError USAGE for what cannot be read. */
  readonly parse?: (text: string) => unknown;
  /** Makes no sense where several schemas are chosen: what it does is for one, or goes to a terminal. */
  readonly isForOneSchema?: true;
  /** All that `parse` takes, for completion. */
  readonly values?: readonly string[];
  /** May be given several times; the command gets a list. */
  readonly isRepeatable?: true;
}

/** Reads `2s`, `500ms`, `5m`. @throws AisecError USAGE. */
export function durationOption(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined) return durationMs;
  throw new AisecError('USAGE', `invalid duration "${text}"`, {
    hint: 'Give a number with a unit: 500ms, 2s, 5m (minutes), 1h, 30d, 2w.',
  });
}

/** Reads a whole number from `least` to `most`. @throws AisecError USAGE. */
export function countOption(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new AisecError('USAGE', `invalid value "${text}": expected a whole number from ${least} on`, {
        hint: 'See --help.',
      });
    if (value <= most) return value;
    throw new AisecError('USAGE', `"${text}" is more than ${most}`, { hint: 'See --help.' });
  };
}

/**
 * Reads one of these words. @throws AisecError USAGE.
 *
 * @param what it is one of, for the error: `format`
 */
export function choiceOption<Choice extends string>(
  choices: readonly Choice[],
  what: string,
  { expected = '', hint }: { readonly expected?: string; readonly hint?: string },
): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((each) => each === text);
    if (choice !== undefined) return choice;
    throw new AisecError('USAGE', `invalid ${what} "${text}"${expected}`, { hint });
  };
}

const LARGEST_PORT = 65_535;

/** Reads `5433`; 0 is any that is free. @throws AisecError USAGE. */
function portOption(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= LARGEST_PORT) return port;
  throw new AisecError('USAGE', `invalid port "${text}": expected a number from 0 to ${LARGEST_PORT}`, {
    hint: 'Give 0 for any that is free.',
  });
}

/** Of what serves on this machine. */
export function portOptionSpec(preset: string): OptionSpec {
  return {
    flags: '--port <n>',
    description: 'port of 127.0.0.1 to serve on; 0: any that is free',
    default: preset,
    parse: portOption,
  };
}

/** Reads `a,b`: names with commas between them. */
export function listOption(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Reads `6mo`, `3y`, `90d`. @throws AisecError USAGE. */
export function ageOption(text: string): Age {
  const age = parseAge(text);
  if (age !== undefined) return age;
  throw new AisecError('USAGE', `invalid age "${text}"`, {
    hint: 'Give a number with a unit of days or more: 90d, 26w, 6mo (months), 3y.',
  });
}

/** Reads `2026-11`. @throws AisecError USAGE. */
export function monthOption(text: string): Month {
  const month = parseMonth(text);
  if (month !== undefined) return month;
  throw new AisecError('USAGE', `invalid month "${text}"`, { hint: 'Give year and month: 2026-01.' });
}

/** What every command that changes the schema understands. */
export interface LockOptions {
  readonly lockTimeout: number;
  readonly maxWait: number;
  readonly wait: number;
}

/** The same as the work takes it. */
export function lockTimes({ lockTimeout, maxWait, wait }: LockOptions) {
  return { lockTimeoutMs: lockTimeout, maxWaitMs: maxWait, waitMs: wait };
}

/** What every command that changes the database understands: one run at a time works, the next one may wait for it. */
export const WAIT_OPTION: OptionSpec = {
  flags: '--wait <duration>',
  description: 'how long to wait for another run of aisec',
  default: '0',
  parse: durationOption,
};

/** @param preset the default: what a queue behind the statement may cost */
export function lockTimeoutOption(preset: string): OptionSpec {
  return {
    flags: '--lock-timeout <duration>',
    description: 'the longest one statement waits for a lock; 0: no limit',
    default: preset,
    parse: durationOption,
  };
}

/** One for the whole command, not for each statement. */
export const MAX_WAIT_OPTION: OptionSpec = {
  flags: '--max-wait <duration>',
  description: 'the longest the command keeps retrying for locks in all; writers never wait that long',
  default: '30s',
  parse: durationOption,
};

export const LOCK_OPTIONS: readonly OptionSpec[] = [lockTimeoutOption('2s'), MAX_WAIT_OPTION, WAIT_OPTION];

/** Of every command that runs in each of several schemas. */
export const JOBS_OPTION: OptionSpec = {
  flags: '--jobs <n>',
  description: 'with several schemas (--schema): how many are worked on at once',
  default: '2',
  parse: countOption(1),
};

export const IDENTITY_OPTION: OptionSpec = {
  flags: '--identity <file>',
  description: 'file with the secret keys of age, for an encrypted backup',
};

export const ENCRYPT_OPTION: OptionSpec = {
  flags: '--encrypt-to <keys>',
  description: 'encrypt to these public keys of age (age1…, several with commas)',
  parse: (text) => text.split(','),
};

export const RECIPIENTS_OPTION: OptionSpec = {
  flags: '--recipients-file <file>',
  description: 'encrypt to the public keys in this file, one a line, as age -R takes it',
};

export const RESTORE_JOBS_OPTION: OptionSpec = {
  flags: '--jobs <n>',
  description:
    'tables and indexes restored at once (default: the cores of a server on this machine, at most 4; else 1)',
  parse: countOption(1),
};

/** Of what restores a backup into a database that is dropped again. */
export const SCRATCH_RESTORE_OPTIONS: readonly OptionSpec[] = [
  IDENTITY_OPTION,
  { flags: '--no-owner', description: 'leave owners out, on a server without its roles' },
  { flags: '--no-privileges', description: 'leave grants out' },
  RESTORE_JOBS_OPTION,
];
