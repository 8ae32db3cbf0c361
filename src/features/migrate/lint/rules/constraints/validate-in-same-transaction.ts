import { as } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule } from '../../rule.js';
import { alterations } from '../parts.js';

export const validateInSameTransaction = statementRule({
  id: 'validate-in-same-transaction',
  severity: 'warning',
  title: 'NOT VALID and VALIDATE CONSTRAINT in one transaction',
  impact: 'The lock of ADD CONSTRAINT is held while VALIDATE reads every row, so the two steps are no better than one.',
  example: {
    before: 'create table invoices (id bigint primary key, amount numeric);',
    bad: 'alter table invoices add constraint invoices_amount_not_negative check (amount >= 0) not valid;\nalter table invoices validate constraint invoices_amount_not_negative;',
    good: 'alter table invoices add constraint invoices_amount_not_negative check (amount >= 0) not valid;',
  },
  check: (statement, { existing, file, statements }) => {
    if (!file.isTransactional) return [];
    return alterations(statement, 'AT_ValidateConstraint').flatMap(({ relation, command }) => {
      const table = existing(relation);
      const adding = statements.find((other) =>
        alterations(other, 'AT_AddConstraint').some(
          (added) =>
            added.relation.relname === relation.relname &&
            as('Constraint', added.command.def)?.conname === command.name,
        ),
      );
      if (table === undefined || adding === undefined) return [];
      const name = nameInSql(command.name ?? '');
      return {
        object: command.name ?? '',
        message: `constraint ${name} of ${table.sqlName} is validated in the transaction that adds it`,
        fix: [{ sql: `alter table ${table.sqlName} validate constraint ${name};` }],
      };
    });
  },
});
