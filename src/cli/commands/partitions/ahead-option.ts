import { AisecError } from '../../../base/errors.js';

const MOST_AHEAD = 120;

/** Reads a number of months ahead, as many as the database's own function takes. @throws AisecError USAGE. */
export function aheadOption(text: string): number {
  const months = Number(text);
  if (/^\d+$/.test(text) && months <= MOST_AHEAD) return months;
  throw new AisecError('USAGE', `invalid number of months "${text}": expected 0 to ${MOST_AHEAD}`, {
    hint: 'See --help.',
  });
}
