import { all, as, statementOf, walk } from '../../../../../adapters/sql-parser/nodes.js';
import { boundedName, cutName } from '../../../../../base/bounded-name.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type LintedStatement } from '../../rule.js';

const MOST_BYTES = 63;
/** `_y2026m09` of a partition. */
const MONTH_BYTES = 9;
const SYSTEM = new Set(['pg_catalog', 'information_schema', 'pg_temp', 'pg_toast']);
const MAKING = /^(?:create|alter)\b/i;

/** Names that a statement writes, as long as they are written: the server cuts them without an error. */
function writtenNames(statement: LintedStatement): readonly string[] {
  const names: string[] = [];
  for (const match of statement.text.matchAll(
    /"((?:[^"]|"")+)"|'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\2\$|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/g,
  ))
    names.push(match[1] ?? match[3] ?? '');
  return names;
}

export const longIdentifier = statementRule({
  id: 'long-identifier',
  severity: 'warning',
  title: 'a name longer than 63 bytes',
  impact:
    'PostgreSQL cuts it without an error: the object has another name than the file says, and a later DROP or RENAME of the full name meets the cut one. An index of a partitioned table needs 9 bytes more for the month.',
  example: {
    bad: `create table ${'a'.repeat(64)} (id bigint primary key);`,
    good: `create table ${'a'.repeat(63)} (id bigint primary key);`,
  },
  check: (statement) => {
    if (!MAKING.test(statement.text) || statement.node === 'CreateFunctionStmt' || statement.isNested) return [];
    const long = [...new Set(writtenNames(statement))].filter((name) => Buffer.byteLength(name) > MOST_BYTES);
    return long.map((name) => {
      const cut = cutName(name);
      return {
        object: name,
        message: `${nameInSql(name)} has ${Buffer.byteLength(name)} bytes, and becomes ${nameInSql(cut)}`,
        fix: [{ sql: `${statement.text.replaceAll(name, cut)};` }],
      };
    });
  },
});

export const partitionedIndexName = statementRule({
  id: 'long-partitioned-index-name',
  severity: 'warning',
  title: 'an index of a partitioned table whose name leaves no room for the month',
  impact: 'The indexes of the months are named after it with the month behind, which would be cut off.',
  example: {
    before: 'create table events (id bigint, at timestamptz) partition by range (at);',
    bad: `create index ${'i'.repeat(60)} on only events (id);`,
    good: 'create index idx_events_id on only events (id);',
  },
  check: (statement, { existing }) => {
    const index = statementOf('IndexStmt', statement);
    const name = index?.idxname ?? '';
    if (existing(index?.relation)?.kind !== 'p' || Buffer.byteLength(name) + MONTH_BYTES <= MOST_BYTES) return [];
    const short = cutName(name, MONTH_BYTES);
    return {
      object: name,
      message: `${nameInSql(name)} has ${Buffer.byteLength(name)} bytes, and the name of a month needs ${MONTH_BYTES} more`,
      fix: [{ sql: `${statement.text.replaceAll(name, short)};` }],
    };
  },
});

export const qualifiedName = statementRule({
  id: 'qualified-name',
  severity: 'warning',
  title: 'a name with its schema in a migration',
  impact:
    'The migration works in one schema only: `--schema app`, a test in a schema of its own and a second installation meet the wrong tables. Names without a schema are found by the search_path that aisec sets.',
  example: {
    bad: 'create table public.invoices (id bigint primary key);',
    good: 'create table invoices (id bigint primary key);',
  },
  check: (statement) => {
    const schemas = new Set<string>();
    walk({ [statement.node]: statement.tree }, (name, tree) => {
      const range = name === 'RangeVar' ? as('RangeVar', { RangeVar: tree }) : undefined;
      const schema =
        range?.schemaname ?? (tree['relation'] as { readonly schemaname?: string } | undefined)?.schemaname;
      if (schema !== undefined && !SYSTEM.has(schema) && !schema.startsWith('%')) schemas.add(schema);
    });
    return [...schemas].map((schema) => ({
      object: schema,
      message: `the schema ${nameInSql(schema)} is written out`,
      fix: [{ sql: `${statement.text.replaceAll(new RegExp(`"?\\b${schema}\\b"?\\.`, 'g'), '')};` }],
    }));
  },
});

export const indexName = statementRule({
  id: 'index-name',
  severity: 'notice',
  title: 'an index whose name does not begin with idx_',
  impact: 'The schema names its indexes idx_TABLE_COLUMNS; a name chosen by the server changes with the columns.',
  example: {
    bad: 'create table invoices (id bigint primary key, status text);\ncreate index on invoices (status);',
    good: 'create table invoices (id bigint primary key, status text);\ncreate index idx_invoices_status on invoices (status);',
  },
  check: (statement, { existing }) => {
    const index = statementOf('IndexStmt', statement);
    if (index === undefined || index.unique === true) return [];
    const name = index.idxname;
    const table = index.relation?.relname ?? '';
    // The parts of a partitioned index are named after their partition.
    if (
      name?.startsWith('idx_') === true ||
      name?.includes('_idx_') === true ||
      (existing(index.relation)?.parent ?? null) !== null
    )
      return [];
    const columns = all('IndexElem', index.indexParams).flatMap((part) => part.name ?? []);
    const better = nameInSql(boundedName(['idx', table, ...columns].join('_')));
    const written =
      name === undefined ? /\bindex\s+(concurrently\s+)?on\b/i : new RegExp(`"?\\b${name}\\b"?\\s+on\\b`, 'i');
    return {
      object: name ?? table,
      message:
        name === undefined
          ? `an index of ${nameInSql(table)} has no name`
          : `index ${nameInSql(name)} is not named idx_…`,
      fix: [
        {
          sql: `${statement.text.replace(written, (text) => (name === undefined ? text.replace(/\bon$/i, `${better} on`) : `${better} on`))};`,
          ...(index.concurrent === true && { isOutsideTransaction: true as const }),
        },
      ],
    };
  },
});
