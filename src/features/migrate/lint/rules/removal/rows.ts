import { all, as, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { ignoring } from '../../fix.js';
import { statementRule } from '../../rule.js';
import { rowsText } from '../parts.js';

export const writeWithoutWhere = statementRule({
  id: 'write-without-where',
  severity: 'warning',
  title: 'UPDATE or DELETE of all rows of a table in use',
  impact:
    'Every row is locked until the transaction ends, the table doubles in size, and replicas fall behind. Write in batches of some thousand rows, each in its own transaction.',
  example: {
    before: 'create table invoices (id bigint primary key, status text);',
    bad: "update invoices set status = 'open';",
    good: "update invoices set status = 'open' where id between 1 and 5000;",
  },
  check: (statement, { existing }) => {
    const write = statementOf('UpdateStmt', statement) ?? statementOf('DeleteStmt', statement);
    const table = existing(write?.relation);
    if (write === undefined || table === undefined || write.whereClause !== undefined) return [];
    const verb = statement.node === 'UpdateStmt' ? 'UPDATE' : 'DELETE';
    return {
      object: table.name,
      message: `${verb} writes every row of ${table.sqlName}${rowsText(table)}`,
      fix: ignoring('write-without-where', 'the table has a few rows only', statement.text),
    };
  },
});

export const duplicateAssignment = statementRule({
  id: 'assignment-of-itself',
  severity: 'warning',
  title: 'UPDATE that sets a column to itself',
  impact: 'The row is written and the value stays: most likely another column was meant.',
  example: {
    before: 'create table invoices (id bigint primary key, status text, state text);',
    bad: 'update invoices set status = status where id < 100;',
    good: 'update invoices set status = state where id < 100;',
  },
  check: (statement) =>
    all('ResTarget', statementOf('UpdateStmt', statement)?.targetList).flatMap(({ name = '', val }) => {
      const fields = all('String', as('ColumnRef', val)?.fields);
      if (fields.length !== 1 || fields[0]?.sval !== name) return [];
      return {
        object: name,
        message: `column ${nameInSql(name)} is set to itself`,
        fix: ignoring('assignment-of-itself', 'its triggers are meant to run', statement.text),
      };
    }),
});
