import type { Finding } from '../../../base/finding.js';

/**
 * Something that an inspection could not see. It is never the same as having found nothing.
 *
 * @param object what it is about: a report, a check, a column
 * @param fix the statement or the command that would allow it; null when nothing would
 */
export function notSeen(object: string, message: string, fix: string | null): Finding {
  return { id: `not-seen:${object}`, severity: 'notice', object, message, impact: 'this report leaves it out', fix };
}
