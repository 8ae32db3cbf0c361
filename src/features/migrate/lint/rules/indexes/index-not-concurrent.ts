import { statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { boundedName } from '../../../../../base/bounded-name.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type FixStep, type LintedStatement, type RelationFacts } from '../../rule.js';
import { oneLine, rowsText } from '../parts.js';

/** What stands behind the table: `(role)`, `using gin (tags) where …`. */
function definition(text: string): string {
  return oneLine(/\bon\s+(?:only\s+)?(?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?\s*([\s\S]*)$/i.exec(text)?.[1] ?? '');
}

/** https://www.postgresql.org/docs/17/sql-createindex.html: a partitioned table takes no CONCURRENTLY, its parts do. */
export function partitionedRecipe(
  { sqlName, partitions }: RelationFacts,
  index: string,
  rest: string,
  isUnique: boolean,
): readonly FixStep[] {
  const create = isUnique ? 'create unique index' : 'create index';
  const own = nameInSql(index);
  const parts = partitions.map((partition) => ({
    partition,
    name: nameInSql(boundedName(`${partition.replaceAll('"', '').split('.').at(-1) ?? ''}_${index}`)),
  }));
  return [
    { sql: `${create} ${own} on only ${sqlName} ${rest};` },
    {
      sql: [
        ...parts.map(({ partition, name }) => `${create} concurrently ${name} on ${partition} ${rest};`),
        ...parts.map(({ name }) => `alter index ${own} attach partition ${name};`),
      ].join('\n'),
      isOutsideTransaction: true,
    },
  ];
}

function fixFor(
  statement: LintedStatement,
  table: RelationFacts,
  index: string,
  isUnique: boolean,
): readonly FixStep[] {
  if (table.kind === 'p') return partitionedRecipe(table, index, definition(statement.text), isUnique);
  const text = statement.text.replace(
    /^(create\s+(?:unique\s+)?index)\b(?:\s+if\s+not\s+exists\b)?/i,
    '$1 concurrently',
  );
  return [{ sql: `${text};`, isOutsideTransaction: true }];
}

export const indexNotConcurrent = statementRule({
  id: 'index-not-concurrent',
  severity: 'warning',
  title: 'CREATE INDEX on a table in use, without CONCURRENTLY',
  impact:
    'The build holds a SHARE lock: every insert, update and delete of the table waits until the transaction ends, minutes on a large table.',
  example: {
    before: 'create table invoices (id bigint primary key, status text);',
    bad: 'create index idx_invoices_status on invoices (status);',
    good: 'create index concurrently idx_invoices_status on invoices (status);',
    isGoodOutside: true,
  },
  check: (statement, { existing }) => {
    const index = statementOf('IndexStmt', statement);
    const table = existing(index?.relation);
    if (index === undefined || table === undefined || index.concurrent === true) return [];
    // ON ONLY a partitioned table builds nothing: the recipe begins with it.
    if (table.kind === 'p' && index.relation?.inh !== true) return [];
    const name = index.idxname ?? `idx_${table.name}_new`;
    const why =
      table.kind === 'p'
        ? `index ${nameInSql(name)} is built on the partitioned table ${table.sqlName}${rowsText(table)}, which takes no CONCURRENTLY: build it on each partition`
        : `index ${nameInSql(name)} is built on ${table.sqlName}${rowsText(table)} without CONCURRENTLY`;
    return [{ object: name, message: why, fix: fixFor(statement, table, name, index.unique === true) }];
  },
});
