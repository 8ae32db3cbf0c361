import { as } from '../../../../../adapters/sql-parser/nodes.js';
import { boundedName } from '../../../../../base/bounded-name.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, UNREAD_NODE, type FixStep, type RelationFacts } from '../../rule.js';
import { alterations, oneLine, rowsText } from '../parts.js';

/** `from (…) to (…)` as a check on the column: only for one column, which all of ours have. */
function boundCheck(text: string, column: string): string | undefined {
  const bound = /\bfor\s+values\s+from\s*\(([^,]+)\)\s+to\s*\(([^,]+)\)/i.exec(text);
  if (bound?.[1] === undefined || bound[2] === undefined) return undefined;
  return `check (${column} is not null and ${column} >= ${bound[1].trim()} and ${column} < ${bound[2].trim()})`;
}

function steps(part: RelationFacts, text: string, column: string): readonly FixStep[] | null {
  const check = boundCheck(oneLine(text), nameInSql(column));
  if (check === undefined) return null;
  const name = nameInSql(boundedName(`${part.name}_bound`));
  return [
    { sql: `alter table ${part.sqlName} add constraint ${name} ${check} not valid;` },
    { sql: `alter table ${part.sqlName} validate constraint ${name};` },
    { sql: `${oneLine(text)};` },
  ];
}

export const attachPartition = statementRule({
  id: 'attach-without-check',
  severity: 'warning',
  title: 'ATTACH PARTITION of a table without a check that equals its bounds',
  impact:
    'Every row of the new partition is read under an ACCESS EXCLUSIVE lock on it, and, where there is a default partition, every row of that one. A validated check of the bounds spares it.',
  example: {
    before:
      'create table events (id bigint, at timestamptz not null) partition by range (at); create table events_2026 (id bigint, at timestamptz not null);',
    bad: "alter table events attach partition events_2026 for values from ('2026-01-01') to ('2027-01-01');",
    good: "alter table events_2026 add constraint events_2026_bound check (at is not null and at >= '2026-01-01' and at < '2027-01-01') not valid;",
  },
  check: (statement, { existing, effects }) =>
    alterations(statement, 'AT_AttachPartition').flatMap(({ command }) => {
      const part = existing(as('PartitionCmd', command.def)?.name);
      if (part === undefined || part.kind === 'I' || part.kind === 'i') return [];
      if (effects !== undefined && !effects.scanned.includes(part.sqlName)) return [];
      const column =
        part.columns.find(({ type }) => /^(?:timestamp|date)/.test(type))?.name ?? part.columns[0]?.name ?? '';
      return {
        object: part.name,
        message: `every row of ${part.sqlName}${rowsText(part)} is read while it is attached`,
        fix: steps(part, statement.text, column),
      };
    }),
});

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
