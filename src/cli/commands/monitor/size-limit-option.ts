import { parseBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import type { OptionSpec } from '../../command.js';

/** A number alone could be meant as gigabytes. @throws AisecError USAGE. */
function sizeOption(text: string): number {
  const bytes = /[a-z]/i.test(text) ? parseBytes(text) : undefined;
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new AisecError('USAGE', `invalid size "${text}"`, {
    hint: 'Give a number with a unit of 1024: 800MB, 500GB, 2TB.',
  });
}

export const SIZE_LIMIT_OPTION: OptionSpec = {
  flags: '--size-limit <size>',
  description: 'size of the whole database to forecast the day of, such as 500GB',
  parse: sizeOption,
};
