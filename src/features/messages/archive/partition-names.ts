import type { Month } from '../../../base/month.js';

const suffix = (month: Month): string => `y${month.replace('-', 'm')}`;

/** The name that a month has in the archive. */
export function archivedName(month: Month): string {
  return `messages_archive_${suffix(month)}`;
}

/** The name that a month has in messages. */
export function liveName(month: Month): string {
  return `messages_${suffix(month)}`;
}
