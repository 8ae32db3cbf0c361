import type { Finding } from '../../../base/finding.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { ReportHeader } from './report-header.js';

/**
 * Something that an inspection could not see. It is never the same as having found nothing.
 *
 * @param object what it is about: a report, a check, a column
 * @param fix the statement or the command that would allow it; null when nothing would
 */
export function notSeen(object: string, message: string, fix: string | null): Finding {
  return { id: `not-seen:${object}`, severity: 'notice', object, message, impact: 'this report leaves it out', fix };
}

/** What is hidden of sessions or queries of other roles; nothing when all was seen. */
export function hiddenSkip(what: string, hidden: number, { role }: Pick<ReportHeader, 'role'>): readonly Finding[] {
  if (hidden === 0) return [];
  return [
    notSeen(
      what,
      `role ${quoteIdentifier(role)} may not see what ${hidden} of other roles do`,
      `grant pg_read_all_stats to ${quoteIdentifier(role)};`,
    ),
  ];
}
