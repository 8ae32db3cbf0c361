import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import type { Report } from '../../../features/monitor/report.js';
import { countOption } from '../../options.js';
import type { Output } from '../../terminal/output.js';

/** `+12 MB`, `-3.4 kB`, `0 bytes`. */
export function changeText(bytes: number): string {
  if (bytes === 0) return formatBytes(0);
  return `${bytes > 0 ? '+' : '-'}${formatBytes(Math.abs(bytes))}`;
}

/** What a report could not see is no result; it is said all the same. */
export function skipNotes(skipped: Report['skipped']): readonly string[] {
  return skipped.map(
    ({ object, message, fix }) => `skipped: ${object}: ${message}${fix === null ? '' : `. To see it: ${fix}`}`,
  );
}

export function warnOfSkips(output: Output, skipped: Report['skipped']): void {
  for (const note of skipNotes(skipped)) output.warning(note);
}

/** A whole number of a range. @throws AisecError USAGE. */
export function countWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = countOption(least)(text);
    if (count <= most) return count;
    throw new AisecError('USAGE', `"${text}" is more than ${most}`, { hint: 'See --help.' });
  };
}
