import { UNREAD_NODE } from '../../read-statements.js';
import { statementRule } from '../../rule.js';

export const partitionMerge = statementRule({
  id: 'partition-merge-split',
  severity: 'warning',
  title: 'MERGE PARTITIONS or SPLIT PARTITION (PostgreSQL 19)',
  impact:
    'It holds an ACCESS EXCLUSIVE lock on the partitioned table while it copies every row of the partitions: reads and writes of all of it wait. The parser of PostgreSQL 18 cannot read the statement, so no other rule looks at it, and it is counted as not analysed.',
  example: {
    before:
      "create table events (id bigint, at date) partition by range (at);\ncreate table events_q1 partition of events for values from ('2026-01-01') to ('2026-04-01');\ncreate table events_q2 partition of events for values from ('2026-04-01') to ('2026-07-01');",
    bad: 'alter table events merge partitions (events_q1, events_q2) into events_h1;',
    isUnreadable: true,
    good: "create table events_h1 (like events including all);\ninsert into events_h1 (id, at) select id, at from events where at < '2026-07-01';",
  },
  check: ({ node, text }) => {
    if (node !== UNREAD_NODE) return [];
    const [, table = '', verb = ''] =
      /^alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?(\S+)\s+(merge|split)/i.exec(text) ?? [];
    return {
      object: table,
      message: `${verb.toUpperCase()} of partitions of ${table} copies their rows while reads and writes of ${table} wait`,
      fix: null,
    };
  },
});
