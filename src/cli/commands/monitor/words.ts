import { formatBytes } from '../../../base/bytes.js';
import type { Report } from '../../../features/monitor/report.js';
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
