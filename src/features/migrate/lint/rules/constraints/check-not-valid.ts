import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule } from '../../rule.js';
import { addedConstraints, constraintText, oneLine, rowsText } from '../parts.js';

export const checkNotValid = statementRule({
  id: 'check-not-valid',
  severity: 'warning',
  title: 'a check added to a table in use, without NOT VALID',
  impact: 'Every row is read under an ACCESS EXCLUSIVE lock: reads and writes wait until the transaction ends.',
  example: {
    before: 'create table invoices (id bigint primary key, amount numeric);',
    bad: 'alter table invoices add constraint invoices_amount_not_negative check (amount >= 0);',
    good: 'alter table invoices add constraint invoices_amount_not_negative check (amount >= 0) not valid;',
  },
  check: (statement, surroundings) =>
    addedConstraints(statement, surroundings, 'CONSTR_CHECK').flatMap(({ table, constraint, name: given }) => {
      if (constraint.skip_validation === true) return [];
      const name = nameInSql(given);
      const text = oneLine(constraintText(statement, constraint));
      return {
        object: given,
        message: `check ${name} reads every row of ${table.sqlName}${rowsText(table)} while reads and writes wait`,
        fix: [
          { sql: `alter table ${table.sqlName} add constraint ${name} ${text} not valid;` },
          { sql: `alter table ${table.sqlName} validate constraint ${name};` },
        ],
      };
    }),
});
