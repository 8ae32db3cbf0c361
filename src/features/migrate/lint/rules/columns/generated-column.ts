import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule } from '../../rule.js';
import { addedColumns, constraintsOf, rowsText, typeName, typeText } from '../parts.js';

const PLAIN: Readonly<Record<string, string>> = {
  bigserial: 'bigint',
  serial: 'integer',
  serial4: 'integer',
  serial8: 'bigint',
  smallserial: 'smallint',
  serial2: 'smallint',
};

export const generatedColumn = statementRule({
  id: 'generated-column',
  severity: 'warning',
  title: 'ADD COLUMN serial, identity or GENERATED … STORED on a table in use',
  impact:
    'Every row gets a value at once: the table is rewritten under an ACCESS EXCLUSIVE lock, and reads and writes wait.',
  example: {
    before: 'create table invoices (id uuid primary key);',
    bad: 'alter table invoices add column number bigint generated always as identity;',
    good: 'alter table invoices add column number bigint;',
  },
  check: (statement, surroundings) =>
    addedColumns(statement, surroundings).flatMap(({ table, column }) => {
      const isSerial = typeName(column.typeName) in PLAIN;
      const isGenerated = constraintsOf(column).some(
        ({ contype, generated_kind: kind }) =>
          contype === 'CONSTR_IDENTITY' || (contype === 'CONSTR_GENERATED' && kind !== 'v'),
      );
      if (!isSerial && !isGenerated) return [];
      if (surroundings.effects?.rewritten.length === 0 && table.kind !== 'p') return [];
      const name = nameInSql(column.colname ?? '');
      const type = PLAIN[typeName(column.typeName)] ?? typeText(column.typeName);
      return {
        object: `${table.name}.${column.colname ?? ''}`,
        message: `column ${name} is computed for every row, so ${table.sqlName}${rowsText(table)} is rewritten`,
        fix: [{ sql: `alter table ${table.sqlName} add column ${name} ${type};` }],
      };
    }),
});
