import { statementRule } from '../rule.js';

/** Found where the ignores are applied, when all other findings are known. */
export const UNUSED_IGNORE = statementRule({
  id: 'unused-ignore',
  severity: 'warning',
  title: 'an aisec-ignore comment that does nothing',
  impact:
    'It names a rule that there is not, has no reason, has expired, or stands where its rule finds nothing: the next reader takes the statement for a known exception.',
  example: {
    bad: '-- aisec-ignore drop: the old table\ncreate table invoices (id bigint primary key);',
    good: 'create table invoices (id bigint primary key);',
  },
  check: () => [],
});
