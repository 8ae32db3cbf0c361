import { countText, formatCount } from '../../../base/count.js';
import { inSql, readFamilies, type Family } from '../../monitor/checks.js';
import type { Check, Fault } from '../check.js';

/** From how many rows on a share of them is too many to wait for; a vector index suffers sooner. */
const LARGE_ROWS = 1_000_000;
const LARGE_KNOWLEDGE_ROWS = 100_000;
/** Of a table that autovacuum visits after this share of dead rows or less, nothing need be said. */
const EARLY_SHARE = 0.1;

const REASONS: Readonly<Record<string, string>> = {
  knowledge_base:
    'until then a vector search reads dead entries of its index, too, and the vacuum that comes then has to repair the whole index at once',
  messages: 'until then reading a conversation reads dead rows, too, and the vacuum that comes then is a long one',
};
const OTHERWISE = 'until then queries read dead rows, too, and the vacuum that comes then is a long one';

function faultOf({ root, leaves }: Family): readonly Fault[] {
  const least = root.table_name === 'knowledge_base' ? LARGE_KNOWLEDGE_ROWS : LARGE_ROWS;
  const large = leaves.filter((row) => {
    const rows = Number(row.estimated_rows ?? 0);
    return rows >= least && !row.has_own_settings && Number(row.vacuum_after_rows) > rows * EARLY_SHARE;
  });
  const [first] = large.toSorted((one, other) => Number(other.estimated_rows) - Number(one.estimated_rows));
  if (first === undefined) return [];
  const which = root.is_partitioned
    ? `${countText(large.length, 'partition')} of ${root.identifier} (the largest: ${first.identifier})`
    : root.identifier;
  return [
    {
      object: root.identifier,
      message: `autovacuum comes to ${which} after ${formatCount(Number(first.vacuum_after_rows))} dead rows of ${formatCount(Number(first.estimated_rows))}`,
      impact: `${REASONS[root.table_name] ?? OTHERWISE}; with a smaller share it comes more often and is done sooner`,
      fix: large
        .map(
          (row) =>
            `alter table ${inSql(row)} set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);`,
        )
        .join('\n'),
    },
  ];
}

export const VACUUM_CHECKS: readonly Check[] = [
  {
    id: 'vacuum-settings',
    area: 'vacuum',
    severity: 'notice',
    title: 'large tables and partitions that autovacuum visits only after a fifth of their rows are dead',
    examine: async (subject) => (await subject.once(readFamilies)).flatMap(faultOf),
  },
];
