import { notSeen } from './inspection/skip.js';
import type { Finding } from '../../base/finding.js';
import type { ReportHeader } from './inspection/report-header.js';
import { quoteIdentifier } from '../../base/identifier.js';

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
