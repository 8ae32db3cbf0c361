import { isConcurrent } from '../../../../../adapters/sql-parser/concurrent.js';
import { statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { boundedName } from '../../../../../base/bounded-name.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { droppedRelations } from '../../relation-names.js';
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

export const concurrentIfNotExists = statementRule({
  id: 'concurrent-if-not-exists',
  severity: 'warning',
  title: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS',
  impact:
    'A build that was stopped leaves an INVALID index of that name, which counts as there: the migration succeeds, and no query uses the index. `aisec migrate up` rebuilds an INVALID index by itself, without IF NOT EXISTS.',
  example: {
    before: 'create table invoices (id bigint primary key, status text);',
    bad: 'create index concurrently if not exists idx_invoices_status on invoices (status);',
    isBadOutside: true,
    good: 'create index concurrently idx_invoices_status on invoices (status);',
    isGoodOutside: true,
  },
  check: (statement) => {
    const index = statementOf('IndexStmt', statement);
    if (index?.concurrent !== true || index.if_not_exists !== true) return [];
    const text = statement.text.replace(/\bif\s+not\s+exists\s+/i, '');
    const name = index.idxname ?? '';
    return {
      object: name,
      message: `IF NOT EXISTS hides an INVALID index ${nameInSql(name)}`,
      fix: [{ sql: `${text};`, isOutsideTransaction: true }],
    };
  },
});

export const dropIndexNotConcurrent = statementRule({
  id: 'drop-index-not-concurrent',
  severity: 'warning',
  title: 'DROP INDEX on a table in use, without CONCURRENTLY',
  impact:
    'It takes an ACCESS EXCLUSIVE lock on the table: reads and writes wait for it, and it waits for the longest query, until the transaction ends.',
  example: {
    before:
      'create table invoices (id bigint primary key, status text); create index idx_invoices_status on invoices (status);',
    bad: 'drop index idx_invoices_status;',
    good: 'drop index concurrently idx_invoices_status;',
    isGoodOutside: true,
  },
  check: (statement, { existing }) => {
    const drop = statementOf('DropStmt', statement);
    if (drop?.removeType !== 'OBJECT_INDEX' || drop.concurrent === true) return [];
    return droppedRelations(statement).flatMap((name) => {
      const index = existing(name);
      // The index of a partitioned table, and those attached to it, take no CONCURRENTLY.
      if (index === undefined || index.kind === 'I' || index.parent !== null) return [];
      return {
        object: index.name,
        message: `index ${index.sqlName} of ${index.indexedTable ?? 'its table'} is dropped without CONCURRENTLY`,
        fix: [{ sql: `drop index concurrently ${index.sqlName};`, isOutsideTransaction: true }],
      };
    });
  },
});

export const reindexNotConcurrent = statementRule({
  id: 'reindex-not-concurrent',
  severity: 'warning',
  title: 'REINDEX without CONCURRENTLY',
  impact: 'Writes to the table wait until it ends, and reads that would use the index wait, too.',
  example: {
    before:
      'create table invoices (id bigint primary key, status text); create index idx_invoices_status on invoices (status);',
    bad: 'reindex index idx_invoices_status;',
    good: 'reindex index concurrently idx_invoices_status;',
    isGoodOutside: true,
  },
  check: (statement, { existing }) => {
    const reindex = statementOf('ReindexStmt', statement);
    if (reindex === undefined || isConcurrent(statement)) return [];
    const relation = existing(reindex.relation);
    if (reindex.relation !== undefined && relation === undefined) return [];
    const object = relation?.sqlName ?? reindex.name ?? 'the schema';
    const text = statement.text.replace(
      /^(reindex\s*(?:\([^)]*\)\s*)?(?:index|table|schema|database|system))\b/i,
      '$1 concurrently',
    );
    return {
      object,
      message: `${object} is rebuilt without CONCURRENTLY`,
      fix: [{ sql: `${text};`, isOutsideTransaction: true }],
    };
  },
});
