import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type FixStep, type RelationFacts } from '../../rule.js';
import { addedColumns, constraintsOf, rowsText, typeText } from '../parts.js';

/** New rows get the value, and the old ones in batches. */
function steps(table: RelationFacts, column: string, type: string, value: string): readonly FixStep[] {
  return [
    { sql: `alter table ${table.sqlName} add column ${column} ${type};` },
    { sql: `alter table ${table.sqlName} alter column ${column} set default ${value};` },
  ];
}

export const volatileDefault = statementRule({
  id: 'volatile-default',
  severity: 'warning',
  title: 'ADD COLUMN with a volatile default',
  impact:
    'The table is rewritten under an ACCESS EXCLUSIVE lock: reads and writes wait, and it needs its size again on the disk. A constant default, or now(), costs nothing.',
  example: {
    before: 'create table invoices (id bigint primary key);',
    bad: 'alter table invoices add column token uuid default gen_random_uuid();',
    good: 'alter table invoices add column token uuid;\nalter table invoices alter column token set default gen_random_uuid();',
  },
  check: (statement, surroundings) =>
    addedColumns(statement, surroundings).flatMap(({ table, column }) => {
      const given = constraintsOf(column).find(({ contype }) => contype === 'CONSTR_DEFAULT');
      // The server itself says whether it rewrote: it knows which functions are volatile.
      if (given === undefined || surroundings.effects === undefined || surroundings.effects.rewritten.length === 0)
        return [];
      const name = nameInSql(column.colname ?? '');
      const value = /\bdefault\s+((?:[\w.]+\s*\([^()]*\))|[^\s,]+)/i.exec(statement.text)?.[1] ?? 'null';
      return {
        object: `${table.name}.${column.colname ?? ''}`,
        message: `the default of ${name} is another one for each row, so ${table.sqlName}${rowsText(table)} is rewritten`,
        fix: steps(table, name, typeText(column.typeName), value),
      };
    }),
});
