import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule } from '../../rule.js';
import { addedColumns, constraintsOf, rowsText, typeText } from '../parts.js';

export const addColumnNotNull = statementRule({
  id: 'add-column-not-null',
  severity: 'critical',
  title: 'ADD COLUMN NOT NULL without a default',
  impact: 'It fails as soon as the table has a row, and services that do not know the column cannot insert any more.',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'alter table invoices add column currency text not null;',
    good: "alter table invoices add column currency text not null default 'EUR';",
  },
  check: (statement, surroundings) =>
    addedColumns(statement, surroundings).flatMap(({ table, column }) => {
      const types = constraintsOf(column).map(({ contype }) => contype);
      const has = (...wanted: readonly string[]): boolean => types.some((type) => wanted.includes(type ?? ''));
      const isSerial = /serial/.test(typeText(column.typeName));
      if (!has('CONSTR_NOTNULL', 'CONSTR_PRIMARY') || has('CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'))
        return [];
      if (isSerial) return [];
      const name = nameInSql(column.colname ?? '');
      return {
        object: `${table.name}.${column.colname ?? ''}`,
        message: `column ${name} of ${table.sqlName}${rowsText(table)} is NOT NULL and has no default`,
        fix: [{ sql: `alter table ${table.sqlName} add column ${name} ${typeText(column.typeName)};` }],
      };
    }),
});
