import { below, type NodeOf } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type Fault, type LintedStatement } from '../../rule.js';
import { typeName, typeText } from '../parts.js';

/** Columns that a statement defines, in a new table or an old one. */
function definedColumns(statement: LintedStatement): readonly NodeOf<'ColumnDef'>[] {
  if (statement.node !== 'CreateStmt' && statement.node !== 'AlterTableStmt') return [];
  return below('ColumnDef', statement.tree).filter((column) => column.typeName !== undefined);
}

function columnsOfType(
  statement: LintedStatement,
  type: string,
  better: (column: NodeOf<'ColumnDef'>) => string,
  written: RegExp,
): readonly Fault[] {
  return definedColumns(statement)
    .filter(({ typeName: given }) => typeName(given) === type)
    .map((column) => {
      const name = nameInSql(column.colname ?? '');
      const said = column.colname === undefined ? 'a column' : `column ${name}`;
      return {
        object: column.colname ?? type,
        message: `${said} is ${typeText(column.typeName).replace('bpchar', 'char')}; use ${better(column)}`,
        fix: [{ sql: `${statement.text.replace(written, better(column))};` }],
      };
    });
}

export const jsonColumn = statementRule({
  id: 'json-column',
  severity: 'warning',
  title: 'a column of type json',
  impact:
    'json has no equality, so DISTINCT, GROUP BY and UNION over the column fail, and no GIN index serves it. The schema has jsonb everywhere.',
  example: {
    bad: 'create table invoices (id bigint primary key, details json);',
    good: 'create table invoices (id bigint primary key, details jsonb);',
  },
  check: (statement) => columnsOfType(statement, 'json', () => 'jsonb', /\bjson\b/gi),
});

export const charColumn = statementRule({
  id: 'char-column',
  severity: 'warning',
  title: 'a column of type char(n)',
  impact:
    'Values are padded with blanks up to n, which count in length() and get lost in comparisons. It saves nothing.',
  example: {
    bad: 'create table invoices (id bigint primary key, country char(2));',
    good: 'create table invoices (id bigint primary key, country varchar(2));',
  },
  check: (statement) =>
    columnsOfType(
      statement,
      'bpchar',
      (column) => `varchar${/\(.*$/.exec(typeText(column.typeName))?.[0] ?? '(1)'}`,
      /\b(?:char|character|bpchar)\b\s*(?:\(\s*\d+\s*\))?(?!\s*varying)/gi,
    ),
});

export const timestampWithoutTimeZone = statementRule({
  id: 'timestamp-without-time-zone',
  severity: 'warning',
  title: 'a column of type timestamp without time zone',
  impact:
    'The value means another moment for each session, as its TimeZone says. The schema has timestamptz everywhere.',
  example: {
    bad: 'create table invoices (id bigint primary key, paid_at timestamp);',
    good: 'create table invoices (id bigint primary key, paid_at timestamptz);',
  },
  check: (statement) =>
    columnsOfType(
      statement,
      'timestamp',
      () => 'timestamptz',
      /\btimestamp\b(?:\s*\(\s*\d\s*\))?(?:\s+without\s+time\s+zone)?/gi,
    ),
});
