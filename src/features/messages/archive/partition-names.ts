import type { Month } from '../../../base/month.js';

const suffix = (month: Month): string => `y${month.replace('-', 'm')}`;

/** The name archive_message_partition gives a month. */
export function archivedName(month: Month): string {
  return `messages_archive_${suffix(month)}`;
}

/** The name restore_message_partition gives a month. */
export function liveName(month: Month): string {
  return `messages_${suffix(month)}`;
}
