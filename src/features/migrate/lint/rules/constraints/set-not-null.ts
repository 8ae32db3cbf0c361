import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule, type FixStep } from '../../rule.js';
import { alterations, rowsText } from '../parts.js';

const NOT_NULL_NOT_VALID = 18;

function steps(table: string, column: string, name: string, serverMajor: number): readonly FixStep[] {
  const check = nameInSql(name);
  if (serverMajor >= NOT_NULL_NOT_VALID)
    return [
      { sql: `alter table ${table} add constraint ${check} not null ${column} not valid;` },
      { sql: `alter table ${table} validate constraint ${check};` },
    ];
  return [
    { sql: `alter table ${table} add constraint ${check} check (${column} is not null) not valid;` },
    { sql: `alter table ${table} validate constraint ${check};` },
    { sql: `alter table ${table} alter column ${column} set not null, drop constraint ${check};` },
  ];
}

export const setNotNull = statementRule({
  id: 'set-not-null',
  severity: 'warning',
  title: 'SET NOT NULL on a column of a table in use, without a validated check',
  impact: 'Every row is read under an ACCESS EXCLUSIVE lock: reads and writes wait until the transaction ends.',
  example: {
    before: 'create table invoices (id bigint primary key, status text);',
    bad: 'alter table invoices alter column status set not null;',
    good: 'alter table invoices add constraint invoices_status_not_null check (status is not null) not valid;',
  },
  check: (statement, { existing, effects, serverMajor }) =>
    alterations(statement, 'AT_SetNotNull').flatMap(({ relation, command }) => {
      const table = existing(relation);
      // A validated check of the same, or a column that is NOT NULL already: the server reads nothing.
      const isRead = effects === undefined || effects.scanned.length > 0 || table?.kind === 'p';
      const known = table?.columns.find(({ name }) => name === command.name);
      if (table === undefined || !isRead || known?.isNotNull === true) return [];
      const column = nameInSql(command.name ?? '');
      const isChecked = table.constraints.some(
        ({ type, isValidated, definition }) =>
          type === 'c' && isValidated && definition.includes(`(${column} IS NOT NULL)`),
      );
      if (isChecked) return [];
      return {
        object: `${table.name}.${command.name ?? ''}`,
        message: `SET NOT NULL of ${column} reads every row of ${table.sqlName}${rowsText(table)} while reads and writes wait`,
        fix: steps(table.sqlName, column, `${table.name}_${command.name ?? ''}_not_null`, serverMajor),
      };
    }),
});
