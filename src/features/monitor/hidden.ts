import type { Circumstances } from './inspection/circumstances.js';
import type { Skip } from './inspection/skip.js';
import { quoteIdentifier } from '../../base/identifier.js';

/** What is not told about sessions or queries of other roles; nothing when all was seen. */
export function hiddenSkip(what: string, hidden: number, { role }: Pick<Circumstances, 'role'>): readonly Skip[] {
  if (hidden === 0) return [];
  return [
    {
      what,
      reason: `role ${quoteIdentifier(role)} may not see what ${hidden} of other roles do`,
      fix: `grant pg_read_all_stats to ${quoteIdentifier(role)};`,
    },
  ];
}
